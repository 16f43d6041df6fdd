// SPDX-License-Identifier: GPL-2.0-or-later
// The words of recipes and scenarios.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "result/result.h"

namespace masugata::test {

// One of: a word, a quoted text (`quoted`, escapes resolved), or one of the marks { } | >.
struct Token {
  std::string text;
  bool quoted = false;

  [[nodiscard]] bool is(std::string_view word) const { return !quoted && text == word; }
};

// Splits at white space; marks stand alone; "..." knows \" \\ \n \r \t and \xHH.
// Fault: a text without its closing quote, an unknown escape.
[[nodiscard]] Result<std::vector<Token>> split_tokens(std::string_view text);

}  // namespace masugata::test
