// SPDX-License-Identifier: GPL-2.0-or-later
// The part of a rule before '(': action, protocol with hook, groups, direction.
#pragma once

#include <string_view>
#include <vector>

#include "ids/rules/keyword_outcome.h"
#include "ids/rules/rule_draft.h"

namespace masugata::ids {

// `words` as split_rule() gives them.
[[nodiscard]] Outcome read_header(RuleDraft& draft, const std::vector<std::string_view>& words);

}  // namespace masugata::ids
