// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/admit/admit_stage.h"

#include "dataplane/names/name_learner.h"
#include "dataplane/pipeline/worker_messages.h"
#include "dataplane/stages/admit/admission_inputs.h"
#include "dataplane/stages/admit/expected_session.h"
#include "dataplane/stages/admit/session_builder.h"
#include "dataplane/stages/admit/syn_protection.h"
#include "dataplane/stages/answers/icmp_answers.h"
#include "dataplane/stages/answers/tcp_answers.h"
#include "dataplane/stages/egress/packet_rewrite.h"

namespace masugata::dataplane {
namespace {

using Next = AdmitStage::Next;

bool is_icmp_reply(const Packet& packet) noexcept {
  if (packet.key.protocol == net::Protocol::Icmp) {
    return packet.icmp_type == static_cast<uint8_t>(net::IcmpType::EchoReply) ||
           packet.icmp_type == static_cast<uint8_t>(net::IcmpType::TimestampReply);
  }
  return packet.key.protocol == net::Protocol::Icmpv6 &&
         packet.icmp_type == static_cast<uint8_t>(net::Icmpv6Type::EchoReply);
}

AdmissionResult ask_admission(const Packet& packet, WorkerContext& context) noexcept {
  const PacketRoutes routes(*context.forwarding, packet);
  SessionPortProbe probe(context);
  AdmissionOrigin origin;
  origin.interface = packet.ingress_interface;
  origin.from_self = packet.has(kPacketFromKernel);
  const KnownNames names(context.names->table(), context.now_s(), false);
  PacketFacts facts = facts_of(packet);
  facts.names = &names;
  return admit(context.snapshot(), routes, facts, origin, context.secret, probe);
}

// The answer that a refused packet gets, if any.
void answer_refusal(const Packet& packet, const AdmissionResult& admission,
                    WorkerContext& context) noexcept {
  if (packet.has(kPacketFromKernel)) return;
  if (admission.verdict == AdmissionVerdict::Reject) {
    if (packet.key.protocol == net::Protocol::Tcp) {
      send_reset(packet, context);
    } else {
      send_icmp_error(packet, IcmpError::AdminProhibited, 0, context);
    }
    return;
  }
  if (admission.reason == DropReason::NoRoute) {
    send_icmp_error(packet, IcmpError::NetworkUnreachable, 0, context);
  } else if (admission.reason == DropReason::NoRouteProhibited) {
    send_icmp_error(packet, IcmpError::AdminProhibited, 0, context);
  }
}

// A worker sees its share of a source's sessions.
uint32_t share_of(uint32_t limit, const WorkerContext& context) noexcept {
  return (limit + context.worker_count - 1) / context.worker_count;
}

DropReason check_source_limits(const Packet& packet, const AdmissionResult& admission,
                               uint32_t& limit_slot, WorkerContext& context) noexcept {
  const SnapshotZone& zone = context.snapshot().zones[admission.from_zone];
  if (zone.new_sessions_per_source_per_second != 0 &&
      !context.sources.take_new_session(packet.key.source, admission.from_zone,
                                        share_of(zone.new_sessions_per_source_per_second, context),
                                        context.now_ms)) {
    return DropReason::SourceSessionRate;
  }
  if (admission.policy.session_limit_per_source != 0) {
    limit_slot = context.sources.acquire_session(
        packet.key.source, admission.policy.rule,
        share_of(admission.policy.session_limit_per_source, context), context.now_ms);
    if (limit_slot == kNone32) return DropReason::SourceSessionLimit;
  }
  return DropReason::None;
}

// Makes the session; nullptr with a verdict for the packet when there is none to be.
// `announced`: by what it was, or null.
Session* make_session(Packet& packet, const AdmissionResult& admission,
                      const Expectation* announced, ProtocolState state, Verdict<Next>& refusal,
                      WorkerContext& context) noexcept {
  uint32_t limit_slot = kNone32;
  const DropReason limited = check_source_limits(packet, admission, limit_slot, context);
  if (limited != DropReason::None) {
    refusal = drop<Next>(limited);
    return nullptr;
  }
  const BuildResult built = build_session(packet, admission, state, context);
  if (built.session == nullptr) {
    context.sources.release_session(limit_slot);
    refusal = built.already_there ? forward_to(Next::Track) : drop<Next>(built.reason);
    return nullptr;
  }
  built.session->record.source_limit_slot = limit_slot;
  if (announced != nullptr) bind_expected(*built.session, *announced, context);
  return built.session;
}

Verdict<Next> open_session(Packet& packet, const AdmissionResult& admission,
                           const Expectation* announced, ProtocolState state,
                           WorkerContext& context) noexcept {
  Verdict<Next> refusal = drop<Next>(DropReason::InternalError);
  Session* made = make_session(packet, admission, announced, state, refusal, context);
  if (made == nullptr) return refusal;
  Session& session = *made;
  packet.session = &session;
  packet.direction = static_cast<uint8_t>(Direction::Original);
  session.count_packet(Direction::Original, packet.network_length);
  if (session.kind == SessionKind::Tcp) {
    const auto header_bytes = static_cast<size_t>(packet.payload_offset - packet.transport_offset);
    start_tcp(session, read_tcp_segment(packet.transport(), header_bytes, packet.payload_length));
    attach_helper(session, context);
  }
  return forward_to(session.is_looked_into() ? Next::Inspect : Next::Egress);
}

// A client has answered a cookie: from here on it has a session.
Verdict<Next> open_proxied_session(Packet& packet, const AdmissionResult& admission,
                                   const Expectation* announced, WorkerContext& context) noexcept {
  Verdict<Next> refusal = drop<Next>(DropReason::InternalError);
  Session* session =
      make_session(packet, admission, announced, ProtocolState::TcpSynReceived, refusal, context);
  if (session == nullptr) return refusal;
  attach_helper(*session, context);
  if (!begin_proxied_session(packet, *session, admission, context)) {
    return drop<Next>(DropReason::SessionTableFull);
  }
  rte_pktmbuf_free(&packet.mbuf());
  return forward_to(Next::Hold);
}

// It was announced once, for one session.
void forget(const net::FlowKey& key, WorkerContext& context) noexcept {
  Expectation taken;
  (void)context.expectations.take(key, context.now_ms, taken);
}

// An announced session belongs to the worker of the control connection, where it is known what is
// in it; from here packets of it go there. False: there is no room to remember that, it is opened
// here and only known to be announced.
bool give_to_parent(Packet& packet, const Expectation& expectation, Verdict<Next>& verdict,
                    WorkerContext& context) noexcept {
  if (expectation.parent_worker == context.worker) return false;
  const uint32_t timeout_ms =
      context.configuration->tracking.timeouts.of(ProtocolState::TcpEstablished) + 60'000;
  if (!context.sessions->insert_foreign(packet.key, packet.hash(), expectation.parent_worker,
                                        context.now_ms, timeout_ms)) {
    return false;
  }
  const net::FlowKey key = packet.key;
  if (hand_over(packet, expectation.parent_worker, context)) {
    if (expectation.permits) forget(key, context);
    verdict = forward_to(Next::Hold);
    return true;
  }
  // The next SYN finds it as it was.
  context.sessions->erase_foreign(packet.key, packet.hash());
  verdict = drop<Next>(DropReason::HandoverQueueFull);
  return true;
}

Verdict<Next> admit_announced(Packet& packet, const Expectation& expectation, ProtocolState state,
                              WorkerContext& context) noexcept {
  Verdict<Next> given = drop<Next>(DropReason::InternalError);
  if (give_to_parent(packet, expectation, given, context)) return given;
  AdmissionResult expected;
  const DropReason refused = admit_expected(packet, expectation, expected, context);
  if (refused != DropReason::None) return drop<Next>(refused);
  const Verdict<Next> verdict = open_session(packet, expected, &expectation, state, context);
  if (packet.session != nullptr) forget(packet.key, context);
  return verdict;
}

}  // namespace

Verdict<Next> AdmitStage::decide(Packet& packet, WorkerContext& context) noexcept {
  // An earlier packet of the same batch may have opened the session.
  if (context.sessions->contains(packet.key, packet.hash())) return forward_to(Next::Track);

  ProtocolState state = first_state_of(packet.key.protocol);
  bool cookie_accepted = false;
  if (packet.key.protocol == net::Protocol::Tcp) {
    const auto header_bytes = static_cast<size_t>(packet.payload_offset - packet.transport_offset);
    const TrackResult opening = classify_tcp_opening(
        read_tcp_segment(packet.transport(), header_bytes, packet.payload_length),
        context.configuration->tracking.tcp);
    state = opening.state;
    if (opening.action != TrackAction::Forward) {
      cookie_accepted = is_cookie_acknowledgement(packet, context);
      if (!cookie_accepted) {
        return drop<Next>(expects_cookies(packet, context) ? DropReason::SynCookieInvalid
                                                           : drop_reason_of(opening.reason));
      }
      state = ProtocolState::TcpSynReceived;
    }
  } else if (is_icmp_reply(packet)) {
    return drop<Next>(DropReason::IcmpReplyNoSession);
  }

  Expectation expectation;
  const bool announced = context.expectations.look_up(packet.key, context.now_ms, expectation);
  if (announced && expectation.permits) return admit_announced(packet, expectation, state, context);
  const Expectation* known = announced ? &expectation : nullptr;

  const AdmissionResult admission = ask_admission(packet, context);
  if (admission.verdict != AdmissionVerdict::Permit) [[unlikely]] {
    note_refusal(packet, admission, context);
    answer_refusal(packet, admission, context);
    if (admission.reason == DropReason::NatPortsExhausted) context.counters.nat_exhausted.add(1);
    return drop<Next>(admission.reason);
  }
  if (!admission.to_self && !packet.has(kPacketFromKernel) && hop_limit(packet) <= 1) {
    // It ends here: no session for a packet that does not leave.
    send_icmp_error(packet, IcmpError::HopLimitExceeded, 0, context);
    return drop<Next>(DropReason::TtlExpired);
  }
  Verdict<Next> given = drop<Next>(DropReason::InternalError);
  if (known != nullptr && give_to_parent(packet, expectation, given, context)) return given;
  if (cookie_accepted) return open_proxied_session(packet, admission, known, context);
  if (state == ProtocolState::TcpSynSent && wants_cookie(admission, context)) {
    send_cookie(packet, admission, context);
    return drop<Next>(DropReason::SynCookieSent);
  }
  return open_session(packet, admission, known, state, context);
}

}  // namespace masugata::dataplane
