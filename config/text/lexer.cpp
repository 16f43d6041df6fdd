// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/text/lexer.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace masugata::config::text {
namespace {

bool is_blank(char letter) {
  return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
}

// What may stand in a word that is not quoted: every printable ASCII byte without a meaning of
// its own.
bool is_word_byte(char letter) {
  if (letter <= ' ' || letter > '~') return false;
  return std::string_view("{}[];\"#").find(letter) == std::string_view::npos;
}

TokenKind punctuation(char letter) {
  switch (letter) {
    case '{':
      return TokenKind::OpenBrace;
    case '}':
      return TokenKind::CloseBrace;
    case '[':
      return TokenKind::OpenBracket;
    case ']':
      return TokenKind::CloseBracket;
    case ';':
      return TokenKind::Semicolon;
    default:
      return TokenKind::End;
  }
}

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) {
  size_t index = 0;
  while (index < text.size()) {
    const auto lead = static_cast<unsigned char>(text[index++]);
    if (lead < 0x80) continue;
    const size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || text.size() - index < more) return false;
    const auto second = static_cast<unsigned char>(text[index]);
    const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    const bool beyond = (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f);
    if (overlong || beyond) return false;
    for (size_t count = 0; count < more; ++count) {
      if ((static_cast<unsigned char>(text[index++]) & 0xc0U) != 0x80U) return false;
    }
  }
  return true;
}

}  // namespace

void Lexer::advance() {
  if (source_[offset_] == '\n') {
    ++position_.line;
    position_.column = 1;
  } else {
    ++position_.column;
  }
  ++offset_;
}

void Lexer::report(Position position, std::string what, std::string accepted) {
  problems_.add({Problem::Severity::Error,
                 position.line,
                 position.column,
                 {},
                 std::move(what),
                 std::move(accepted)});
}

void Lexer::skip_block_comment() {
  const Position begin = position_;
  advance();
  advance();
  while (!at_end()) {
    if (peek() == '*' && peek(1) == '/') {
      advance();
      advance();
      return;
    }
    advance();
  }
  report(begin, "the comment is never closed", "*/");
}

void Lexer::skip_blanks_and_comments() {
  while (!at_end()) {
    if (is_blank(peek())) {
      advance();
    } else if (peek() == '#') {
      while (!at_end() && peek() != '\n') advance();
    } else if (peek() == '/' && peek(1) == '*') {
      skip_block_comment();
    } else {
      return;
    }
  }
}

Token Lexer::read_word() {
  const Position begin = position_;
  const size_t first = offset_;
  // A comment may follow a word without a blank.
  while (!at_end() && is_word_byte(peek()) && !(peek() == '/' && peek(1) == '*')) advance();
  const std::string_view word = source_.substr(first, offset_ - first);
  if (word.size() > kMaximumTokenBytes) {
    report(begin, fmt::format("a word of {} bytes", word.size()),
           fmt::format("at most {} bytes", kMaximumTokenBytes));
    return {TokenKind::Word, {word.substr(0, 64), begin}};
  }
  return {TokenKind::Word, {word, begin}};
}

Token Lexer::read_quoted_string() {
  const Position begin = position_;
  advance();
  SecretBytes text;
  bool closed = false;
  bool clean = true;
  while (!at_end() && peek() != '\n' && !closed) {
    char letter = peek();
    if (letter == '\\' && (peek(1) == '"' || peek(1) == '\\')) {
      advance();
      text.push_back(peek());
    } else if (letter == '\\') {
      report(position_, "a lone backslash in a quoted string", "\\\\ or \\\"");
    } else if (letter == '"') {
      closed = true;
    } else {
      clean = clean && (static_cast<unsigned char>(letter) >= ' ' || letter == '\t') &&
              letter != '\x7f';
      text.push_back(letter);
    }
    advance();
  }
  if (!closed) report(begin, "the quoted string is not closed on its line", "\"");
  if (!clean) {
    report(begin, "control characters in a quoted string", "printable characters");
    text.clear();
  }
  if (!is_utf8(text)) {
    report(begin, "bytes in a quoted string that are not UTF-8", "UTF-8 text");
    text.clear();
  }
  if (text.size() > kMaximumTokenBytes) {
    report(begin, fmt::format("a quoted string of {} bytes", text.size()),
           fmt::format("at most {} bytes", kMaximumTokenBytes));
    text.clear();
  }
  return {TokenKind::QuotedString, {document_.keep(std::move(text)), begin}};
}

Token Lexer::next() {
  for (;;) {
    skip_blanks_and_comments();
    if (at_end()) return {TokenKind::End, {{}, position_}};
    const TokenKind kind = punctuation(peek());
    if (kind != TokenKind::End) {
      const Token token{kind, {source_.substr(offset_, 1), position_}};
      advance();
      return token;
    }
    if (peek() == '"') return read_quoted_string();
    if (is_word_byte(peek())) return read_word();

    const Position begin = position_;
    while (!at_end() && !is_blank(peek()) && !is_word_byte(peek()) && peek() != '"' &&
           peek() != '#' && punctuation(peek()) == TokenKind::End) {
      advance();
    }
    report(begin, "characters that may only stand in a quoted string or a comment",
           "printable ASCII");
  }
}

}  // namespace masugata::config::text
