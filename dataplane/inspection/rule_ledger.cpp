// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/inspection/rule_ledger.h"

namespace masugata::dataplane {
namespace {

RuleCounts sum_of(const std::vector<const PlanCosts*>& live) {
  RuleCounts sum;
  for (const PlanCosts* costs : live) costs->add_to(sum);
  return sum;
}

}  // namespace

RuleCounts& RuleLedger::kept_of(size_t slot) {
  if (slot >= kept_.size()) kept_.resize(slot + 1);
  return kept_[slot];
}

void RuleLedger::keep(size_t slot, const PlanCosts& costs) { costs.add_to(kept_of(slot)); }

RuleCounts RuleLedger::counts(size_t slot, const std::vector<const PlanCosts*>& live) const {
  RuleCounts counts;
  if (slot < kept_.size()) counts = kept_[slot];
  for (const PlanCosts* costs : live) costs->add_to(counts);
  return counts;
}

void RuleLedger::clear_hits(size_t slot, const std::vector<const PlanCosts*>& live) {
  RuleCounts& kept = kept_of(slot);
  for (auto& [sid, count] : kept) count.matches = count.alerts = count.last_match_us = 0;
  for (const auto& [sid, count] : sum_of(live)) {
    kept[sid].matches = uint64_t{0} - count.matches;
    kept[sid].alerts = uint64_t{0} - count.alerts;
  }
}

void RuleLedger::clear_costs(size_t slot, const std::vector<const PlanCosts*>& live) {
  RuleCounts& kept = kept_of(slot);
  for (auto& [sid, count] : kept) count.checks = count.checks_matched = count.cycles = 0;
  for (const auto& [sid, count] : sum_of(live)) {
    kept[sid].checks = uint64_t{0} - count.checks;
    kept[sid].checks_matched = uint64_t{0} - count.checks_matched;
    kept[sid].cycles = uint64_t{0} - count.cycles;
  }
}

}  // namespace masugata::dataplane
