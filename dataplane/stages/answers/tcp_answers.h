// SPDX-License-Identifier: GPL-2.0-or-later
// TCP segments that the gateway answers in the name of an end.
#pragma once

#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {

// RFC 5961: sends the ACK that the other end would answer a suspicious segment with, back to its
// sender. Nothing happens when there is no buffer.
void send_challenge(const Packet& packet, const Session& session, Direction direction,
                    WorkerContext& context) noexcept;

// Refuses a segment with a RST (rate limited); for policy `reject`.
void send_reset(const Packet& packet, WorkerContext& context) noexcept;

// Ends a segment's connection towards the receiver of the segment, in the sender's name: what the
// receiver expects next is where the segment, which it will not get, begins (rate limited). The
// reset is translated as part of the packet's session.
void send_reset_onward(const Packet& packet, WorkerContext& context) noexcept;

}  // namespace masugata::dataplane
