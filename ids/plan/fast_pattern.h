// SPDX-License-Identifier: GPL-2.0-or-later
// The one literal of a rule that is searched for in traffic; the rest is looked at where it is
// found.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "ids/plan/compiled_rules.h"
#include "ids/rules/rule.h"

namespace masugata::ids {

struct FastPattern {
  size_t buffer = 0;  // index into Rule::buffers
  std::string_view bytes;
  bool caseless = false;
  uint32_t last_end = PatternGroup::kAnywhere;  // where it must end at the latest, see PatternGroup
};

// What `fast_pattern` marks, else the best content that must be there: of a buffer rather than of
// the payload, longer and with more distinct bytes rather than common ones. nullopt when the rule
// has no such content. The text belongs to the rule.
[[nodiscard]] std::optional<FastPattern> choose_fast_pattern(const Rule& rule);

}  // namespace masugata::ids
