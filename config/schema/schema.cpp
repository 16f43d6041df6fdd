// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/schema/schema.h"

#include <fmt/format.h>
#include <libyang/libyang.h>

#include <algorithm>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "config/schema/embedded_modules.h"
#include "config/schema/value_shape.h"

namespace masugata::config::schema {
namespace {

const char* find_embedded(const char* name) {
  for (const EmbeddedModule& module : embedded_modules()) {
    if (std::strcmp(module.name, name) == 0) return module.text;
  }
  return nullptr;
}

LY_ERR give_embedded(const char* module_name, const char* /*revision*/, const char* submodule_name,
                     const char* /*submodule_revision*/, void* /*user_data*/, LYS_INFORMAT* format,
                     const char** module_data, ly_module_imp_data_free_clb* free_module_data) {
  const char* text = find_embedded(submodule_name != nullptr ? submodule_name : module_name);
  if (text == nullptr) return LY_ENOTFOUND;
  *format = LYS_IN_YANG;
  *module_data = text;
  *free_module_data = nullptr;
  return LY_SUCCESS;
}

// Descriptions are wrapped in the YANG source: one line for people.
std::string one_line(const char* text) {
  std::string line;
  if (text == nullptr) return line;
  std::istringstream words(text);
  for (std::string word; words >> word;) line += (line.empty() ? "" : " ") + word;
  return line;
}

// Numbers choices and cases while the children of one node are read.
class ChoiceNumbers {
 public:
  void assign(const lysc_node* child, StatementSchema& statement, StatementSchema& parent) {
    const lysc_node* above = child->parent;
    if (above == nullptr || (above->nodetype & (LYS_CASE | LYS_CHOICE)) == 0) return;
    const lysc_node* choice = above->nodetype == LYS_CASE ? above->parent : above;
    const lysc_node* alternative = above->nodetype == LYS_CASE ? above : child;
    statement.choice = number(choices_, choice);
    statement.alternative = number(alternatives_, alternative);
    if (parent.mandatory_choices.size() < choices_.size()) {
      parent.mandatory_choices.push_back((choice->flags & LYS_MAND_TRUE) != 0);
    }
  }

 private:
  static int number(std::vector<const lysc_node*>& known, const lysc_node* node) {
    const auto found = std::find(known.begin(), known.end(), node);
    const auto index = static_cast<int>(found - known.begin());
    if (found == known.end()) known.push_back(node);
    return index;
  }
  std::vector<const lysc_node*> choices_;
  std::vector<const lysc_node*> alternatives_;
};

StatementSchema read_statement(const lysc_node* node);

void read_children(const lysc_node* node, const lysc_module* module, StatementSchema& parent) {
  ChoiceNumbers numbers;
  const lysc_node* child = nullptr;
  while ((child = lys_getnext(child, node, module, 0)) != nullptr) {
    if (lysc_is_key(child)) continue;
    StatementSchema statement = read_statement(child);
    numbers.assign(child, statement, parent);
    parent.children.push_back(std::move(statement));
  }
}

void read_keys(const lysc_node* node, StatementSchema& statement) {
  std::vector<std::string> words;
  if (const char* argument = extension_argument(node, "words")) {
    std::istringstream stream(argument);
    for (std::string word; stream >> word;) words.push_back(word);
    statement.keyword = words.front();
  }
  const lysc_node* child = nullptr;
  while ((child = lys_getnext(child, node, nullptr, 0)) != nullptr) {
    if (!lysc_is_key(child)) continue;
    KeyShape key;
    const size_t index = statement.keys.size();
    if (index > 0 && index < words.size()) key.word = words[index];
    key.name = child->name;
    key.help = one_line(child->dsc);
    key.value = value_shape(child);
    key.compiled = child;
    statement.keys.push_back(std::move(key));
  }
}

void read_leaf(const lysc_node* node, StatementSchema& statement) {
  const auto* leaf = reinterpret_cast<const lysc_node_leaf*>(node);
  statement.kind =
      leaf->type->basetype == LY_TYPE_EMPTY ? StatementKind::Flag : StatementKind::Value;
  if (leaf->dflt != nullptr) {
    statement.default_value = lyd_value_get_canonical(node->module->ctx, leaf->dflt);
  }
  statement.value = value_shape(node);
}

StatementSchema read_statement(const lysc_node* node) {
  StatementSchema statement;
  statement.keyword = node->name;
  statement.yang_name = node->name;
  statement.help = one_line(node->dsc);
  statement.mandatory = (node->flags & LYS_MAND_TRUE) != 0;
  statement.compiled = node;
  if (node->nodetype == LYS_LEAF) {
    read_leaf(node, statement);
  } else if (node->nodetype == LYS_LEAFLIST) {
    const auto* leaf_list = reinterpret_cast<const lysc_node_leaflist*>(node);
    statement.kind = StatementKind::Values;
    statement.minimum = leaf_list->min;
    statement.maximum = leaf_list->max == UINT32_MAX ? 0 : leaf_list->max;
    statement.value = value_shape(node);
  } else if (node->nodetype == LYS_LIST) {
    const auto* list = reinterpret_cast<const lysc_node_list*>(node);
    statement.kind = StatementKind::Entry;
    statement.minimum = list->min;
    statement.maximum = list->max == UINT32_MAX ? 0 : list->max;
    read_keys(node, statement);
    read_children(node, nullptr, statement);
  } else {
    // libyang calls a container mandatory when something in it is.
    read_children(node, nullptr, statement);
  }
  return statement;
}

// From now on the tree of statements must not move: libyang's nodes point back to it.
void link_compiled(const StatementSchema& statement) {
  for (const StatementSchema& child : statement.children) {
    const_cast<lysc_node*>(child.compiled)->priv = const_cast<StatementSchema*>(&child);
    link_compiled(child);
  }
}

size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<size_t> row(right.size() + 1);
  for (size_t j = 0; j <= right.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= left.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= right.size(); ++j) {
      const size_t replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[right.size()];
}

}  // namespace

const StatementSchema* StatementSchema::find(std::string_view keyword_wanted) const {
  for (const StatementSchema& child : children) {
    if (child.keyword == keyword_wanted) return &child;
  }
  return nullptr;
}

std::string StatementSchema::child_keywords() const {
  std::string text;
  for (const StatementSchema& child : children) {
    text += (text.empty() ? "" : ", ") + child.keyword;
  }
  return text;
}

std::string_view StatementSchema::nearest(std::string_view keyword_wanted) const {
  constexpr size_t kLongestCompared = 64;
  if (keyword_wanted.size() > kLongestCompared) return {};
  std::string_view best;
  size_t best_distance = 1 + std::min<size_t>(2, keyword_wanted.size() / 2);
  for (const StatementSchema& child : children) {
    const size_t distance = edit_distance(keyword_wanted, child.keyword);
    if (distance < best_distance) {
      best = child.keyword;
      best_distance = distance;
    }
  }
  return best;
}

const Schema& Schema::instance() {
  static const Schema schema;
  return schema;
}

Schema::Schema() {
  // Messages are collected per context and turned into Problems; nothing is printed.
  ly_log_options(LY_LOSTORE);
  const uint16_t options =
      LY_CTX_DISABLE_SEARCHDIRS | LY_CTX_DISABLE_SEARCHDIR_CWD | LY_CTX_NO_YANGLIBRARY;
  if (ly_ctx_new(nullptr, options, &context_) != LY_SUCCESS) {
    throw std::logic_error("libyang cannot create a context");
  }
  ly_ctx_set_module_imp_clb(context_, give_embedded, nullptr);
  lys_module* module = nullptr;
  if (lys_parse_mem(context_, find_embedded("masugata"), LYS_IN_YANG, &module) != LY_SUCCESS) {
    std::string reason = "the YANG modules are not valid";
    for (const ly_err_item* item = ly_err_first(context_); item != nullptr; item = item->next) {
      reason += fmt::format("; {}", item->msg);
    }
    ly_ctx_destroy(std::exchange(context_, nullptr));
    throw std::logic_error(reason);
  }
  ly_err_clean(context_, nullptr);
  module_ = module;
  read_children(nullptr, module->compiled, root_);
  link_compiled(root_);
}

Schema::~Schema() { ly_ctx_destroy(context_); }

}  // namespace masugata::config::schema
