// SPDX-License-Identifier: GPL-2.0-or-later
// The table of keywords: by name, what value each takes and which function reads it. Each subject
// (content, bytes, flow, ...) has its part in a keywords_SUBJECT.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "ids/rules/keyword_outcome.h"
#include "ids/rules/rule_draft.h"

namespace masugata::ids {

struct Keyword;

// One use of a keyword in a rule.
struct KeywordUse {
  const Keyword& keyword;
  std::string_view value;  // without the quotes around it, and of Text without the '!' before it
  bool negated = false;    // of Text and Pattern
};

using ReadKeyword = Outcome (*)(RuleDraft& draft, const KeywordUse& use);

enum class ValueForm : uint8_t {
  None,         // name;
  Optional,     // name; or name:value;
  Required,     // name:value; quotes around it are taken off
  Text,         // name:"value"; or name:!"value"; quotes are a must
  Pattern,      // name:value; with quotes and '!' as wanted
  Unsupported,  // in the language, not here: `read` is null
};

struct Keyword {
  std::string_view name;
  ReadKeyword read = nullptr;
  ValueForm form = ValueForm::None;
  uint16_t argument = 0;  // for readers that serve several keywords: a BufferId, NumberField, ...
};

// The parts of the table.
[[nodiscard]] std::span<const Keyword> meta_keywords() noexcept;
[[nodiscard]] std::span<const Keyword> content_keywords() noexcept;
[[nodiscard]] std::span<const Keyword> byte_keywords() noexcept;
[[nodiscard]] std::span<const Keyword> number_keywords() noexcept;
[[nodiscard]] std::span<const Keyword> packet_keywords() noexcept;
[[nodiscard]] std::span<const Keyword> flow_keywords() noexcept;
[[nodiscard]] std::span<const Keyword> memory_keywords() noexcept;
[[nodiscard]] std::span<const Keyword> limit_keywords() noexcept;
[[nodiscard]] std::span<const Keyword> application_keywords() noexcept;
[[nodiscard]] std::span<const Keyword> tls_keywords() noexcept;
[[nodiscard]] std::span<const Keyword> file_keywords() noexcept;
[[nodiscard]] std::span<const Keyword> transform_keywords() noexcept;
[[nodiscard]] std::span<const Keyword> list_keywords() noexcept;
[[nodiscard]] std::span<const Keyword> unsupported_keywords() noexcept;

// The whole table, buffers included, sorted by name; made on first use. Any thread.
[[nodiscard]] std::span<const Keyword> all_keywords();
// Null when the language has no such keyword. Keywords of protocols without a parser
// ("mqtt.connect.username") are found as Unsupported by the part before the first '.' or '_'.
[[nodiscard]] const Keyword* find_keyword(std::string_view name);

// Reads one option into the draft.
[[nodiscard]] Outcome read_option(RuleDraft& draft, std::string_view name, std::string_view value,
                                  bool has_value);

}  // namespace masugata::ids
