// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/mime/header_field.h"

#include <array>

#include "ids/protocols/mime/line_reader.h"

namespace masugata::ids::mime {
namespace {

constexpr size_t kMaximumAddresses = 256;
constexpr size_t kMaximumPieces = 16;  // of one parameter

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

// Takes `name=value` from the front of `rest`, which stands behind a semicolon.
struct Parameter {
  std::string_view name;
  std::string value;
};
Parameter take_parameter(std::string_view& rest) {
  Parameter parameter;
  const size_t end_of_name = rest.find_first_of("=;");
  parameter.name = trim(rest.substr(0, end_of_name));
  if (end_of_name == std::string_view::npos || rest[end_of_name] == ';') {
    rest.remove_prefix(end_of_name == std::string_view::npos ? rest.size() : end_of_name + 1);
    return parameter;
  }
  rest.remove_prefix(end_of_name + 1);
  while (!rest.empty() && is_blank(rest.front())) {
    rest.remove_prefix(1);
  }
  if (!rest.empty() && rest.front() == '"') {
    rest.remove_prefix(1);
    while (!rest.empty() && rest.front() != '"') {
      if (rest.front() == '\\' && rest.size() > 1 && (rest[1] == '"' || rest[1] == '\\')) {
        rest.remove_prefix(1);
      }
      parameter.value.push_back(rest.front());
      rest.remove_prefix(1);
    }
    const size_t next = rest.find(';');
    rest.remove_prefix(next == std::string_view::npos ? rest.size() : next + 1);
    return parameter;
  }
  const size_t next = rest.find(';');
  parameter.value = trim(rest.substr(0, next));
  rest.remove_prefix(next == std::string_view::npos ? rest.size() : next + 1);
  return parameter;
}

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// RFC 2231: charset'language'percent-encoded; the first piece alone has the two quotes.
std::string decode_extended(std::string_view text, bool first) {
  if (first) {
    const size_t one = text.find('\'');
    const size_t two = one == std::string_view::npos ? one : text.find('\'', one + 1);
    if (two != std::string_view::npos) {
      text.remove_prefix(two + 1);
    }
  }
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low >= 0) {
      result.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      result.push_back(text[i]);
    }
  }
  return result;
}

// The number in "*12" or "*12*"; nullopt for anything else.
std::optional<size_t> piece_number(std::string_view suffix) noexcept {
  if (!suffix.empty() && suffix.back() == '*') {
    suffix.remove_suffix(1);
  }
  if (suffix.size() < 2 || suffix.size() > 3 || suffix[0] != '*') {
    return std::nullopt;
  }
  size_t number = 0;
  for (const char c : suffix.substr(1)) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    number = number * 10 + static_cast<size_t>(c - '0');
  }
  return number;
}

}  // namespace

std::optional<SplitField> split_field(std::string_view line) noexcept {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  const SplitField field{trim(line.substr(0, colon)), trim(line.substr(colon + 1))};
  if (field.name.empty()) {
    return std::nullopt;
  }
  return field;
}

std::string media_type(std::string_view value) {
  std::string type;
  for (const char c : trim(value.substr(0, value.find(';')))) {
    if (is_blank(c) || c == '(') {
      break;
    }
    type.push_back(to_lower(c));
  }
  return type;
}

std::optional<std::string> find_parameter(std::string_view value, std::string_view name) {
  const size_t first = value.find(';');
  if (first == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view rest = value.substr(first + 1);
  std::array<std::string, kMaximumPieces> pieces;
  bool in_pieces = false;
  std::optional<std::string> extended;
  while (!rest.empty()) {
    Parameter parameter = take_parameter(rest);
    if (equals(parameter.name, name)) {
      return std::move(parameter.value);
    }
    if (!begins_with(parameter.name, name) || parameter.name[name.size()] != '*') {
      continue;
    }
    const std::string_view suffix = parameter.name.substr(name.size());
    if (suffix == "*") {
      extended = decode_extended(parameter.value, true);
    } else if (const auto number = piece_number(suffix); number && *number < kMaximumPieces) {
      in_pieces = true;
      pieces[*number] = suffix.back() == '*' ? decode_extended(parameter.value, *number == 0)
                                             : std::move(parameter.value);
    }
  }
  if (extended || !in_pieces) {
    return extended;
  }
  std::string joined;
  for (const std::string& piece : pieces) {
    joined += piece;
  }
  return joined;
}

std::vector<std::string> split_addresses(std::string_view value) {
  std::vector<std::string> addresses;
  bool quoted = false;
  bool bracketed = false;
  size_t start = 0;
  for (size_t i = 0; i <= value.size() && addresses.size() < kMaximumAddresses; ++i) {
    const bool at_end = i == value.size();
    const char c = at_end ? ',' : value[i];
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '<' || c == '>')) {
      bracketed = c == '<';
    }
    if (at_end || (c == ',' && !quoted && !bracketed)) {
      const std::string_view address = trim(value.substr(start, i - start));
      if (!address.empty()) {
        addresses.emplace_back(address);
      }
      start = i + 1;
    }
  }
  return addresses;
}

}  // namespace masugata::ids::mime
