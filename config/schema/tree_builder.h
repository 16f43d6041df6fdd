// SPDX-License-Identifier: GPL-2.0-or-later
// The walk of text statements along the schema. Internal to config/schema; use build_tree().
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/problem.h"
#include "config/schema/data_tree.h"
#include "config/schema/schema.h"
#include "config/text/statement.h"

namespace masugata::config::schema {

class TreeBuilder {
 public:
  explicit TreeBuilder(ProblemList& problems) : problems_(problems) {}
  DataTree build(const std::vector<text::Statement>& statements);

 private:
  // A statement, or what follows the first words of one: `translate pool out;` says the same as
  // `translate { pool out; }`.
  struct View {
    text::Word keyword;
    std::span<const text::Word> words;
    const text::Statement* whole = nullptr;  // for the block and the ending
  };
  // Where children go. Below an entry whose key is wrong nothing is created, only checked.
  struct Parent {
    const StatementSchema* schema = nullptr;
    lyd_node* node = nullptr;
    bool exists = true;
  };
  struct Written {
    lyd_node* node = nullptr;
    text::Position position;
  };

  void add_statement(const View& view, const Parent& parent);
  void add_block(const View& view, const StatementSchema& schema, const Parent& parent);
  void add_entry(const View& view, const StatementSchema& schema, const Parent& parent);
  void add_value(const View& view, const StatementSchema& schema, const Parent& parent);
  void add_values(const View& view, const StatementSchema& schema, const Parent& parent);
  void add_flag(const View& view, const StatementSchema& schema, const Parent& parent);
  void add_inside(const View& view, std::span<const text::Word> rest, const Parent& parent);
  void add_secret(const text::Word& word, const StatementSchema& schema, const Parent& parent);
  void add_term(const text::Word& word, const StatementSchema& schema, const Parent& parent);

  // Takes the keys off the front of the words. False when they are incomplete or wrong; what can
  // be used is in `keys` even then.
  bool take_keys(const View& view, const StatementSchema& schema, std::vector<std::string>& keys,
                 std::span<const text::Word>& rest);
  bool check_key(const text::Word& word, const KeyShape& shape, std::string& canonical);
  bool refuse_block(const View& view, const StatementSchema& schema);
  // Notes that the statement is written; false (and reports) when it was written before or stands
  // against another alternative. `key` must live as long as the builder.
  bool note_written(const Parent& parent, const StatementSchema& schema, std::string_view key,
                    text::Position position);
  bool note_choice(const Parent& parent, const StatementSchema& schema, text::Position position);
  Written* find_written(const Parent& parent, const StatementSchema& schema, std::string_view key);
  void attach_top(lyd_node* node);
  void check_complete(const StatementSchema& schema, lyd_node* node);
  // Notes the entry around `node` as one that libyang need not look at any more.
  void mark_incomplete(lyd_node* node);
  void check_choices(const StatementSchema& schema, lyd_node* node);

  void report(text::Position position, std::string what, std::string accepted = {});
  void report_value(const text::Word& word, const ValueShape& shape);
  ProblemList& problems_;
  DataTree tree_;
  std::vector<std::string> path_;
  // What was written below which node. A statement is told apart by `key` (entries, values); a
  // choice by its number. Keys point into the text or into keys_.
  struct Identity {
    const lyd_node* parent = nullptr;
    const StatementSchema* schema = nullptr;
    std::string_view key;
    int choice = kNoChoice;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  struct IdentityHash {
    size_t operator()(const Identity& identity) const noexcept;
  };
  std::unordered_map<Identity, Written, IdentityHash> written_;
  std::unordered_map<Identity, const StatementSchema*, IdentityHash> chosen_;
  std::deque<std::string> keys_;
};

}  // namespace masugata::config::schema
