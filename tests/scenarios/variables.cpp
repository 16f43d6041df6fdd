// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/scenarios/variables.h"

#include <cctype>
#include <charconv>
#include <cstdint>
#include <optional>

namespace masugata::test {
namespace {

std::optional<uint32_t> number_of(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

bool is_name_letter(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
}

size_t digits_at(std::string_view text, size_t position) {
  size_t end = position;
  while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
  return end - position;
}

}  // namespace

std::string substitute(std::string_view text, const Variables& variables) {
  std::string out;
  size_t position = 0;
  while (position < text.size()) {
    if (text[position] != '$') {
      out += text[position++];
      continue;
    }
    size_t end = position + 1;
    while (end < text.size() && is_name_letter(text[end])) ++end;
    const auto found = variables.find(std::string(text.substr(position + 1, end - position - 1)));
    if (found == variables.end()) {
      out += text.substr(position, end - position);
      position = end;
      continue;
    }
    const bool signed_offset = end < text.size() && (text[end] == '+' || text[end] == '-');
    const size_t digits = signed_offset ? digits_at(text, end + 1) : 0;
    const auto number = number_of(found->second);
    if (digits > 0 && number) {
      const uint32_t offset = number_of(text.substr(end + 1, digits)).value_or(0);
      out += std::to_string(text[end] == '+' ? *number + offset : *number - offset);
      end += 1 + digits;
    } else {
      out += found->second;
    }
    position = end;
  }
  return out;
}

}  // namespace masugata::test
