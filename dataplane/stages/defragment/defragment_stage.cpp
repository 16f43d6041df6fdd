// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/defragment/defragment_stage.h"

#include "dataplane/pipeline/worker_messages.h"
#include "dataplane/stages/answers/icmp_answers.h"
#include "dataplane/stages/decode/frame_decoder.h"
#include "dataplane/stages/decrypt/decrypt_stage.h"

namespace masugata::dataplane {
namespace {

using Next = DefragmentStage::Next;

constexpr uint32_t kExpiriesPerLoop = 8;

void count_freed(uint32_t count, DropReason reason, WorkerContext& context) noexcept {
  if (count > 0) context.counters.drops[static_cast<size_t>(reason)].add(count);
}

}  // namespace

Verdict<Next> DefragmentStage::decide(Packet& packet, WorkerContext& context) noexcept {
  // All fragments of a datagram meet at the worker that its addresses lead to; ports are unknown.
  if (context.worker_count > 1 && !packet.has(kPacketHandedOver)) {
    const uint32_t owner = worker_of(packet.key, context.worker_count);
    if (owner != context.worker) {
      return hand_over(packet, static_cast<uint16_t>(owner), context)
                 ? forward_to(Next::Hold)
                 : drop<Next>(DropReason::HandoverQueueFull);
    }
  }
  const ReassemblyTable::Offer offer = context.reassembly->offer(packet, context.now_ms);
  using Outcome = ReassemblyTable::Offer::Outcome;
  if (offer.outcome == Outcome::Held) return forward_to(Next::Hold);
  if (offer.outcome == Outcome::Refused) {
    count_freed(offer.discarded_fragments, offer.reason, context);
    if (offer.packet == &packet) return drop<Next>(offer.reason);
    context.drop_packet(*offer.packet, offer.reason);
    return forward_to(Next::Hold);
  }
  // The datagram may be the first fragment's packet: this one is inside it then.
  const Verdict<Next> verdict = decode_datagram(*offer.packet, context);
  if (offer.packet == &packet) return verdict;
  if (verdict.next == Next::Drop) {
    context.drop_packet(*offer.packet, verdict.reason);
  } else {
    context.emit(*offer.packet, kExits[static_cast<size_t>(verdict.next) - 2]);
  }
  return forward_to(Next::Hold);
}

Verdict<Next> DefragmentStage::decode_datagram(Packet& packet, WorkerContext& context) noexcept {
  const rte_mbuf& mbuf = packet.mbuf();
  const bool ipv4 = packet.key.source.is_v4();
  // What decode said of the fragment is said anew of the datagram.
  packet.clear(kPacketHasIpOptions);
  packet.clear(kPacketHandedOver);
  const FrameBytes frame{packet.frame(), mbuf.data_len, mbuf.pkt_len};
  const Verdict<FrameKind> decoded = decode_network(
      ipv4 ? net::EtherType::Ipv4 : net::EtherType::Ipv6, frame, ReceiveChecks{true, true}, packet);
  switch (decoded.next) {
    case FrameKind::Drop:
      return drop<Next>(decoded.reason);
    case FrameKind::Fragment:
      return drop<Next>(DropReason::InternalError);
    case FrameKind::Kernel:
      packet.egress_interface = packet.ingress_interface;
      return forward_to(packet.has(kPacketFromKernel) ? Next::Transmit : Next::Punt);
    case FrameKind::Flow:
      break;
  }
  if (DecryptStage::wants(packet, context)) return forward_to(Next::Decrypt);
  packet.set_hash(net::hash_flow(packet.key, context.secret));
  context.sessions->prefetch_bucket(packet.hash());
  return forward_to(Next::Track);
}

void DefragmentStage::expire(WorkerContext& context) noexcept {
  const ReassemblyTable::Expired expired =
      context.reassembly->expire(context.now_ms, kExpiriesPerLoop);
  count_freed(expired.freed_fragments, DropReason::FragmentTimeout, context);
  for (uint32_t i = 0; i < expired.first_count; ++i) {
    Packet& packet = *expired.first_fragments[i];
    send_icmp_error(packet, IcmpError::ReassemblyTimeout, 0, context);
    context.drop_packet(packet, DropReason::FragmentTimeout);
  }
}

}  // namespace masugata::dataplane
