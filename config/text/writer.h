// SPDX-License-Identifier: GPL-2.0-or-later
// Generic tree -> canonical curly text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/text/statement.h"

namespace masugata::config::text {

// The canonical text: one statement per line, four blanks per level, lists in [ ], strings quoted
// only where the lexer needs it. parse() of the result gives the same tree (places aside) for
// every tree that parse() can produce.
[[nodiscard]] std::string write(const std::vector<Statement>& statements);

// `word` as it must stand in a text: bare where possible, else quoted and escaped.
[[nodiscard]] std::string quote_where_needed(std::string_view word);

}  // namespace masugata::config::text
