// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/inspect/inspect_stage.h"

#include <rte_mbuf.h>

#include "dataplane/antivirus/object_guard.h"
#include "dataplane/applications/application_identifier.h"
#include "dataplane/inspection/inspector.h"
#include "dataplane/names/name_learner.h"
#include "dataplane/pipeline/worker_messages.h"
#include "dataplane/stages/admit/expected_session.h"
#include "dataplane/stages/admit/readmission.h"
#include "dataplane/stages/answers/icmp_answers.h"
#include "dataplane/stages/answers/tcp_answers.h"

namespace masugata::dataplane {
namespace {

using Next = InspectStage::Next;

// Tells the ends of a refused packet, as far as the rule asks for it.
void answer(Packet& packet, const InspectionOutcome& outcome, WorkerContext& context) noexcept {
  if (packet.key.protocol == net::Protocol::Tcp) {
    if (outcome.tell_sender) send_reset(packet, context);
    if (outcome.tell_receiver) send_reset_onward(packet, context);
  } else if (outcome.tell_sender) {
    send_icmp_error(packet, IcmpError::AdminProhibited, 0, context);
  }
}

Verdict<Next> obey_guard(Packet& packet, const InspectionOutcome& outcome,
                         WorkerContext& context) noexcept {
  ObjectGuard& guard = *context.guard;
  switch (outcome.guard) {
    case InspectionOutcome::Guard::Hold:
      if (guard.hold(packet, outcome.guarded, outcome.segment, context)) return {Next::Hold};
      return drop<Next>(DropReason::AntivirusNoRoom);
    case InspectionOutcome::Guard::Refuse:
      if (guard.refuse(packet, outcome.guarded, context)) return {Next::Hold};
      return drop<Next>(DropReason::AntivirusRefused);
    default:
      guard.closed_segment(packet, outcome.guarded, context);
      return drop<Next>(DropReason::AntivirusRefused);
  }
}

// False: there is no room to expect the data connections that a control connection announces, and
// what they carry must not pass unscanned.
bool expect_data(const Session& session, AntivirusSlotIndex antivirus,
                 WorkerContext& context) noexcept {
  ids::ProtocolParser* parser = context.inspector->control_parser(session, *context.sessions);
  return parser == nullptr || expect_announced(session, *parser, context) ||
         context.inspector->may_pass_unscanned(antivirus);
}

Verdict<Next> judge_by_rules(Packet& packet, Session& session, WorkerContext& context) noexcept {
  const auto& rules = context.configuration->inspection_slots;
  const uint16_t profile = session.inspection_profile;
  const InspectionSlotIndex slot = profile < rules.size() ? rules[profile] : kNoInspectionSlot;
  if (slot == kNoInspectionSlot) return forward_to(Next::Egress);
  const auto& antivirus = context.configuration->antivirus_slots;
  const SlotChoice slots{slot, profile < antivirus.size() ? antivirus[profile] : kNoAntivirusSlot};
  const InspectionOutcome outcome =
      packet.has(kPacketIsIcmpError)
          ? context.inspector->inspect_alone(packet, slot, context.now_us)
          : context.inspector->inspect(packet, session, *context.sessions, slots, context.now_us);
  if (outcome.payload_changed) packet.set(kPacketChecksumPending);
  // Before its words can reach anyone who would act on them.
  if (outcome.announces && !expect_data(session, slots.antivirus, context)) [[unlikely]]
    return drop<Next>(DropReason::AntivirusNoRoom);
  if (outcome.guard != InspectionOutcome::Guard::None) [[unlikely]]
    return obey_guard(packet, outcome, context);
  if (outcome.reason == DropReason::None) [[likely]]
    return forward_to(Next::Egress);
  if (outcome.tell_sender || outcome.tell_receiver) answer(packet, outcome, context);
  return drop<Next>(outcome.reason);
}

Verdict<Next> judge_by_contents(Packet& packet, Session& session, WorkerContext& context) noexcept {
  const uint32_t index = context.sessions->index_in_table(session);
  const ContentNews news = context.applications->look(packet, session, index, context.now_ms);
  if (news.settled) session.flags &= static_cast<uint16_t>(~kSessionIdentify);
  InspectionOutcome both;
  both.tell_sender = true;
  both.tell_receiver = true;
  if (news.exhausted) {
    // Both ends begin anew, and so do their turns.
    answer(packet, both, context);
    context.sessions->erase(session, EndReason::PolicyDenied);
    return drop<Next>(DropReason::ApplicationDenied);
  }
  if (!news.changed) return forward_to(Next::Egress);
  bool reject = false;
  const DropReason reason = readmit_by_contents(packet, session, context, reject);
  if (reason == DropReason::None) [[likely]]
    return forward_to(Next::Egress);
  if (reject) answer(packet, both, context);
  return drop<Next>(reason);
}

// What goes on to its receiver teaches; what was stopped was never said.
Verdict<Next> learn_and_forward(const Packet& packet, const Session& session,
                                WorkerContext& context) noexcept {
  constexpr uint32_t kLargestMessage = 4096;
  uint8_t copy[kLargestMessage];
  if (packet.payload_length == 0 || packet.payload_length > kLargestMessage) {
    return forward_to(Next::Egress);
  }
  const void* bytes =
      rte_pktmbuf_read(&packet.mbuf(), packet.payload_offset, packet.payload_length, copy);
  if (bytes == nullptr) return forward_to(Next::Egress);
  const DnsSession from{context.sessions->index_in_table(session), session.record.serial,
                        packet.direction == static_cast<uint8_t>(Direction::Original),
                        session.kind == SessionKind::Tcp};
  context.names->look({static_cast<const uint8_t*>(bytes), packet.payload_length}, from,
                      *context.snapshot().policy, context.now_s());
  share_lessons(context);
  return forward_to(Next::Egress);
}

}  // namespace

Verdict<Next> InspectStage::decide(Packet& packet, WorkerContext& context) noexcept {
  Session& session = *packet.session;
  // A packet of this very batch may have ended the session.
  if (session.ended()) [[unlikely]]
    return drop<Next>(DropReason::SessionEnded);
  if ((session.flags & kSessionRefused) != 0) return drop<Next>(DropReason::ApplicationDenied);
  if (session.inspection_profile != kNoInspection) {
    const Verdict<Next> judged = judge_by_rules(packet, session, context);
    if (judged.next != Next::Egress) return judged;
  }
  // Behind the rules' inspection: what that takes for an attempt to hide is not looked at.
  if (packet.has(kPacketIsIcmpError)) return forward_to(Next::Egress);
  if ((session.flags & kSessionIdentify) != 0) {
    const Verdict<Next> judged = judge_by_contents(packet, session, context);
    if (judged.next != Next::Egress) return judged;
  }
  if ((session.flags & kSessionTeaches) == 0) [[likely]]
    return forward_to(Next::Egress);
  return learn_and_forward(packet, session, context);
}

}  // namespace masugata::dataplane
