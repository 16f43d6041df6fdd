// SPDX-License-Identifier: GPL-2.0-or-later
#include <libyang/libyang.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "config/schema/data_tree.h"
#include "config/schema/node_access.h"
#include "config/text/writer.h"

namespace masugata::config::schema {
namespace {

text::Word word_of(std::string_view text) { return {text, {}}; }

// How the values of secret leaves are written.
struct SecretValues {
  const DataTree& tree;
  Secrets secrets;
};

std::vector<text::Statement> statements_of(const lyd_node* first, const SecretValues& secrets);

text::Statement entry_statement(const lyd_node* node, const StatementSchema& schema,
                                const SecretValues& secrets) {
  text::Statement statement;
  statement.keyword = word_of(schema.keyword);
  size_t index = 0;
  for (const lyd_node* key = lyd_child(node); key != nullptr && lysc_is_key(key->schema);
       key = key->next) {
    const std::string& word = schema.keys[index++].word;
    if (!word.empty()) statement.words.push_back(word_of(word));
    statement.words.push_back(word_of(lyd_get_value(key)));
  }
  statement.has_block = true;
  statement.block = statements_of(lyd_child(node), secrets);
  return statement;
}

// The value of a leaf, or what stands for it.
text::Word value_word(const lyd_node* node, const StatementSchema& schema,
                      const SecretValues& secrets) {
  if (!schema.value.secret) return word_of(lyd_get_value(node));
  return word_of(secrets.secrets == Secrets::Hide ? kHiddenSecret
                                                  : secrets.tree.secret(DataNode(node)));
}

text::Statement statement_from(const lyd_node* node, const StatementSchema& schema,
                               const SecretValues& secrets) {
  if (schema.kind == StatementKind::Entry) return entry_statement(node, schema, secrets);
  text::Statement statement;
  statement.keyword = word_of(schema.keyword);
  if (schema.kind == StatementKind::Block) {
    statement.has_block = true;
    statement.block = statements_of(lyd_child(node), secrets);
  } else if (schema.kind != StatementKind::Flag) {
    statement.words.push_back(value_word(node, schema, secrets));
  }
  return statement;
}

std::vector<text::Statement> statements_of(const lyd_node* first, const SecretValues& secrets) {
  std::vector<text::Statement> statements;
  const lysc_node* previous = nullptr;
  for (const lyd_node* node = first; node != nullptr; node = node->next) {
    const StatementSchema* schema = statement_of(node);
    if (schema == nullptr || (node->flags & LYD_DEFAULT) != 0) continue;
    if (schema->kind == StatementKind::Values && node->schema == previous) {
      statements.back().words.push_back(value_word(node, *schema, secrets));
      statements.back().bracketed = true;
      continue;
    }
    previous = node->schema;
    statements.push_back(statement_from(node, *schema, secrets));
  }
  return statements;
}

void remove_secrets(lyd_node* first) {
  for (lyd_node* node = first; node != nullptr;) {
    lyd_node* next = node->next;
    const StatementSchema* schema = statement_of(node);
    if (schema != nullptr && schema->value.secret) {
      lyd_free_tree(node);
    } else {
      remove_secrets(lyd_child(node));
    }
    node = next;
  }
}

}  // namespace

std::string canonical_text(const DataTree& tree, Secrets secrets) {
  return text::write(statements_of(tree.first(), {tree, secrets}));
}

std::string canonical_json(const DataTree& tree) {
  lyd_node* copy = nullptr;
  if (tree.first() != nullptr) {
    lyd_dup_siblings(tree.first(), nullptr, LYD_DUP_RECURSIVE, &copy);
    remove_secrets(copy);
  }
  char* printed = nullptr;
  const LY_ERR status =
      lyd_print_mem(&printed, copy, LYD_JSON, LYD_PRINT_WITHSIBLINGS | LYD_PRINT_WD_EXPLICIT);
  lyd_free_all(copy);
  std::string json = status == LY_SUCCESS && printed != nullptr ? printed : "{}";
  std::free(printed);
  while (!json.empty() && json.back() == '\n') json.pop_back();
  return json;
}

}  // namespace masugata::config::schema
