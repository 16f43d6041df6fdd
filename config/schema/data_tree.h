// SPDX-License-Identifier: GPL-2.0-or-later
// A data tree of the schema: what a text says, statement by statement, each value checked by its
// libyang type. Built from the generic text tree; written back as text or JSON.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"
#include "config/schema/data_node.h"
#include "config/schema/schema.h"
#include "config/secret.h"
#include "config/text/statement.h"

struct lyd_node;

namespace masugata::config::schema {

// Owns a libyang tree. One thread at a time.
class DataTree {
 public:
  DataTree() = default;
  DataTree(DataTree&& other) noexcept;
  DataTree& operator=(DataTree&& other) noexcept;
  DataTree(const DataTree&) = delete;
  DataTree& operator=(const DataTree&) = delete;
  ~DataTree();

  // The top-level statement of that name, an empty view when it is not written.
  [[nodiscard]] DataNode top(std::string_view name) const;
  [[nodiscard]] const lyd_node* first() const { return root_; }

  // The value of a leaf that the schema calls secret. libyang holds a number in its place, since it
  // keeps values where dumps reach. Empty when the leaf is not there. Valid as long as the tree.
  [[nodiscard]] std::string_view secret(DataNode leaf) const;

  // Checks what concerns the tree as a whole (must, unique, leafref) by libyang; each finding goes
  // to `problems`. A statement that was found wrong is taken out of the tree so that the next
  // finding can be made: after a finding the tree is of no further use.
  void validate(ProblemList& problems);

 private:
  friend class TreeBuilder;
  void remove(lyd_node* node);
  void remove_incomplete();

  lyd_node* root_ = nullptr;
  std::deque<SecretBytes> secrets_;  // by the numbers in the tree
  // Entries in which something mandatory is missing or wrong, which has been reported.
  std::vector<lyd_node*> incomplete_;
};

// Walks the statements along the schema. Unknown statements, wrong values, repeated and missing
// statements go to `problems`; the tree holds all that was right.
[[nodiscard]] DataTree build_tree(const std::vector<text::Statement>& statements,
                                  ProblemList& problems);

// The tree as canonical curly text: schema order of statements within a block, canonical values,
// nothing that is only a default.
[[nodiscard]] std::string canonical_text(const DataTree& tree, Secrets secrets = Secrets::Keep);

// The tree as RFC 7951 JSON, without defaults and secrets; "{}" for an empty tree.
[[nodiscard]] std::string canonical_json(const DataTree& tree);

}  // namespace masugata::config::schema
