// SPDX-License-Identifier: GPL-2.0-or-later
// ICMP errors that the gateway sends about packets it does not forward.
#pragma once

#include "dataplane/icmp/error_message.h"
#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {

// Sends `error` about `packet` (not yet translated) to its sender, from the address of the
// interface that it came in by; rate limited, and silent where RFC 1812 and RFC 4443 say so. `mtu`
// counts for PacketTooBig only. The packet stays the caller's.
void send_icmp_error(const Packet& packet, IcmpError error, uint16_t mtu,
                     WorkerContext& context) noexcept;

}  // namespace masugata::dataplane
