// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/text/writer.h"

namespace masugata::config::text {
namespace {

bool needs_quotes(std::string_view word) {
  if (word.empty() || word.find("/*") != std::string_view::npos) return true;
  for (const char letter : word) {
    if (letter <= ' ' || letter > '~') return true;
    if (std::string_view("{}[];\"#").find(letter) != std::string_view::npos) return true;
  }
  return false;
}

void write_statement(const Statement& statement, size_t depth, std::string& text) {
  text.append(depth * 4, ' ');
  text += statement.keyword.text;
  if (statement.bracketed) text += " [";
  for (const Word& word : statement.words) {
    text += ' ';
    text += quote_where_needed(word.text);
  }
  if (statement.bracketed) text += " ]";
  if (!statement.has_block) {
    text += ";\n";
    return;
  }
  if (statement.block.empty()) {
    text += " { }\n";
    return;
  }
  text += " {\n";
  for (const Statement& inner : statement.block) write_statement(inner, depth + 1, text);
  text.append(depth * 4, ' ');
  text += "}\n";
}

}  // namespace

std::string quote_where_needed(std::string_view word) {
  if (!needs_quotes(word)) return std::string(word);
  std::string quoted = "\"";
  for (const char letter : word) {
    if (letter == '"' || letter == '\\') quoted += '\\';
    quoted += letter;
  }
  quoted += '"';
  return quoted;
}

std::string write(const std::vector<Statement>& statements) {
  std::string text;
  for (const Statement& statement : statements) write_statement(statement, 0, text);
  return text;
}

}  // namespace masugata::config::text
