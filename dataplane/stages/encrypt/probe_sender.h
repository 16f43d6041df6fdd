// SPDX-License-Identifier: GPL-2.0-or-later
// Sends what measures a tunnel.
#pragma once

#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {

// Writes the probes that the view asks for and gives them to encryption, where they find their SA
// like any packet, but for the tunnel's own MTU: larger ones are sent too. Called when
// IpsecGate::begins_probe() says so. What finds no buffer is asked again as if it were lost.
void send_probes(WorkerContext& context) noexcept;

}  // namespace masugata::dataplane
