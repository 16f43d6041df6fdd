// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/decode/decode_stage.h"

#include "dataplane/fragments/buffer_chain.h"
#include "dataplane/stages/decode/frame_decoder.h"
#include "dataplane/stages/decrypt/decrypt_stage.h"

namespace masugata::dataplane {
namespace {

using Next = DecodeStage::Next;

ReceiveChecks checks_of(const rte_mbuf& mbuf) noexcept {
  const uint64_t network = mbuf.ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
  const uint64_t transport = mbuf.ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
  return {network == RTE_MBUF_F_RX_IP_CKSUM_GOOD, transport == RTE_MBUF_F_RX_L4_CKSUM_GOOD};
}

// Which logical interface a frame came in by, and whether it may come in at all.
DropReason identify_interface(const net::EthernetView& link, Packet& packet,
                              WorkerContext& context) noexcept {
  const RunningConfiguration& configuration = *context.configuration;
  const InterfaceIndex index = configuration.snapshot->vlans.find(packet.ingress_port, link.vlan());
  if (index == VlanTable::kNone) [[unlikely]]
    return DropReason::UnknownVlan;
  packet.ingress_interface = index;
  const EgressInterface& interface = configuration.interfaces[index];
  packet.ingress_zone = packet.has(kPacketFromKernel) ? config::kSelfZone : interface.zone;
  if (interface.zone == kNoZone) [[unlikely]]
    return DropReason::InterfaceDisabled;
  const net::MacAddress destination = link.destination();
  if (destination.is_multicast()) [[unlikely]] {
    packet.set(kPacketLinkMulticast);
  } else if (destination != interface.mac && !packet.has(kPacketFromKernel)) [[unlikely]] {
    return DropReason::NotForUs;
  }
  const net::MacAddress source = link.source();
  if (source.is_multicast() || source.is_zero()) [[unlikely]]
    return DropReason::SourceMacInvalid;
  if (!packet.has(kPacketFromKernel)) {
    InterfaceCounters& counters = context.configuration_counters().interfaces[index];
    counters.received_packets.add(1);
    counters.received_bytes.add(packet.mbuf().pkt_len);
  }
  return DropReason::None;
}

void match_trace(Packet& packet, WorkerContext& context) noexcept {
  const TraceFilter& filter = *context.trace_filter;
  if (!filter.matches(packet.key, packet.ingress_interface, packet.ingress_zone)) return;
  packet.set(kPacketTraced);
  // Different on every worker: packets that are handed over keep theirs.
  packet.trace_id =
      static_cast<uint16_t>(context.worker_count * context.traced_packets++ + context.worker);
}

// What the kernel says on a link by itself (ARP, discovery, multicast) goes out as it is.
Verdict<Next> to_kernel_or_wire(const Packet& packet) noexcept {
  return forward_to(packet.has(kPacketFromKernel) ? Next::Transmit : Next::Punt);
}

// As DecodeStage::sort(); part of decide(), which every packet passes.
[[gnu::always_inline]] inline Verdict<Next> sort_decoded(Packet& packet,
                                                         const Verdict<FrameKind>& decoded,
                                                         const ReceiveChecks& checks,
                                                         WorkerContext& context) noexcept {
  if (context.trace_filter != nullptr) [[unlikely]]
    match_trace(packet, context);
  if (decoded.next == FrameKind::Drop) [[unlikely]]
    return drop<Next>(decoded.reason);
  if (decoded.next == FrameKind::Kernel) [[unlikely]] {
    packet.egress_interface = packet.ingress_interface;
    return to_kernel_or_wire(packet);
  }
  if (decoded.next == FrameKind::Fragment) [[unlikely]]
    return forward_to(Next::Defragment);
  if (packet.mbuf().nb_segs > 1 && !checks.transport_checksum_good) [[unlikely]] {
    const DropReason bad = verify_chained_checksum(packet);
    if (bad != DropReason::None) return drop<Next>(bad);
  }
  // Sent to a group address but with a unicast IP address inside: never legitimate (RFC
  // 1122 3.3.6).
  if (packet.has(kPacketLinkMulticast) && !packet.has(kPacketNetworkLocal)) [[unlikely]] {
    return drop<Next>(DropReason::MartianDestination);
  }
  if (packet.has(kPacketFromKernel) && packet.has(kPacketNetworkLocal)) [[unlikely]] {
    packet.egress_interface = packet.ingress_interface;
    return forward_to(Next::Transmit);
  }
  if (DecryptStage::wants(packet, context)) [[unlikely]]
    return forward_to(Next::Decrypt);
  packet.set_hash(net::hash_flow(packet.key, context.secret));
  return forward_to(Next::Track);
}

}  // namespace

void DecodeStage::prepare(std::span<Packet* const> batch, WorkerContext& /*context*/) noexcept {
  for (Packet* packet : batch) __builtin_prefetch(packet->frame());
  hashed_ = 0;
}

void DecodeStage::prefetch_session(uint64_t hash, const SessionTable& sessions) noexcept {
  sessions.prefetch_bucket(hash);
  uint64_t& place = recent_hashes_[hashed_ % kPrefetchDistance];
  if (hashed_ >= kPrefetchDistance) sessions.prefetch_session(place);
  place = hash;
  ++hashed_;
}

Verdict<Next> DecodeStage::decide(Packet& packet, WorkerContext& context) noexcept {
  const rte_mbuf& mbuf = packet.mbuf();
  net::EthernetView link;
  const auto malformed = net::EthernetView::parse(packet.frame(), mbuf.data_len, link);
  if (malformed == net::EthernetView::Malformed::Short) [[unlikely]] {
    return drop<Next>(DropReason::FrameTooShort);
  }
  if (malformed != net::EthernetView::Malformed::No) [[unlikely]] {
    return drop<Next>(DropReason::FrameBadVlan);
  }
  const DropReason refused = identify_interface(link, packet, context);
  if (refused != DropReason::None) [[unlikely]]
    return drop<Next>(refused);

  const FrameBytes frame{packet.frame(), mbuf.data_len, mbuf.pkt_len};
  const ReceiveChecks checks = checks_of(mbuf);
  const Verdict<FrameKind> decoded = decode_frame(link, frame, checks, packet);
  const Verdict<Next> sorted = sort_decoded(packet, decoded, checks, context);
  if (sorted.next == Next::Track) [[likely]]
    prefetch_session(packet.hash(), *context.sessions);
  return sorted;
}

Verdict<Next> DecodeStage::sort(Packet& packet, const Verdict<FrameKind>& decoded,
                                const ReceiveChecks& checks, WorkerContext& context) noexcept {
  return sort_decoded(packet, decoded, checks, context);
}

}  // namespace masugata::dataplane
