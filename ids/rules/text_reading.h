// SPDX-License-Identifier: GPL-2.0-or-later
// Small readers of text that all keywords share. Views point into the text given. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ids/rules/keyword_outcome.h"
#include "ids/rules/payload_match.h"

namespace masugata::ids {

// Without blanks, tabs and line ends at both sides.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;
[[nodiscard]] std::string lowercase(std::string_view text);
[[nodiscard]] bool same_ignoring_case(std::string_view left, std::string_view right) noexcept;
// "'text'" shortened to 60 bytes, control characters as '?': for messages.
[[nodiscard]] std::string in_quotes(std::string_view text);

// Trimmed pieces between `separator`; "" gives one empty piece.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
// Trimmed words between blanks and tabs; "" gives none.
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view text);
// Takes the next word off the front of `text`; empty at the end.
[[nodiscard]] std::string_view take_word(std::string_view& text) noexcept;
// The text inside a pair of double quotes around all of it, else the text itself.
[[nodiscard]] std::string_view unquoted(std::string_view text) noexcept;

// All of `text` as a decimal or 0x number within the bounds; nullopt otherwise.
[[nodiscard]] std::optional<uint64_t> parse_unsigned(std::string_view text,
                                                     uint64_t maximum = UINT64_MAX) noexcept;
[[nodiscard]] std::optional<int64_t> parse_signed(std::string_view text, int64_t minimum,
                                                  int64_t maximum) noexcept;
// A number, with "kb", "kib", "mb", "mib", "gb" or "gib" behind it if wanted, in any case.
[[nodiscard]] std::optional<uint64_t> parse_size(std::string_view text) noexcept;
// As parse_unsigned, with the sentence for the person who wrote the rule.
[[nodiscard]] Read<uint64_t> read_number(std::string_view text, uint64_t maximum);

// "5", "=5", "!5", "!=5", ">5", "<5", ">=5", "<=5", "5-9", "5<>9" (both exclusive), "!5-9",
// "&0xc0=0x80", "&0xc0!=0".
struct NumberRange {
  Comparison comparison = Comparison::Equal;
  uint64_t low = 0;   // the mask of Masked and NotMasked
  uint64_t high = 0;  // of Between and Outside, and the bits of Masked and NotMasked
};
using ReadOneNumber = std::optional<uint64_t> (*)(std::string_view text);
// `read_one` reads one number; by default parse_size. Numbers above `maximum` are refused, and so
// are bits outside the mask, which could never be.
[[nodiscard]] Read<NumberRange> read_number_range(std::string_view text, uint64_t maximum,
                                                  ReadOneNumber read_one = nullptr);
// ">", "<", "=", "==", "!", "!=", ">=", "<="; nullopt for anything else.
[[nodiscard]] std::optional<Comparison> find_comparison(std::string_view text) noexcept;

// Bytes of a content: "\"" "\;" "\:" "\\" and |41 42| resolved.
[[nodiscard]] Read<std::string> read_content_bytes(std::string_view text);
// Pairs of hexadecimal digits, blanks and colons between them allowed; nullopt otherwise.
[[nodiscard]] std::optional<std::string> parse_hex_bytes(std::string_view text);

}  // namespace masugata::ids
