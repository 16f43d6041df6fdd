// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packets/recipe_tokens.h"

#include "tests/packets/recipe.h"

namespace masugata::test {
namespace {

bool is_space(char letter) {
  return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
}
bool is_mark(char letter) {
  return letter == '{' || letter == '}' || letter == '|' || letter == '>';
}

// `position` stands behind the backslash and is moved behind the escape.
bool append_escape(std::string_view text, size_t& position, std::string& out) {
  if (position >= text.size()) return false;
  const char letter = text[position++];
  switch (letter) {
    case 'n':
      out += '\n';
      return true;
    case 'r':
      out += '\r';
      return true;
    case 't':
      out += '\t';
      return true;
    case '"':
      out += '"';
      return true;
    case '\\':
      out += '\\';
      return true;
    case 'x': {
      const auto byte = from_hex(text.substr(position, 2));
      if (!byte || byte->size() != 1) return false;
      out += static_cast<char>(byte->front());
      position += 2;
      return true;
    }
    default:
      return false;
  }
}

// `position` stands behind the opening quote and is moved behind the closing one.
Result<std::string> read_quoted(std::string_view text, size_t& position) {
  std::string out;
  while (position < text.size()) {
    const char letter = text[position++];
    if (letter == '"') return out;
    if (letter != '\\') {
      out += letter;
    } else if (!append_escape(text, position, out)) {
      return failure("", "unknown escape in a quoted text; known are \\\" \\\\ \\n \\r \\t \\xHH");
    }
  }
  return failure("", "a quoted text has no closing quote");
}

}  // namespace

Result<std::vector<Token>> split_tokens(std::string_view text) {
  std::vector<Token> tokens;
  size_t position = 0;
  while (position < text.size()) {
    const char letter = text[position];
    if (is_space(letter)) {
      ++position;
    } else if (is_mark(letter)) {
      tokens.push_back({std::string(1, letter), false});
      ++position;
    } else if (letter == '"') {
      ++position;
      auto quoted = read_quoted(text, position);
      if (!quoted) return tl::unexpected(quoted.error());
      tokens.push_back({std::move(*quoted), true});
    } else {
      const size_t start = position;
      while (position < text.size() && !is_space(text[position]) && !is_mark(text[position]))
        ++position;
      tokens.push_back({std::string(text.substr(start, position - start)), false});
    }
  }
  return tokens;
}

}  // namespace masugata::test
