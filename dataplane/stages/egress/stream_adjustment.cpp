// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/egress/stream_adjustment.h"

#include "dataplane/stages/egress/ftp_helper.h"
#include "dataplane/stages/egress/packet_rewrite.h"

namespace masugata::dataplane {

DropReason adjust_stream(Packet& packet, Session& session, Direction direction,
                         WorkerContext& context) noexcept {
  // Segments that the gateway wrote for a cookie's client are in the server's numbers like the
  // server's own; those for the server are as the client would have written them.
  if ((session.flags & kSessionHelper) != 0 && packet.payload_length != 0) {
    const DropReason refused = apply_ftp_helper(packet, session, direction, context);
    if (refused != DropReason::None) return refused;
  }
  if ((session.flags & kSessionSynProxied) != 0 && direction == Direction::Reply) {
    const SynProxyState* state = context.syn_proxies.find(session);
    if (state != nullptr) shift_window(packet.transport(), server_window_shift(*state));
  }
  const SequenceAdjustment* adjustment = context.adjustments.find(session);
  if (adjustment == nullptr) return DropReason::None;
  const auto header_bytes = static_cast<size_t>(packet.payload_offset - packet.transport_offset);
  adjust_checksum(packet.transport() + 16,
                  show_sequence(*adjustment, direction, packet.transport(), header_bytes));
  return DropReason::None;
}

}  // namespace masugata::dataplane
