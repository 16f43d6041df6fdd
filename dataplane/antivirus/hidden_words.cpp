// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/hidden_words.h"

#include <algorithm>

namespace masugata::dataplane {
namespace {

constexpr uint8_t kLetter = 'x';

std::string_view text_of(std::span<const uint8_t> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool begins_with(std::string_view text, std::string_view lower) noexcept {
  if (text.size() < lower.size()) return false;
  return std::equal(lower.begin(), lower.end(), text.begin(), [](char wanted, char c) {
    return (c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c) == wanted;
  });
}

bool ends_word(std::string_view text, size_t at) noexcept {
  return at >= text.size() || text[at] == ' ' || text[at] == '\t' || text[at] == '\r' ||
         text[at] == '\n';
}

}  // namespace

bool hide_range(std::span<uint8_t> payload, std::string_view location) noexcept {
  const std::string_view text = text_of(payload);
  const size_t first_line = std::min(text.find('\n'), text.size());
  if (location.empty() || text.substr(0, first_line).find(location) == std::string_view::npos) {
    return false;
  }
  bool hidden = false;
  size_t line = first_line + 1;
  while (line < text.size()) {
    const std::string_view rest = text.substr(line);
    if (rest[0] == '\r' || rest[0] == '\n') break;
    // Blanks before the colon are none of HTTP's, but some servers read them.
    if (begins_with(rest, "range") &&
        rest.find_first_not_of(" \t", 5) == std::min(rest.find(':'), rest.size())) {
      payload[line] = kLetter;
      hidden = true;
    }
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;
    line += end + 1;
  }
  return hidden;
}

bool hide_command(std::span<uint8_t> payload, std::string_view command) noexcept {
  std::string_view text = text_of(payload);
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.remove_suffix(1);
  const size_t line_end = text.rfind('\n');
  size_t line = line_end == std::string_view::npos ? 0 : line_end + 1;
  while (line < text.size() && (text[line] == ' ' || text[line] == '\t')) ++line;
  // The first word, then the second.
  for (int word = 0; word < 2 && line < text.size(); ++word) {
    if (begins_with(text.substr(line), command) && ends_word(text, line + command.size())) {
      payload[line] = kLetter;
      return true;
    }
    const size_t blank = text.find(' ', line);
    if (blank == std::string_view::npos) return false;
    line = text.find_first_not_of(' ', blank);
  }
  return false;
}

}  // namespace masugata::dataplane
