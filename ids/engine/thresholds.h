// SPDX-License-Identifier: GPL-2.0-or-later
// How often a rule may alert: threshold, detection_filter, rate_filter, suppress.
#pragma once

#include <cstdint>

#include "ids/engine/expiring_table.h"
#include "ids/plan/compiled_rules.h"
#include "net/address.h"

namespace masugata::ids {

// What becomes of a match.
enum class ThresholdOutcome : uint8_t {
  Alert,    // as the rule says
  Silent,   // the rule's action, but no alert
  Nothing,  // as if it had not matched
};

struct ThresholdAnswer {
  ThresholdOutcome outcome = ThresholdOutcome::Alert;
  RuleAction action = RuleAction::Alert;  // the rule's own, or that of rate_filter
};

struct ThresholdQuestion {
  const net::IpAddress* source = nullptr;  // of the packet at hand
  const net::IpAddress* destination = nullptr;
  uint64_t flow_id = 0;  // 0: outside flows
  uint64_t time_us = 0;
};

// Counts of one worker, bounded: where the table is full the state that ends first is forgotten,
// which at worst lets an alert through that would have been held back.
class ThresholdTable {
 public:
  explicit ThresholdTable(size_t buckets) : states_(buckets) {}

  [[nodiscard]] ThresholdAnswer judge(const CompiledRule& rule, const DetectionPlan& plan,
                                      const ThresholdQuestion& question) noexcept;
  [[nodiscard]] uint64_t lost() const noexcept { return states_.lost(); }

 private:
  struct Key {
    net::IpAddress first;
    net::IpAddress second;
    uint64_t rule = 0;   // gid and sid: a reload does not forget
    uint64_t place = 0;  // which of the rule's thresholds; the flow
  };
  struct State {
    uint64_t since_us = 0;
    uint64_t changed_until_us = 0;  // rate_filter: the new action holds until then
    uint64_t next = 0;              // backoff: alert again at this count
    uint32_t count = 0;
  };

  [[nodiscard]] ThresholdAnswer judge_one(const Rule& rule, const Threshold& threshold,
                                          size_t place, const ThresholdQuestion& question) noexcept;
  [[nodiscard]] static ThresholdAnswer count_rate(const Rule& rule, const Threshold& threshold,
                                                  State& state, uint64_t time_us) noexcept;
  ExpiringTable<Key, State> states_;
};

}  // namespace masugata::ids
