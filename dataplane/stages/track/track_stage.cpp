// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/track/track_stage.h"

#include "dataplane/pipeline/worker_messages.h"
#include "dataplane/snapshot/admission.h"
#include "dataplane/stages/admit/readmission.h"
#include "dataplane/stages/admit/syn_protection.h"
#include "dataplane/stages/answers/tcp_answers.h"
#include "net/checksum.h"
#include "net/headers/transport.h"

namespace masugata::dataplane {
namespace {

using Next = TrackStage::Next;

Next after_tracking(const Session& session) noexcept {
  return session.is_looked_into() ? Next::Inspect : Next::Egress;
}

bool icmp_type_fits(const Packet& packet, Direction direction) noexcept {
  if (packet.key.protocol != net::Protocol::Icmp && packet.key.protocol != net::Protocol::Icmpv6) {
    return true;
  }
  const bool request = packet.icmp_type == static_cast<uint8_t>(net::IcmpType::EchoRequest) ||
                       packet.icmp_type == static_cast<uint8_t>(net::Icmpv6Type::EchoRequest) ||
                       packet.icmp_type == static_cast<uint8_t>(net::IcmpType::TimestampRequest);
  return request == (direction == Direction::Original);
}

// A session vouches for its two ends only; the router that reports an error must be one that may
// stand behind the interface.
bool error_source_fits(const Packet& packet, const WorkerContext& context) noexcept {
  if (packet.has(kPacketFromKernel)) return true;
  // Its SA is for one source.
  if (context.configuration->interfaces[packet.ingress_interface].transport) return true;
  const uint8_t* network = packet.network();
  const net::IpAddress source = (network[0] >> 4U) == 4
                                    ? net::IpAddress::from_v4(net::load_be32(network + 12))
                                    : net::IpAddress::from_v6(network + 8);
  if (admission::is_exempt_from_reverse_path(source)) return true;
  const Snapshot& snapshot = context.snapshot();
  Route back = context.forwarding->lookup(source, 0);
  if (!admission::is_closed(snapshot, packet.ingress_interface)) {
    admission::keep_inside(snapshot, back);
  }
  return admission::passes_reverse_path(snapshot, snapshot.zones[packet.ingress_zone].anti_spoofing,
                                        packet.ingress_zone, back);
}

// Numbers of the other end that the gateway has shown differently go back to what that end knows.
void adjust_acknowledgement(Packet& packet, const Session& session, Direction direction,
                            WorkerContext& context) noexcept {
  const SequenceAdjustment* adjustment = context.adjustments.find(session);
  if (adjustment == nullptr) return;
  uint8_t* header = packet.transport();
  const auto header_bytes = static_cast<size_t>(packet.payload_offset - packet.transport_offset);
  const uint16_t delta = take_back_acknowledgement(*adjustment, direction, header, header_bytes);
  net::store(header + 16, net::Be16{net::checksum_apply(net::load_be16(header + 16).raw, delta)});
}

}  // namespace

void TrackStage::prepare(std::span<Packet* const> batch, WorkerContext& context) noexcept {
  std::array<const net::FlowKey*, kBatchSize> keys;
  std::array<uint64_t, kBatchSize> hashes;
  for (size_t i = 0; i < batch.size(); ++i) {
    keys[i] = &batch[i]->key;
    hashes[i] = batch[i]->hash();
  }
  context.sessions->lookup_bulk_prefetched(keys.data(), hashes.data(), batch.size(),
                                           matches_.data());
  next_match_ = 0;
}

Verdict<Next> TrackStage::decide(Packet& packet, WorkerContext& context) noexcept {
  const SessionMatch& match = matches_[next_match_++];
  // A packet of this very batch may have ended the session.
  if (match.session == nullptr || match.session->ended()) [[unlikely]] {
    return decide_miss(packet, match, context);
  }
  Session& session = *match.session;
  const Direction direction = match.direction;
  packet.session = &session;
  packet.direction = static_cast<uint8_t>(direction);
  if (session.snapshot_generation != context.epoch) [[unlikely]] {
    const DropReason refused = readmit(session, context);
    if (refused != DropReason::None) return drop<Next>(refused);
  }
  if (session.flow(direction).zone != static_cast<uint8_t>(packet.ingress_zone)) [[unlikely]] {
    return drop<Next>(DropReason::Spoofed);
  }
  if (packet.has(kPacketIsIcmpError)) [[unlikely]] {
    return error_source_fits(packet, context) ? forward_to(after_tracking(session))
                                              : drop<Next>(DropReason::Spoofed);
  }
  if (session.kind == SessionKind::Tcp) return track_tcp_hit(packet, session, direction, context);
  const TrackResult result =
      track_other_packet(*context.sessions, session, direction, icmp_type_fits(packet, direction),
                         packet.network_length, context.configuration->tracking, context.now_ms);
  if (result.action != TrackAction::Forward) [[unlikely]] {
    return drop<Next>(drop_reason_of(result.reason));
  }
  return forward_to(after_tracking(session));
}

Verdict<Next> TrackStage::track_tcp_hit(Packet& packet, Session& session, Direction direction,
                                        WorkerContext& context) noexcept {
  if ((session.flags & kSessionSequenceAdjusted) != 0) [[unlikely]] {
    adjust_acknowledgement(packet, session, direction, context);
  }
  if ((session.flags & kSessionSynProxied) != 0 &&
      !pass_through_proxy(packet, session, direction, context)) [[unlikely]] {
    rte_pktmbuf_free(&packet.mbuf());
    return forward_to(Next::Hold);
  }
  const auto header_bytes = static_cast<size_t>(packet.payload_offset - packet.transport_offset);
  const TcpSegment segment =
      read_tcp_segment(packet.transport(), header_bytes, packet.payload_length);
  const TrackResult result =
      track_tcp_packet(*context.sessions, session, direction, segment, packet.network_length,
                       context.configuration->tracking, context.now_ms);
  switch (result.action) {
    case TrackAction::Forward:
      return forward_to(after_tracking(session));
    case TrackAction::Drop:
      return drop<Next>(drop_reason_of(result.reason));
    case TrackAction::Challenge:
      send_challenge(packet, session, direction, context);
      return drop<Next>(drop_reason_of(result.reason));
    case TrackAction::Replace:
      context.sessions->erase(session, EndReason::Replaced);
      packet.session = nullptr;
      return forward_to(Next::Admit);
  }
  return drop<Next>(DropReason::InternalError);
}

Verdict<Next> TrackStage::decide_miss(Packet& packet, const SessionMatch& match,
                                      WorkerContext& context) noexcept {
  if (match.foreign) {
    // From the worker that received it, over the one that its key leads to, to its owner. Longer
    // ways are those of a key that two workers take for each other's: the owner's session ended a
    // moment ago.
    if (packet.has(kPacketHandedOn)) return drop<Next>(DropReason::SessionEnded);
    if (packet.has(kPacketHandedOver)) packet.set(kPacketHandedOn);
    const uint32_t timeout_ms =
        context.configuration->tracking.timeouts.of(ProtocolState::TcpEstablished);
    (void)context.sessions->insert_foreign(packet.key, packet.hash(), match.foreign_worker,
                                           context.now_ms, timeout_ms + 60'000);
    return hand_over(packet, match.foreign_worker, context)
               ? forward_to(Next::Hold)
               : drop<Next>(DropReason::HandoverQueueFull);
  }
  const uint32_t owner = worker_of(packet.key, context.worker_count);
  if (owner != context.worker && !packet.has(kPacketHandedOver)) {
    return hand_over(packet, static_cast<uint16_t>(owner), context)
               ? forward_to(Next::Hold)
               : drop<Next>(DropReason::HandoverQueueFull);
  }
  if (packet.has(kPacketIsIcmpError)) return drop<Next>(DropReason::IcmpErrorNoSession);
  return forward_to(Next::Admit);
}

}  // namespace masugata::dataplane
