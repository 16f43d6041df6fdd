// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/inspect/inspect_stage.h"

#include "dataplane/inspection/inspector.h"
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

}  // namespace

Verdict<Next> InspectStage::decide(Packet& packet, WorkerContext& context) noexcept {
  Session& session = *packet.session;
  const auto& slots = context.configuration->inspection_slots;
  const uint16_t profile = session.inspection_profile;
  const InspectionSlotIndex slot = profile < slots.size() ? slots[profile] : kNoInspectionSlot;
  if (slot == kNoInspectionSlot) return forward_to(Next::Egress);
  // A packet of this very batch may have ended the session: egress deals with it.
  if (session.ended()) [[unlikely]]
    return drop<Next>(DropReason::SessionEnded);
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

}  // namespace masugata::dataplane
