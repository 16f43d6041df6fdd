// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/engine/engine_core.h"

namespace masugata::ids {
namespace {

VerdictAction verdict_of(RuleAction action) {
  switch (action) {
    case RuleAction::Drop:
      return VerdictAction::Drop;
    case RuleAction::RejectSource:
      return VerdictAction::RejectSource;
    case RuleAction::RejectDestination:
      return VerdictAction::RejectDestination;
    case RuleAction::RejectBoth:
      return VerdictAction::RejectBoth;
    case RuleAction::Alert:
    case RuleAction::Pass:
      break;
  }
  return VerdictAction::Accept;
}

}  // namespace

void EngineCore::add_match(const RuleMatch& match) noexcept {
  counters.verified.add(1);
  costs[match.rule->number].matches.add(1);
  if (!queue_.add(match)) {
    counters.matches_lost.add(1);
  }
}

InspectionVerdict EngineCore::reach_verdict(Call& call) noexcept {
  InspectionVerdict verdict;
  uint32_t alerts[2] = {};
  for (const RuleMatch& match : queue_.sorted()) {
    const Rule& rule = *match.rule->rule;
    costs[match.rule->number].last_match_us.set(call.packet.time_us);
    const bool same = match.direction == call.packet.direction;
    const ThresholdQuestion question{same ? &call.packet.key.source : &call.packet.key.destination,
                                     same ? &call.packet.key.destination : &call.packet.key.source,
                                     call.flow != nullptr ? call.flow->facts.flow_id : 0,
                                     call.packet.time_us};
    const ThresholdAnswer answer = thresholds_.judge(*match.rule, *plan_, question);
    if (answer.outcome != ThresholdOutcome::Alert) {
      counters.alerts_suppressed.add(1);
    }
    if (answer.outcome == ThresholdOutcome::Nothing) {
      continue;
    }
    apply_action(match, answer.action, call, verdict);
    if (rule.bypass && call.flow != nullptr && call.flow->fate == FlowInspection::Fate::Inspect) {
      call.flow->fate = FlowInspection::Fate::Pass;
      call.flow->fate_sid = rule.sid;
    }
    if (answer.action == RuleAction::Pass) {
      break;  // what stands after a pass rule is passed, too
    }
    if (answer.outcome == ThresholdOutcome::Alert && !rule.no_alert) {
      // Where nothing is dropped, what streams say is judged apart from the packet that completed
      // it: it would come with another one.
      const bool apart = !limits_.inline_mode && (match.by_stream || match.transaction != nullptr);
      if (alerts[apart ? 1 : 0] < limits_.alerts_per_packet) {
        ++alerts[apart ? 1 : 0];
        report_alert(match, answer.action, call);
      } else {
        counters.alerts_discarded.add(1);
      }
    }
  }
  return verdict;
}

void EngineCore::apply_action(const RuleMatch& match, RuleAction action, Call& call,
                              InspectionVerdict& verdict) noexcept {
  const Rule& rule = *match.rule->rule;
  // Bytes that come before the handshake is complete say nothing of the connection: most receivers
  // throw them away. Without a handshake there is nothing to wait for.
  const bool in_stream = match.by_stream && call.flow != nullptr &&
                         (call.state.established || call.flow->facts.midstream);
  const bool whole_flow =
      call.flow != nullptr &&
      (match.rule->kind == RuleKind::Stream ? in_stream : match.rule->flow_action);
  if (action == RuleAction::Pass) {
    if (verdict.action != VerdictAction::Accept) {
      return;  // another order of actions: what has been dropped stays so
    }
    verdict.passed = true;
    verdict.sid = rule.sid;
    verdict.whole_flow = whole_flow;
    if (whole_flow) {
      call.flow->fate = FlowInspection::Fate::Pass;
      call.flow->fate_sid = rule.sid;
    }
    return;
  }
  const VerdictAction wanted = verdict_of(action);
  if (wanted == VerdictAction::Accept || !limits_.inline_mode) {
    return;
  }
  const bool first = verdict.action == VerdictAction::Accept;
  if (first) {
    verdict.action = wanted;
    verdict.sid = rule.sid;
    verdict.reason = "rules";
    counters.drops.add(1);
    if (call.is_packet) {
      sink_.drop(call.packet, call.flow != nullptr ? &call.flow->event : nullptr, &rule, "rules");
    }
  } else if (verdict.action == VerdictAction::Drop) {
    // A reject says more than a drop.
    verdict.action = wanted;
  }
  if (whole_flow && call.flow->fate != FlowInspection::Fate::Drop) {
    call.flow->fate = FlowInspection::Fate::Drop;
    call.flow->fate_action = wanted;
    call.flow->fate_sid = rule.sid;
  }
  verdict.whole_flow = verdict.whole_flow || whole_flow;
}

void EngineCore::report_alert(const RuleMatch& match, RuleAction action, Call& call) noexcept {
  counters.alerts.add(1);
  costs[match.rule->number].alerts.add(1);
  AlertEvent event;
  event.rule = match.rule->rule;
  event.action = action;
  event.fate = limits_.inline_mode && verdict_of(action) != VerdictAction::Accept
                   ? AlertFate::Blocked
                   : AlertFate::Allowed;
  event.packet = &call.packet;
  event.transaction = match.transaction;
  if (call.flow != nullptr) {
    call.flow->event.alerted = true;
    event.flow = &call.flow->event;
    event.stream = call.flow->windows[index_of(match.direction)].bytes();
  }
  sink_.alert(event);
  if (event.rule->tagged) {
    begin_tag(*event.rule, call);
  }
}

void EngineCore::begin_tag(const Rule& rule, Call& call) noexcept {
  const Tag tag = tag_of(rule, call.packet.time_us);
  switch (rule.tag_scope) {
    case Rule::TagScope::Session:
      // A tag that runs is not begun again: an alert at each packet would log for ever.
      if (call.flow != nullptr && call.flow->tag.packets_left == 0) {
        call.flow->tag = tag;
      }
      break;
    case Rule::TagScope::HostSource:
      host_tags_.begin(call.packet.key.source, tag, call.packet.time_us);
      break;
    case Rule::TagScope::HostDestination:
      host_tags_.begin(call.packet.key.destination, tag, call.packet.time_us);
      break;
  }
}

// Of a flow whose fate is known, without looking at the packet.
InspectionVerdict EngineCore::fate_of(Call& call) noexcept {
  InspectionVerdict verdict;
  verdict.whole_flow = true;
  verdict.sid = call.flow->fate_sid;
  if (call.flow->fate == FlowInspection::Fate::Pass) {
    verdict.passed = true;
    return verdict;
  }
  verdict.action = VerdictAction::Drop;
  verdict.reason = "flow drop";
  counters.drops.add(1);
  if (call.is_packet) {
    sink_.drop(call.packet, &call.flow->event, nullptr, "flow drop");
  }
  return verdict;
}

// Instead of judging by rules: what nobody could read is not looked at.
InspectionVerdict EngineCore::verdict_on_failure(Call& call) noexcept {
  InspectionVerdict verdict;
  verdict.reason = "parser";
  const ParserFailure policy = limits_.parser_failure;
  verdict.whole_flow = policy != ParserFailure::PassPacket && policy != ParserFailure::DropPacket;
  if (policy == ParserFailure::PassPacket || policy == ParserFailure::PassFlow) {
    verdict.passed = true;
    if (verdict.whole_flow) {
      call.flow->fate = FlowInspection::Fate::Pass;
      call.flow->fate_sid = 0;
    }
    return verdict;
  }
  if (!limits_.inline_mode) {
    return judge_by_rules(call);
  }
  verdict.action =
      policy == ParserFailure::Reject ? VerdictAction::RejectBoth : VerdictAction::Drop;
  if (verdict.whole_flow) {
    call.flow->fate = FlowInspection::Fate::Drop;
    call.flow->fate_action = VerdictAction::Drop;
    call.flow->fate_sid = 0;
  }
  counters.drops.add(1);
  sink_.drop(call.packet, &call.flow->event, nullptr, "parser");
  return verdict;
}

}  // namespace masugata::ids
