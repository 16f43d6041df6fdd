// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/rules/option_splitter.h"

#include <algorithm>
#include <array>

#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

constexpr std::array<std::string_view, 7> kActionsOfDisabledRules{
    "alert", "drop", "pass", "reject", "rejectsrc", "rejectdst", "rejectboth"};

// The first character `wanted` at or after `begin` that no backslash stands before.
size_t find_unescaped(std::string_view text, char wanted, size_t begin) noexcept {
  for (size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == wanted) {
      return i;
    }
  }
  return std::string_view::npos;
}

Read<std::vector<std::string_view>> split_header(std::string_view text) {
  std::vector<std::string_view> words;
  size_t i = 0;
  while (true) {
    i = text.find_first_not_of(" \t", i);
    if (i == std::string_view::npos) return words;
    const size_t begin = i;
    int nesting = 0;
    for (; i < text.size(); ++i) {
      const char c = text[i];
      if (c == '[') ++nesting;
      if (c == ']' && --nesting < 0) return wrong("has a ']' without '['");
      if (nesting == 0 && (c == ' ' || c == '\t')) break;
    }
    if (nesting != 0) return wrong("has a '[' without ']'");
    words.push_back(text.substr(begin, i - begin));
  }
}

Read<std::vector<RuleOption>> split_options(std::string_view text) {
  std::vector<RuleOption> options;
  options.reserve(16);
  text = trimmed(text);
  while (!text.empty()) {
    const size_t end = find_unescaped(text, ';', 0);
    if (end == std::string_view::npos) {
      return wrong("expects ';' after " + in_quotes(text));
    }
    const std::string_view option = text.substr(0, end);
    text = trimmed(text.substr(end + 1));
    const size_t colon = option.find(':');
    if (colon == std::string_view::npos) {
      options.push_back({trimmed(option), {}, false});
    } else {
      options.push_back(
          {trimmed(option.substr(0, colon)), trimmed(option.substr(colon + 1)), true});
    }
    if (options.back().name.empty()) return wrong("has a ';' or ':' without a keyword before it");
  }
  return options;
}

// Blank-separated word of an action and a sid: what people comment out, not what they write about.
bool looks_like_rule(std::string_view text) {
  const std::string_view word = take_word(text);
  return std::find(kActionsOfDisabledRules.begin(), kActionsOfDisabledRules.end(), word) !=
             kActionsOfDisabledRules.end() &&
         text.find("sid:") != std::string_view::npos && text.find('(') != std::string_view::npos;
}

void report(std::string_view line, uint32_t number,
            const std::function<void(const RuleLine&)>& on_line) {
  line = trimmed(line);
  if (line.empty()) return;
  if (!line.starts_with('#')) {
    on_line({number, line, false});
    return;
  }
  line = trimmed(line.substr(std::min(line.find_first_not_of('#'), line.size())));
  if (looks_like_rule(line)) on_line({number, line, true});
}

}  // namespace

Read<RuleParts> split_rule(std::string_view text) {
  text = trimmed(text);
  const size_t open = text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')')) {
    return wrong("expects the options between '(' and ')' at the end of the rule");
  }
  auto header = split_header(text.substr(0, open));
  if (!header) return tl::unexpected(header.error());
  auto options = split_options(text.substr(open + 1, text.size() - open - 2));
  if (!options) return tl::unexpected(options.error());
  return RuleParts{std::move(*header), std::move(*options)};
}

void for_each_rule_line(std::string_view text,
                        const std::function<void(const RuleLine&)>& on_line) {
  std::string joined;
  bool joining = false;
  uint32_t number = 0;
  uint32_t first = 0;
  while (!text.empty()) {
    ++number;
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) {
      line.remove_suffix(1);
    }
    if (!joining) first = number;
    if (line.ends_with('\\') && !text.empty()) {
      joined += line.substr(0, line.size() - 1);
      joining = true;
      continue;
    }
    if (!joining) {
      report(line, first, on_line);
      continue;
    }
    joined += line;
    report(joined, first, on_line);
    joined.clear();
    joining = false;
  }
  if (joining) report(joined, first, on_line);
}

}  // namespace masugata::ids
