// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/inspection/rule_costs.h"

#include <algorithm>
#include <utility>

namespace masugata::dataplane {

PlanCosts::PlanCosts(std::shared_ptr<const ids::DetectionPlan> plan, size_t workers)
    : plan_(std::move(plan)) {
  costs_.reserve(workers);
  for (size_t worker = 0; worker < workers; ++worker) {
    costs_.emplace_back(ids::number_of_rules(*plan_));
  }
}

void PlanCosts::add_to(RuleCounts& counts) const {
  for (const std::vector<ids::RuleCost>& costs : costs_) {
    for (size_t number = 0; number < costs.size(); ++number) {
      const ids::RuleCost& cost = costs[number];
      if (cost.matches.get() == 0 && cost.checks.get() == 0) continue;
      RuleCount& count = counts[ids::rule_of(*plan_, number).sid];
      count.matches += cost.matches.get();
      count.alerts += cost.alerts.get();
      count.last_match_us = std::max(count.last_match_us, cost.last_match_us.get());
      count.checks += cost.checks.get();
      count.checks_matched += cost.checks_matched.get();
      count.cycles += cost.cycles.get();
    }
  }
}

}  // namespace masugata::dataplane
