// SPDX-License-Identifier: GPL-2.0-or-later
// Cuts configuration text into tokens. Internal to config/text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/problem.h"
#include "config/text/statement.h"

namespace masugata::config::text {

enum class TokenKind : uint8_t {
  Word,
  QuotedString,
  OpenBrace,
  CloseBrace,
  OpenBracket,
  CloseBracket,
  Semicolon,
  End,
};

struct Token {
  TokenKind kind = TokenKind::End;
  Word word;  // the text for Word and QuotedString, the place for every kind
};

inline constexpr size_t kMaximumTokenBytes = 4096;

// Reports bad bytes and broken strings to `problems` and goes on behind them; a string with bytes
// that are not text is empty from there on, so that nobody behind the lexer meets a zero byte.
class Lexer {
 public:
  // `source` must live in `document` already.
  Lexer(std::string_view source, Document& document, ProblemList& problems)
      : source_(source), document_(document), problems_(problems) {}

  // The next token; End for ever once the text is used up.
  Token next();

 private:
  [[nodiscard]] bool at_end() const { return offset_ >= source_.size(); }
  [[nodiscard]] char peek(size_t ahead = 0) const {
    return offset_ + ahead < source_.size() ? source_[offset_ + ahead] : '\0';
  }
  void advance();
  void skip_blanks_and_comments();
  void skip_block_comment();
  Token read_word();
  Token read_quoted_string();
  void report(Position position, std::string what, std::string accepted = {});

  std::string_view source_;
  Document& document_;
  ProblemList& problems_;
  size_t offset_ = 0;
  Position position_{1, 1};
};

}  // namespace masugata::config::text
