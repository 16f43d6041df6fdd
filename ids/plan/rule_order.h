// SPDX-License-Identifier: GPL-2.0-or-later
// The order in which rules are judged.
#pragma once

#include <cstddef>
#include <vector>

#include "ids/plan/detection_plan.h"
#include "ids/rules/rule_set.h"

namespace masugata::ids {

// Indexes into `set.rules`: by action as `actions` has them; within each, rules that set flow bits
// (then flow integers, captured variables, host bits) before those that set and ask, before those
// that only ask, before all others; then by priority; then by sid. Rules that set and ask are
// ordered so that a bit is set before it is asked for, as far as they do not depend on each other
// in a circle.
[[nodiscard]] std::vector<size_t> order_of_judgement(const RuleSet& set,
                                                     const ActionOrder& actions = kUsualOrder);

}  // namespace masugata::ids
