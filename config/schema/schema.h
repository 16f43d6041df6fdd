// SPDX-License-Identifier: GPL-2.0-or-later
// The language as the YANG modules define it, in the shape that a reader of curly text, completion,
// help and documentation need: a tree of statements. Built once from libyang's compiled schema.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct ly_ctx;
struct lys_module;
struct lysc_node;

namespace masugata::config::schema {

enum class StatementKind : uint8_t {
  Block,   // container: keyword { ... }
  Entry,   // list: keyword KEY { ... }, as often as wanted
  Value,   // leaf: keyword VALUE;
  Values,  // leaf-list: keyword VALUE; or keyword [ VALUE ... ];
  Flag,    // leaf of type empty: keyword;
};

// What a value looks like, for messages and completion.
struct ValueShape {
  std::string noun;                // "an address", "a VLAN id"
  std::string accepted;            // "1 to 4094", "permit, deny, reject"
  std::vector<std::string> words;  // the values that are words of the language
  std::string complete;            // where completion finds more, see masugata-extensions
  bool in_seconds = false;         // takes 30s, 5m, 2h, 1d besides plain seconds
  bool secret = false;             // never to be shown
};

struct KeyShape {
  std::string word;  // stands before the key; empty for the first key of an entry
  std::string name;  // the YANG name
  std::string help;
  ValueShape value;
  const lysc_node* compiled = nullptr;
};

inline constexpr int kNoChoice = -1;

struct StatementSchema {
  std::string keyword;    // first word of the statement
  std::string yang_name;  // differs from `keyword` for entries like `from A to B`
  StatementKind kind = StatementKind::Block;
  std::string help;
  bool mandatory = false;      // must be written when its parent is
  uint32_t minimum = 0;        // Values and Entry: fewest and most instances
  uint32_t maximum = 0;        // 0 = no limit
  std::string default_value;   // canonical, empty when there is none
  ValueShape value;            // Value and Values
  std::vector<KeyShape> keys;  // Entry
  // Of statements with the same `choice` only those with the same `alternative` go together.
  int choice = kNoChoice;
  int alternative = 0;
  std::vector<bool> mandatory_choices;  // Block and Entry: indexed by the children's `choice`
  std::vector<StatementSchema> children;
  const lysc_node* compiled = nullptr;

  [[nodiscard]] const StatementSchema* find(std::string_view keyword_wanted) const;
  // The keywords of the children, "a, b, c".
  [[nodiscard]] std::string child_keywords() const;
  // The child keyword most like `keyword_wanted`, empty when none is alike.
  [[nodiscard]] std::string_view nearest(std::string_view keyword_wanted) const;
};

// The schema and the libyang context behind it. Immutable after construction; may be read from
// several threads. Lives until the program ends.
class Schema {
 public:
  // Built on first use (some milliseconds). A module that libyang refuses is a defect of the
  // program: std::logic_error.
  static const Schema& instance();

  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;
  ~Schema();

  // A Block whose children are the top-level statements.
  [[nodiscard]] const StatementSchema& root() const { return root_; }
  [[nodiscard]] ly_ctx* context() const { return context_; }
  [[nodiscard]] const lys_module* module() const { return module_; }

 private:
  Schema();

  ly_ctx* context_ = nullptr;
  const lys_module* module_ = nullptr;
  StatementSchema root_;
};

}  // namespace masugata::config::schema
