// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/admit/syn_protection.h"

#include <algorithm>

#include "dataplane/ipsec/tunnel_limits.h"

namespace masugata::dataplane {
namespace {

constexpr uint16_t kIpv4AndTcpBytes = 40;
constexpr uint16_t kIpv6AndTcpBytes = 60;

// The largest segment that fits the way between two interfaces.
uint16_t segment_limit(const Packet& packet, InterfaceIndex egress,
                       WorkerContext& context) noexcept {
  const bool ipv4 = packet.key.source.is_v4();
  uint16_t mtu = mtu_for(packet, packet.ingress_interface, context);
  uint16_t clamp = segment_limit_of(ipv4, packet.ingress_interface, context);
  if (egress < context.configuration->interfaces.size()) {
    mtu = std::min(mtu, mtu_for(packet, egress, context));
    const uint16_t other = segment_limit_of(ipv4, egress, context);
    if (other != 0) clamp = clamp == 0 ? other : std::min(clamp, other);
  }
  const auto by_mtu = static_cast<uint16_t>(mtu - (ipv4 ? kIpv4AndTcpBytes : kIpv6AndTcpBytes));
  return clamp == 0 ? by_mtu : std::min(clamp, by_mtu);
}

// Hands a segment that the gateway wrote to a stage, as part of a session's direction.
void emit_segment(const Packet& received, Heading heading, const TcpFacts& facts, Session& session,
                  Direction direction, WorkerContext& context) noexcept {
  const TcpPacketBuilder builder(*context.packet_pool);
  rte_mbuf* mbuf = builder.build(received, heading, facts);
  if (mbuf == nullptr) {
    context.count_drop(DropReason::NoBuffer);
    return;
  }
  context.counters.generated.add(1);
  Packet& packet = Packet::of(mbuf);
  if (heading == Heading::BackToSender) {
    context.emit(packet, StageId::Transmit);
    return;
  }
  packet.session = &session;
  packet.direction = static_cast<uint8_t>(direction);
  packet.tcp_flags = facts.flags;
  context.emit(packet, StageId::Egress);
}

void join_halves(Session& session, const SynProxyState& state, const TcpFacts& answer,
                 WorkerContext& context) noexcept {
  TcpSegment opener;
  opener.sequence = state.client_isn + 1;
  opener.acknowledgement = state.server_isn + 1;
  opener.window = state.client_window;
  opener.flags = net::kTcpAck;
  TcpSegment reply;
  reply.sequence = answer.sequence;
  reply.acknowledgement = answer.acknowledgement;
  reply.window = answer.window;
  reply.flags = answer.flags;
  reply.window_scale =
      answer.options.has_window_scale ? answer.options.window_scale : kNoWindowScale;
  reply.sack_permitted = answer.options.sack_permitted;
  reply.maximum_segment_size = answer.options.maximum_segment_size;
  start_proxied_tcp(session, opener,
                    state.client.has_window_scale ? state.client.window_scale : kNoWindowScale,
                    reply);
  const auto established = ProtocolState::TcpEstablished;
  context.sessions->change_state(session, established,
                                 context.configuration->tracking.timeouts.of(established));
  session.last_seen_ms = context.now_ms;
  SequenceAdjustment* adjustment = context.adjustments.find(session);
  if (adjustment == nullptr) return;
  adjustment->streams[index_of(Direction::Reply)].set_initial_offset(server_sequence_offset(state));
}

// The session lingers as after any reset, so that the client's last segments find it.
void close_refused(Session& session, const SynProxyState& state, bool by_client,
                   WorkerContext& context) noexcept {
  const auto reset = ProtocolState::TcpReset;
  context.sessions->change_state(session, reset,
                                 context.configuration->tracking.timeouts.of(reset));
  SequenceAdjustment* adjustment = context.adjustments.find(session);
  if (by_client || adjustment == nullptr) return;
  adjustment->streams[index_of(Direction::Reply)].set_initial_offset(server_sequence_offset(state));
}

void carry_out(const SynProxyStep& step, const Packet& received, Session& session,
               Direction direction, WorkerContext& context) noexcept {
  const bool from_client = direction == Direction::Original;
  if (step.send_to_server) {
    emit_segment(received, from_client ? Heading::Onward : Heading::BackToSender, step.to_server,
                 session, Direction::Original, context);
  }
  if (step.send_to_client) {
    emit_segment(received, from_client ? Heading::BackToSender : Heading::Onward, step.to_client,
                 session, Direction::Reply, context);
  }
}

}  // namespace

bool wants_cookie(const AdmissionResult& admission, const WorkerContext& context) noexcept {
  if (admission.to_self || admission.from_zone == config::kSelfZone) return false;
  const uint32_t threshold = context.snapshot().zones[admission.from_zone].syn_cookie_threshold;
  if (threshold == 0) return false;
  if (threshold == 1) return true;
  // The threshold counts for the gateway; flows spread evenly over the workers.
  const uint64_t half_open =
      uint64_t{context.sessions->half_open_count(admission.from_zone)} * context.worker_count;
  return half_open >= threshold;
}

void send_cookie(const Packet& packet, const AdmissionResult& admission,
                 WorkerContext& context) noexcept {
  TcpFacts syn;
  if (!read_tcp_facts(packet, syn)) return;
  const uint16_t limit = segment_limit(packet, admission.route.interface, context);
  const TcpFacts answer = context.syn_cookies.answer(syn, limit, context.now_ms);
  const TcpPacketBuilder builder(*context.packet_pool);
  rte_mbuf* mbuf = builder.build(packet, Heading::BackToSender, answer);
  if (mbuf == nullptr) return;
  context.counters.generated.add(1);
  context.emit(Packet::of(mbuf), StageId::Transmit);
}

bool expects_cookies(const Packet& packet, const WorkerContext& context) noexcept {
  constexpr uint8_t kDeciding = net::kTcpSyn | net::kTcpRst | net::kTcpFin | net::kTcpAck;
  return (packet.tcp_flags & kDeciding) == net::kTcpAck &&
         packet.ingress_zone < context.snapshot().zones.size() &&
         context.snapshot().zones[packet.ingress_zone].syn_cookie_threshold != 0;
}

bool is_cookie_acknowledgement(const Packet& packet, const WorkerContext& context) noexcept {
  if (!expects_cookies(packet, context)) return false;
  TcpFacts acknowledgement;
  CookieFacts cookie;
  return read_tcp_facts(packet, acknowledgement) &&
         context.syn_cookies.check(acknowledgement, context.now_ms, cookie);
}

bool begin_proxied_session(Packet& packet, Session& session, const AdmissionResult& admission,
                           WorkerContext& context) noexcept {
  TcpFacts acknowledgement;
  CookieFacts cookie;
  SynProxyState* state = context.syn_proxies.acquire(session);
  const bool usable = state != nullptr && context.adjustments.acquire(session) != nullptr &&
                      read_tcp_facts(packet, acknowledgement) &&
                      context.syn_cookies.check(acknowledgement, context.now_ms, cookie);
  if (!usable) {
    context.sessions->erase(session, EndReason::Abandoned);
    return false;
  }
  const SynProxyStep step =
      start_syn_proxy(*state, acknowledgement, cookie,
                      segment_limit(packet, admission.route.interface, context), context.now_ms);
  carry_out(step, packet, session, Direction::Original, context);
  return true;
}

bool pass_through_proxy(Packet& packet, Session& session, Direction direction,
                        WorkerContext& context) noexcept {
  SynProxyState* state = context.syn_proxies.find(session);
  TcpFacts facts;
  if (state == nullptr || state->phase == SynProxyPhase::Refused ||
      !read_tcp_facts(packet, facts)) {
    return true;
  }
  const bool from_client = direction == Direction::Original;
  SynProxyStep step;
  if (state->phase == SynProxyPhase::Established) {
    if (from_client) return true;
    step = on_established_server_segment(*state, facts);
  } else if (from_client) {
    const uint16_t limit = segment_limit(packet, session.flow(direction).egress_interface, context);
    step = on_client_segment(*state, facts, limit, context.now_ms);
  } else {
    step = on_server_segment(*state, facts);
    if (state->phase == SynProxyPhase::Established) join_halves(session, *state, facts, context);
  }
  if (state->phase == SynProxyPhase::Refused) close_refused(session, *state, from_client, context);
  carry_out(step, packet, session, direction, context);
  return step.pass;
}

}  // namespace masugata::dataplane
