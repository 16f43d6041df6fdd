// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/content_disposition.h"

#include <algorithm>

namespace masugata::ids {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Where the parameter that starts at `from` ends: the next ';' outside quotes.
size_t end_of_parameter(std::string_view value, size_t from) noexcept {
  bool quoted = false;
  for (size_t i = from; i < value.size(); ++i) {
    if (quoted && value[i] == '\\') {
      ++i;
    } else if (value[i] == '"') {
      quoted = !quoted;
    } else if (value[i] == ';' && !quoted) {
      return i;
    }
  }
  return value.size();
}

std::string_view without_quotes(std::string_view text) noexcept {
  if (!text.starts_with('"')) {
    return text;
  }
  text.remove_prefix(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return text.substr(0, i);
    }
  }
  return text;
}

}  // namespace

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trim_blanks(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<std::string_view> find_parameter(std::string_view value,
                                               std::string_view name) noexcept {
  size_t at = 0;
  while (at < value.size()) {
    const size_t end = end_of_parameter(value, at);
    const std::string_view parameter = value.substr(at, end - at);
    const size_t equals = parameter.find('=');
    if (equals != std::string_view::npos &&
        equals_ignoring_case(trim_blanks(parameter.substr(0, equals)), name)) {
      return without_quotes(trim_blanks(parameter.substr(equals + 1)));
    }
    at = end + 1;
  }
  return std::nullopt;
}

std::optional<std::string_view> file_name_of(std::string_view disposition) noexcept {
  std::optional<std::string_view> name = find_parameter(disposition, "filename");
  if (!name) {
    name = find_parameter(disposition, "filename*");
    const size_t quote = name ? name->rfind('\'') : std::string_view::npos;
    if (quote != std::string_view::npos) {
      name->remove_prefix(quote + 1);
    }
  }
  return name && !name->empty() ? name : std::nullopt;
}

}  // namespace masugata::ids
