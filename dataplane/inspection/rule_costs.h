// SPDX-License-Identifier: GPL-2.0-or-later
// Where workers count what the rules of one plan find and cost.
//
// Engines change their plan on their own threads, and what they count goes with the plan. So that
// the control thread may read it at any moment, it does not lie in the engines but here, beside the
// plan in the InspectionSlot: made before the set is published, freed with the last set that names
// it, and a set lives until every worker has adopted a later one. Only the control thread makes,
// copies and frees sets; workers merely follow pointers.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "ids/engine/engine_counters.h"
#include "ids/plan/detection_plan.h"

namespace masugata::dataplane {

// Of one rule, over all workers.
struct RuleCount {
  uint64_t matches = 0;
  uint64_t alerts = 0;
  uint64_t last_match_us = 0;  // since 1970; 0 = never
  uint64_t checks = 0;
  uint64_t checks_matched = 0;
  uint64_t cycles = 0;
};
using RuleCounts = std::unordered_map<uint32_t, RuleCount>;  // by sid; rules without are left out

class PlanCosts {
 public:
  PlanCosts(std::shared_ptr<const ids::DetectionPlan> plan, size_t workers);

  // Written by that worker alone.
  [[nodiscard]] std::span<ids::RuleCost> of_worker(size_t worker) noexcept {
    return worker < costs_.size() ? std::span<ids::RuleCost>(costs_[worker])
                                  : std::span<ids::RuleCost>();
  }
  // Any thread, while workers count: each figure whole, not all of one moment.
  void add_to(RuleCounts& counts) const;

 private:
  std::shared_ptr<const ids::DetectionPlan> plan_;
  std::vector<std::vector<ids::RuleCost>> costs_;  // by worker, rule number
};

}  // namespace masugata::dataplane
