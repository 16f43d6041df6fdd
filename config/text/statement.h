// SPDX-License-Identifier: GPL-2.0-or-later
// The generic tree of the curly text form: statements, their words and their blocks, with places.
// It knows nothing about what the statements mean.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <utility>
#include <vector>

#include "config/secrets/secret_bytes.h"

namespace masugata::config::text {

// A place in the text: 1-based line and column (bytes). Zero means "not from a text".
struct Position {
  uint32_t line = 0;
  uint32_t column = 0;
  friend bool operator==(const Position&, const Position&) = default;
};

// A word or a quoted string, escapes already resolved. Points into the Document that owns it.
struct Word {
  std::string_view text;
  Position position;
};

// keyword [words] ( ';' | '{' block '}' ), or keyword '[' words ']' ';'.
struct Statement {
  Word keyword;
  std::vector<Word> words;
  std::vector<Statement> block;
  bool bracketed = false;  // the words stood in [ ]
  bool has_block = false;  // ended by { }, possibly empty
};

// A parsed text: owns every byte that the statements point to, as secrets, since some may be.
// Moving keeps the pointers valid.
class Document {
 public:
  Document() = default;
  Document(Document&&) noexcept = default;
  Document& operator=(Document&&) noexcept = default;
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;
  ~Document() = default;

  // Keeps `text` as long as the document lives.
  std::string_view keep(SecretBytes text) { return kept_.emplace_back(std::move(text)); }

  std::vector<Statement> statements;

 private:
  std::deque<SecretBytes> kept_;
};

}  // namespace masugata::config::text
