// SPDX-License-Identifier: GPL-2.0-or-later
// The little of a rule that tells most packets apart from those that it is about: asked before
// anything else of the rule is touched.
#pragma once

#include <cstdint>

#include "ids/plan/compiled_rules.h"

namespace masugata::ids {

// Closed only where the rule could not match. Address and application conditions other than these
// are the rule's own to judge.
[[nodiscard]] RuleGate gate_of(const CompiledRule& compiled, const RuleSet& set);

// Takes transports away that a condition on the IP protocol excludes.
void narrow_transports(CompiledRule& compiled) noexcept;

}  // namespace masugata::ids
