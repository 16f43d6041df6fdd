// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/egress/fragment_sender.h"

#include "dataplane/stages/transmit/transmit_queues.h"
#include "dataplane/stages/transmit/transport_checksum.h"

namespace masugata::dataplane {

DropReason send_fragments(Packet& packet, uint16_t limit, WorkerContext& context) noexcept {
  // Once it is in pieces no port can sum it.
  complete_checksum(packet);
  FragmentList list;
  const DropReason reason = fragment_packet(packet, limit, *context.packet_pool, list);
  if (reason != DropReason::None) return reason;
  for (uint32_t i = 0; i < list.count; ++i) {
    Packet& fragment = Packet::of(list.fragments[i]);
    fragment.egress_interface = packet.egress_interface;
    if (context.leaves_by_tunnel(fragment)) {
      context.emit(fragment, StageId::Encrypt);
      continue;
    }
    const DropReason refused = context.transmit->enqueue(fragment, context);
    if (refused != DropReason::None) context.drop_packet(fragment, refused);
  }
  rte_pktmbuf_free(&packet.mbuf());
  return DropReason::None;
}

}  // namespace masugata::dataplane
