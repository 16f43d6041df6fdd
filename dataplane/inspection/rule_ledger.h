// SPDX-License-Identifier: GPL-2.0-or-later
// What rules have found and cost beyond the life of a plan: a rule that is loaded again goes on
// counting, by its sid.
#pragma once

#include <vector>

#include "dataplane/inspection/rule_costs.h"

namespace masugata::dataplane {

// Control thread. `live` are the costs of a slot that workers may still write; what keep() was told
// is not among them. Holds an entry for each sid that ever counted.
class RuleLedger {
 public:
  // No worker writes `costs` any more.
  void keep(size_t slot, const PlanCosts& costs);

  [[nodiscard]] RuleCounts counts(size_t slot, const std::vector<const PlanCosts*>& live) const;

  // From now on matches and alerts count from zero.
  void clear_hits(size_t slot, const std::vector<const PlanCosts*>& live);
  // The same for what is counted while profiling.
  void clear_costs(size_t slot, const std::vector<const PlanCosts*>& live);

 private:
  [[nodiscard]] RuleCounts& kept_of(size_t slot);

  // By slot: what is to be added to the workers' counters. Those never go back, so after a clear
  // this is "minus what they say now", modulo 2^64.
  std::vector<RuleCounts> kept_;
};

}  // namespace masugata::dataplane
