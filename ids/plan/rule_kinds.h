// SPDX-License-Identifier: GPL-2.0-or-later
// Where a rule belongs: what it asks for decides when it is looked at.
#pragma once

#include <cstdint>
#include <vector>

#include "ids/plan/compiled_rules.h"
#include "ids/rules/rule.h"

namespace masugata::ids {

// Fills kind, transports, on_packet, flow_action and one_transport of `compiled` from its rule.
void classify(CompiledRule& compiled, const RuleSet& set);

// Splits the rule's conditions into checks (cheap ones first) and effects.
void sort_conditions(CompiledRule& compiled);

// The application protocols whose transactions the rule is looked at in; empty when none has a
// parser or the rule is not of that kind.
[[nodiscard]] std::vector<ApplicationProtocol> protocols_of(const CompiledRule& compiled);

// The directions in which the rule is looked at, as bits by index_of(Direction).
[[nodiscard]] uint8_t directions_of(const CompiledRule& compiled);

}  // namespace masugata::ids
