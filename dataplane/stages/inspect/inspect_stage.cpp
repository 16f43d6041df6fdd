// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/inspect/inspect_stage.h"

#include "dataplane/applications/application_identifier.h"
#include "dataplane/inspection/inspector.h"
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

Verdict<Next> judge_by_rules(Packet& packet, Session& session, WorkerContext& context) noexcept {
  const auto& slots = context.configuration->inspection_slots;
  const uint16_t profile = session.inspection_profile;
  const InspectionSlotIndex slot = profile < slots.size() ? slots[profile] : kNoInspectionSlot;
  if (slot == kNoInspectionSlot) return forward_to(Next::Egress);
  const InspectionOutcome outcome =
      packet.has(kPacketIsIcmpError)
          ? context.inspector->inspect_alone(packet, slot, context.now_us)
          : context.inspector->inspect(packet, session, *context.sessions, slot, context.now_us);
  if (outcome.payload_changed) packet.set(kPacketChecksumPending);
  if (outcome.reason == DropReason::None) [[likely]]
    return forward_to(Next::Egress);
  if (outcome.tell_sender || outcome.tell_receiver) answer(packet, outcome, context);
  return drop<Next>(outcome.reason);
}

Verdict<Next> judge_by_contents(Packet& packet, Session& session, WorkerContext& context) noexcept {
  const uint32_t index = context.sessions->index_in_table(session);
  if (!context.applications->look(packet, session, index, context.now_ms)) {
    return forward_to(Next::Egress);
  }
  bool reject = false;
  const DropReason reason = readmit_by_contents(packet, session, context, reject);
  if (reason == DropReason::None) [[likely]]
    return forward_to(Next::Egress);
  if (reject) {
    InspectionOutcome both;
    both.tell_sender = true;
    both.tell_receiver = true;
    answer(packet, both, context);
  }
  return drop<Next>(reason);
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
  const bool wanted = (session.flags & kSessionIdentify) != 0 && !packet.has(kPacketIsIcmpError);
  return wanted ? judge_by_contents(packet, session, context) : forward_to(Next::Egress);
}

}  // namespace masugata::dataplane
