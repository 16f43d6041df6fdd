// SPDX-License-Identifier: GPL-2.0-or-later
// What is done once all keywords of a rule are read: checks over several keywords, direction and
// protocol that the buffers imply, priority.
#pragma once

#include <string>

#include "ids/rules/keyword_outcome.h"
#include "ids/rules/rule_draft.h"

namespace masugata::ids {

// A fault names the keyword that is to blame in `keyword`.
[[nodiscard]] Outcome complete_rule(RuleDraft& draft, std::string& keyword);

}  // namespace masugata::ids
