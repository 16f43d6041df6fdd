// SPDX-License-Identifier: GPL-2.0-or-later
// A rule's text into header words and options, and a file's text into rules. No meaning yet.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ids/rules/keyword_outcome.h"

namespace masugata::ids {

// One `name:value;` or `name;`. Both trimmed; the value still has its quotes, escapes and '!'.
struct RuleOption {
  std::string_view name;
  std::string_view value;
  bool has_value = false;
};

struct RuleParts {
  std::vector<std::string_view> header;  // words; [a, b] is one word
  std::vector<RuleOption> options;
};

// Splits "action proto src sport -> dst dport (options)". Views into `text`. Errors: no bracketed
// options, options without ';' at the end.
[[nodiscard]] Read<RuleParts> split_rule(std::string_view text);

// One rule as it stands in a file, lines that end in a backslash joined.
struct RuleLine {
  uint32_t number = 0;    // of its first line, from 1
  std::string_view text;  // trimmed; valid during the call only
  bool disabled = false;  // commented out ("# alert ... sid:...")
};

// Calls `on_line` for every line that is neither empty nor a mere comment.
void for_each_rule_line(std::string_view text, const std::function<void(const RuleLine&)>& on_line);

}  // namespace masugata::ids
