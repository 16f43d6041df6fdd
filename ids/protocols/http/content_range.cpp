// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/content_range.h"

#include <charconv>

#include "ids/protocols/http/content_disposition.h"

namespace masugata::ids {
namespace {

bool take_number(std::string_view& text, uint64_t& number) noexcept {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return fault == std::errc{};
}

bool take_character(std::string_view& text, char character) noexcept {
  if (!text.starts_with(character)) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<ContentRange> read_content_range(std::string_view text) noexcept {
  text = trim_blanks(text);
  if (!text.starts_with("bytes")) {
    return std::nullopt;
  }
  text = trim_blanks(text.substr(5));
  ContentRange range;
  if (!take_character(text, '*')) {
    uint64_t first = 0;
    if (!take_number(text, first) || !take_character(text, '-') || !take_number(text, range.last) ||
        range.last < first) {
      return std::nullopt;
    }
    range.first = first;
  }
  if (!take_character(text, '/')) {
    return std::nullopt;
  }
  if (text == "*") {
    return range;
  }
  uint64_t size = 0;
  if (!take_number(text, size) || !text.empty() || range.last > size) {
    return std::nullopt;
  }
  range.size = size;
  return range;
}

}  // namespace masugata::ids
