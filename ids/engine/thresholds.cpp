// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/engine/thresholds.h"

#include <algorithm>

namespace masugata::ids {
namespace {

constexpr uint64_t kSecond = 1'000'000;
// Kinds without a time of their own (backoff) are forgotten after so long without a match.
constexpr uint64_t kIdle = 3600 * kSecond;

// One more within the interval that began at since_us, or the first of a new interval.
template <class State>
void count_one(State& state, uint64_t time_us, uint64_t interval_us) {
  if (time_us - state.since_us < interval_us) {
    ++state.count;
  } else {
    state.since_us = time_us;
    state.count = 1;
  }
}

ThresholdOutcome when(bool condition, ThresholdOutcome outcome, ThresholdOutcome otherwise) {
  return condition ? outcome : otherwise;
}

}  // namespace

ThresholdAnswer ThresholdTable::judge(const CompiledRule& rule, const DetectionPlan& plan,
                                      const ThresholdQuestion& question) noexcept {
  ThresholdAnswer answer{ThresholdOutcome::Alert, rule.rule->action};
  for (const Suppression* suppression : rule.suppressions) {
    const auto index = static_cast<size_t>(suppression - plan.set.suppressions.data());
    const AddressMatcher& hosts = plan.suppressed_hosts[index];
    bool meant = true;
    switch (suppression->track) {
      case Suppression::Track::Rule:
        break;
      case Suppression::Track::Source:
        meant = hosts.contains(*question.source);
        break;
      case Suppression::Track::Destination:
        meant = hosts.contains(*question.destination);
        break;
      case Suppression::Track::Either:
        meant = hosts.contains(*question.source) || hosts.contains(*question.destination);
        break;
    }
    if (meant) {
      answer.outcome = ThresholdOutcome::Silent;
      return answer;
    }
  }
  for (size_t i = 0; i < rule.rule->thresholds.size(); ++i) {
    answer = judge_one(*rule.rule, rule.rule->thresholds[i], i, question);
    if (answer.outcome != ThresholdOutcome::Alert) {
      break;
    }
  }
  return answer;
}

ThresholdAnswer ThresholdTable::judge_one(const Rule& rule, const Threshold& threshold,
                                          size_t place,
                                          const ThresholdQuestion& question) noexcept {
  Key key;
  key.rule = uint64_t{rule.gid} << 32U | rule.sid;
  key.place = place;
  switch (threshold.track) {
    case ThresholdTrack::Source:
      key.first = *question.source;
      break;
    case ThresholdTrack::Destination:
      key.first = *question.destination;
      break;
    case ThresholdTrack::Both:
      key.first = std::min(*question.source, *question.destination);
      key.second = std::max(*question.source, *question.destination);
      break;
    case ThresholdTrack::Rule:
      break;
    case ThresholdTrack::Flow:
      key.place |= question.flow_id << 4U;
      break;
  }
  const uint64_t interval = threshold.seconds * kSecond;
  const uint64_t lifetime =
      std::max({interval, threshold.timeout_seconds * kSecond, interval == 0 ? kIdle : 0});
  const uint64_t now = question.time_us;
  State* state = states_.find(key, now);
  if (state == nullptr) {
    state = &states_.put(key, now, now + lifetime);
    state->since_us = now;
    state->next = threshold.count;
  }
  ThresholdAnswer answer{ThresholdOutcome::Alert, rule.action};
  const uint32_t limit = threshold.count;
  switch (threshold.kind) {
    case ThresholdKind::None:
      break;
    case ThresholdKind::Limit:
      count_one(*state, now, interval);
      answer.outcome =
          when(state->count <= limit, ThresholdOutcome::Alert, ThresholdOutcome::Silent);
      break;
    case ThresholdKind::Threshold:
      count_one(*state, now, interval);
      answer.outcome =
          when(state->count >= limit, ThresholdOutcome::Alert, ThresholdOutcome::Nothing);
      state->count = state->count >= limit ? 0 : state->count;
      break;
    case ThresholdKind::Both:
      count_one(*state, now, interval);
      answer.outcome =
          when(state->count == limit, ThresholdOutcome::Alert,
               when(state->count > limit, ThresholdOutcome::Silent, ThresholdOutcome::Nothing));
      break;
    case ThresholdKind::DetectionFilter:
      count_one(*state, now, interval);
      answer.outcome =
          when(state->count > limit, ThresholdOutcome::Alert, ThresholdOutcome::Nothing);
      break;
    case ThresholdKind::Rate:
      answer = count_rate(rule, threshold, *state, now);
      break;
    case ThresholdKind::Backoff:
      ++state->count;
      answer.outcome =
          when(state->count == state->next, ThresholdOutcome::Alert, ThresholdOutcome::Silent);
      if (state->count == state->next) {
        state->next *= std::max(threshold.multiplier, 2U);
      }
      states_.prolong(key, now + kIdle);
      return answer;
  }
  states_.prolong(key, std::max(state->since_us + interval, state->changed_until_us));
  return answer;
}

ThresholdAnswer ThresholdTable::count_rate(const Rule& rule, const Threshold& threshold,
                                           State& state, uint64_t time_us) noexcept {
  ThresholdAnswer answer{ThresholdOutcome::Alert, rule.action};
  if (time_us < state.changed_until_us) {
    answer.action = threshold.new_action;
    return answer;
  }
  if (state.changed_until_us != 0) {
    state.changed_until_us = 0;
    state.since_us = time_us;
    state.count = 1;
    return answer;
  }
  count_one(state, time_us, threshold.seconds * kSecond);
  if (state.count > threshold.count) {
    state.changed_until_us = time_us + threshold.timeout_seconds * kSecond;
    answer.action = threshold.new_action;
  }
  return answer;
}

}  // namespace masugata::ids
