// SPDX-License-Identifier: GPL-2.0-or-later
// Packets that leave in pieces.
#pragma once

#include <cstdint>

#include "dataplane/fragments/fragmenter.h"
#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {

// Sends a packet that is ready but for its size by its egress interface, in pieces of at most
// `limit` bytes (plan_fragmentation()). None: it is used up. Otherwise nothing was sent and the
// packet stays the caller's.
[[nodiscard]] DropReason send_fragments(Packet& packet, uint16_t limit,
                                        WorkerContext& context) noexcept;

}  // namespace masugata::dataplane
