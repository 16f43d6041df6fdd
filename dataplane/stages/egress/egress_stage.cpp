// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/egress/egress_stage.h"

#include "dataplane/ipsec/tunnel_limits.h"
#include "dataplane/nat/icmp_error.h"
#include "dataplane/nat/rewrite.h"
#include "dataplane/stages/admit/readmission.h"
#include "dataplane/stages/answers/icmp_answers.h"
#include "dataplane/stages/egress/fragment_sender.h"
#include "dataplane/stages/egress/next_hop.h"
#include "dataplane/stages/egress/packet_rewrite.h"
#include "dataplane/stages/egress/stream_adjustment.h"
#include "net/headers/tcp_options.h"

namespace masugata::dataplane {
namespace {

using Next = EgressStage::Next;

constexpr uint32_t kNeighboursPerLoop = 8;
constexpr uint8_t kAnyRewrite =
    kFlowRewriteSource | kFlowRewriteDestination | kFlowRewriteFromOtherKey;

bool is_ipv4(const Packet& packet) noexcept { return (packet.network()[0] >> 4U) == 4; }

void decrement_hop_limit(Packet& packet) noexcept {
  uint8_t* network = packet.network();
  if (is_ipv4(packet)) {
    network[8] = static_cast<uint8_t>(network[8] - 1);
    adjust_checksum(network + 10, kHopDecrementDelta);
  } else {
    network[7] = static_cast<uint8_t>(network[7] - 1);
  }
}

// Full translation by keys, without the hop limit: IPv6, and packets from and to the kernel.
void rewrite_by_keys(Packet& packet, const Session& session, Direction direction) noexcept {
  const Flow& flow = session.flow(direction);
  if ((flow.flags & kAnyRewrite) == 0) return;
  const ChecksumDeltas deltas{flow.rewrite.l3_checksum_delta, flow.rewrite.l4_checksum_delta};
  apply_rewrite(session.flow(opposite(direction)).key.reversed(), deltas, packet.network(),
                packet.transport());
}

// A router behind a source translation is known outside by the address that the flow itself has
// there (RFC 5508 REQ-5).
void hide_inside_router(uint8_t* network, const Flow& flow) noexcept {
  if ((flow.flags & kFlowRewriteSource) == 0 || (network[0] >> 4U) != 4) return;
  const net::Be32 before = net::load_be32(network + 12);
  const net::Be32 after = flow.rewrite.source;
  // A translated echo identifier alone hides nobody.
  if (before == after || after == flow.key.source.v4()) return;
  net::store(network + 12, after);
  adjust_checksum(network + 10, net::checksum_delta(before.raw, after.raw));
}

// An error about the session's packets travels against them: what it quotes is what left the
// gateway, and its receiver must find what it sent itself.
DropReason translate_error(Packet& packet, const Session& session, Direction direction) noexcept {
  const Flow& flow = session.flow(direction);
  const Flow& quoted = session.flow(opposite(direction));
  if (((flow.flags | quoted.flags) & kAnyRewrite) == 0) return DropReason::None;
  const std::span<uint8_t> bytes(packet.network(), packet.network_length);
  if (packet.mbuf().nb_segs > 1) return DropReason::NatUntranslatable;
  const IcmpErrorTranslation keys{flow.key.reversed(), quoted.key};
  const auto offset = static_cast<size_t>(packet.transport_offset - packet.link_length);
  if (translate_icmp_error(bytes, offset, keys) != IcmpErrorOutcome::Translated) {
    return DropReason::IcmpBadQuote;
  }
  hide_inside_router(packet.network(), flow);
  return DropReason::None;
}

Verdict<Next> send_in_pieces(Packet& packet, uint16_t limit, WorkerContext& context) noexcept {
  const DropReason refused = send_fragments(packet, limit, context);
  return refused == DropReason::None ? forward_to(Next::Hold) : drop<Next>(refused);
}

Verdict<Next> onward(const EgressInterface& egress) noexcept {
  return forward_to(egress.tunnel ? Next::Encrypt : Next::Transmit);
}

void clamp_segment_size(Packet& packet, WorkerContext& context) noexcept {
  const bool ipv4 = is_ipv4(packet);
  // A SYN tells the other end what may be sent back, and that has to fit both interfaces.
  uint16_t limit = segment_limit_of(ipv4, packet.egress_interface, context);
  const uint16_t back = segment_limit_of(ipv4, packet.ingress_interface, context);
  if (back != 0 && (limit == 0 || back < limit)) limit = back;
  if (limit == 0) return;
  const auto header_bytes = static_cast<size_t>(packet.payload_offset - packet.transport_offset);
  (void)net::clamp_tcp_maximum_segment_size(packet.transport(), header_bytes, limit);
}

bool opens_stream(const Packet& packet) noexcept {
  return (packet.tcp_flags & net::kTcpSyn) != 0 && packet.key.protocol == net::Protocol::Tcp &&
         !packet.has(kPacketIsIcmpError);
}

Verdict<Next> to_kernel(Packet& packet, const Session& session, Direction direction,
                        WorkerContext& context) noexcept {
  if (context.configuration->interfaces[packet.ingress_interface].transport &&
      opens_stream(packet)) {
    packet.egress_interface = packet.ingress_interface;
    clamp_segment_size(packet, context);
  }
  if (packet.has(kPacketIsIcmpError)) {
    const DropReason refused = translate_error(packet, session, direction);
    if (refused != DropReason::None) return drop<Next>(refused);
  } else {
    rewrite_by_keys(packet, session, direction);
  }
  return forward_to(Next::Punt);
}

// Of the gateway itself, to the peer of a site in transport mode. Pieces cannot be encrypted one by
// one there (RFC 4303 section 3.3.4): what is too large is cut when it is encrypted.
Verdict<Next> by_transport(Packet& packet, const Session& session, Direction direction,
                           WorkerContext& context) noexcept {
  packet.egress_interface = session.flow(direction).egress_interface;
  if (packet.has(kPacketIsIcmpError)) {
    const DropReason refused = translate_error(packet, session, direction);
    if (refused != DropReason::None) return drop<Next>(refused);
  } else {
    rewrite_by_keys(packet, session, direction);
  }
  if (opens_stream(packet)) clamp_segment_size(packet, context);
  return forward_to(Next::Encrypt);
}

// The kernel has routed the packet and written its link header; only the frame's size is ours.
Verdict<Next> from_kernel(Packet& packet, const Session& session, Direction direction,
                          WorkerContext& context) noexcept {
  if (session.flow(direction).egress_interface != kNoInterface) {
    return by_transport(packet, session, direction, context);
  }
  packet.egress_interface = packet.ingress_interface;
  const uint16_t mtu = mtu_for(packet, packet.egress_interface, context);
  const FragmentationPlan plan = plan_fragmentation(packet, mtu);
  if (plan.need == FragmentationNeed::TooBig) return drop<Next>(DropReason::MtuExceeded);
  if (packet.has(kPacketIsIcmpError)) {
    const DropReason refused = translate_error(packet, session, direction);
    if (refused != DropReason::None) return drop<Next>(refused);
  } else {
    rewrite_by_keys(packet, session, direction);
  }
  if (plan.need == FragmentationNeed::Fragment) return send_in_pieces(packet, plan.limit, context);
  return onward(context.configuration->interfaces[packet.egress_interface]);
}

Verdict<Next> give_up(const Packet& packet, const NextHopAnswer& hop,
                      WorkerContext& context) noexcept {
  if (hop.reason == DropReason::NoRoute) {
    send_icmp_error(packet, IcmpError::NetworkUnreachable, 0, context);
  } else if (hop.reason == DropReason::NoRouteProhibited) {
    send_icmp_error(packet, IcmpError::AdminProhibited, 0, context);
  }
  return drop<Next>(hop.reason);
}

// A packet that cannot leave now.
Verdict<Next> without_next_hop(Packet& packet, const Session& session, Direction direction,
                               const NextHopAnswer& hop, WorkerContext& context) noexcept {
  if (hop.outcome == NextHopOutcome::Refused) return give_up(packet, hop, context);
  if (hop.outcome == NextHopOutcome::Local) return to_kernel(packet, session, direction, context);
  const DropReason reason = wait_for_neighbour(packet, hop.neighbour, context);
  return reason == DropReason::None ? forward_to(Next::Hold) : drop<Next>(reason);
}

// The transformations of a packet that is certain to leave.
DropReason transform(Packet& packet, Session& session, Direction direction,
                     WorkerContext& context) noexcept {
  Flow& flow = session.flow(direction);
  if (packet.has(kPacketIsIcmpError)) [[unlikely]] {
    const DropReason refused = translate_error(packet, session, direction);
    if (refused != DropReason::None) return refused;
    decrement_hop_limit(packet);
    return DropReason::None;
  }
  constexpr uint16_t kStreamChanges =
      kSessionHelper | kSessionSequenceAdjusted | kSessionSynProxied;
  if ((session.flags & kStreamChanges) != 0) [[unlikely]] {
    const DropReason refused = adjust_stream(packet, session, direction, context);
    if (refused != DropReason::None) return refused;
  }
  if (is_ipv4(packet)) [[likely]] {
    rewrite_ipv4(packet, flow);
  } else {
    rewrite_by_keys(packet, session, direction);
    decrement_hop_limit(packet);
  }
  return DropReason::None;
}

}  // namespace

Verdict<Next> EgressStage::decide(Packet& packet, WorkerContext& context) noexcept {
  Session& session = *packet.session;
  const auto direction = static_cast<Direction>(packet.direction);
  const Flow& flow = session.flow(direction);
  const uint8_t flags = flow.flags;
  if ((flags & (kFlowLocal | kFlowFromKernel)) != 0) [[unlikely]] {
    return (flags & kFlowLocal) != 0 ? to_kernel(packet, session, direction, context)
                                     : from_kernel(packet, session, direction, context);
  }
  net::MacAddress next_hop;
  if (!known_next_hop(flow, context, next_hop)) [[unlikely]] {
    const NextHopAnswer hop = find_next_hop(session, direction, context);
    if (hop.outcome != NextHopOutcome::Ready) {
      return without_next_hop(packet, session, direction, hop, context);
    }
    next_hop = hop.mac;
  }
  packet.egress_interface = flow.egress_interface;
  const EgressInterface& egress = context.configuration->interfaces[packet.egress_interface];

  if (hop_limit(packet) <= 1) [[unlikely]] {
    send_icmp_error(packet, IcmpError::HopLimitExceeded, 0, context);
    return drop<Next>(DropReason::TtlExpired);
  }
  FragmentationPlan plan;
  if (packet.network_length > egress.mtu || packet.has(kPacketWasReassembled)) [[unlikely]] {
    const uint16_t mtu = mtu_for(packet, packet.egress_interface, context);
    plan = plan_fragmentation(packet, mtu);
    if (plan.need == FragmentationNeed::TooBig) {
      send_icmp_error(packet, IcmpError::PacketTooBig, mtu, context);
      return drop<Next>(DropReason::MtuExceeded);
    }
  }
  const DropReason refused = transform(packet, session, direction, context);
  if (refused != DropReason::None) [[unlikely]]
    return drop<Next>(refused);
  if (opens_stream(packet)) [[unlikely]]
    clamp_segment_size(packet, context);
  if (!write_link_header(packet, egress, next_hop)) [[unlikely]] {
    return drop<Next>(DropReason::InternalError);
  }
  if (plan.need == FragmentationNeed::Fragment) [[unlikely]] {
    return send_in_pieces(packet, plan.limit, context);
  }
  return onward(egress);
}

void EgressStage::release_waiting(WorkerContext& context) noexcept {
  if (context.waiting.packets() == 0) return;
  const auto ready = [&context](HeldPacket&& held, NeighbourIndex) noexcept {
    Packet& packet = *held.release();
    if (packet.has(kPacketEncapsulated)) {
      context.emit(packet, StageId::Encrypt);
      return;
    }
    Session* session = context.sessions->resolve(
        SessionHandle{packet.held_session_index, packet.held_session_serial});
    if (session == nullptr) {
      context.drop_packet(packet, DropReason::SessionEnded);
      return;
    }
    packet.session = session;
    if (session->snapshot_generation != context.epoch) {
      const DropReason refused = readmit(*session, context);
      if (refused != DropReason::None) {
        context.drop_packet(packet, refused);
        return;
      }
    }
    context.emit(packet, StageId::Egress);
  };
  const auto expired = [&context](HeldPacket&& held, const NeighbourKey&) noexcept {
    Packet& packet = *held.release();
    packet.session = nullptr;
    if (!packet.has(kPacketEncapsulated)) {
      send_icmp_error(packet, IcmpError::HostUnreachable, 0, context);
    }
    context.drop_packet(packet, DropReason::NeighbourUnresolved);
  };
  const auto ask = [&context](const NeighbourKey& key) noexcept {
    (void)context.resolve_requests.push(key);
  };
  context.waiting.poll(context.forwarding->neighbours(), context.now_ms, kNeighboursPerLoop, ready,
                       expired, ask);
}

}  // namespace masugata::dataplane
