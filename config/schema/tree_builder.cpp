// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/schema/tree_builder.h"

#include <fmt/format.h>
#include <libyang/libyang.h>

#include <charconv>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

#include "config/schema/node_access.h"

namespace masugata::config::schema {
namespace {

// "5m" -> "300". What is not a duration stays as it is and is refused by its type.
std::string seconds_of(std::string_view text) {
  uint64_t factor = 0;
  switch (text.empty() ? '\0' : text.back()) {
    case 's':
      factor = 1;
      break;
    case 'm':
      factor = 60;
      break;
    case 'h':
      factor = 3600;
      break;
    case 'd':
      factor = 86400;
      break;
    default:
      return std::string(text);
  }
  uint32_t number = 0;
  const char* last = text.data() + text.size() - 1;
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc() || end != last) return std::string(text);
  return std::to_string(number * factor);
}

std::string value_text(const text::Word& word, const ValueShape& shape) {
  return shape.in_seconds ? seconds_of(word.text) : std::string(word.text);
}

// As its type says, without libyang: see DataTree::secret().
bool is_secret(std::string_view text, const StatementSchema& schema) {
  const auto* type = reinterpret_cast<const lysc_type_str*>(
      reinterpret_cast<const lysc_node_leaf*>(schema.compiled)->type);
  const lysc_range* length = type->length;
  bool fits = length == nullptr;
  for (LY_ARRAY_COUNT_TYPE i = 0; length != nullptr && i < LY_ARRAY_COUNT(length->parts); ++i) {
    fits |= text.size() >= length->parts[i].min_u64 && text.size() <= length->parts[i].max_u64;
  }
  return fits && text != kHiddenSecret;
}

}  // namespace

void TreeBuilder::report(text::Position position, std::string what, std::string accepted) {
  std::string path;
  for (const std::string& part : path_) path += (path.empty() ? "" : " ") + part;
  problems_.add({Problem::Severity::Error, position.line, position.column, std::move(path),
                 std::move(what), std::move(accepted)});
}

void TreeBuilder::report_value(const text::Word& word, const ValueShape& shape) {
  std::string what = shape.secret
                         ? fmt::format("this is not {}", shape.noun)
                         : fmt::format("'{}' is not {}", word.text.substr(0, 100), shape.noun);
  report(word.position, std::move(what), shape.accepted);
}

size_t TreeBuilder::IdentityHash::operator()(const Identity& identity) const noexcept {
  constexpr size_t kOdd = 0x9e3779b97f4a7c15ULL;
  size_t hash = std::hash<std::string_view>()(identity.key);
  hash = (hash ^ std::hash<const void*>()(identity.parent)) * kOdd;
  hash = (hash ^ std::hash<const void*>()(identity.schema)) * kOdd;
  return (hash >> 32U) ^ hash ^ static_cast<size_t>(identity.choice);
}

TreeBuilder::Written* TreeBuilder::find_written(const Parent& parent, const StatementSchema& schema,
                                                std::string_view key) {
  const auto found = written_.find({parent.node, &schema, key});
  return found == written_.end() ? nullptr : &found->second;
}

bool TreeBuilder::note_choice(const Parent& parent, const StatementSchema& schema,
                              text::Position position) {
  if (schema.choice == kNoChoice) return true;
  const Identity choice{parent.node, parent.schema, {}, schema.choice};
  const auto [found, added] = chosen_.try_emplace(choice, &schema);
  if (added || found->second->alternative == schema.alternative) return true;
  report(position,
         fmt::format("'{}' cannot stand beside '{}'", schema.keyword, found->second->keyword));
  return false;
}

bool TreeBuilder::note_written(const Parent& parent, const StatementSchema& schema,
                               std::string_view key, text::Position position) {
  if (!parent.exists) return true;
  if (!note_choice(parent, schema, position)) return false;
  const auto [found, added] =
      written_.try_emplace({parent.node, &schema, key}, Written{nullptr, position});
  if (added) return true;
  report(position, fmt::format("{} is written twice, first on line {}",
                               key.empty() ? fmt::format("'{}'", schema.keyword)
                                           : fmt::format("'{} {}'", schema.keyword, key),
                               found->second.position.line));
  return false;
}

void TreeBuilder::attach_top(lyd_node* node) {
  if (tree_.root_ == nullptr) {
    tree_.root_ = node;
  } else {
    lyd_insert_sibling(tree_.root_, node, &tree_.root_);
  }
}

DataTree TreeBuilder::build(const std::vector<text::Statement>& statements) {
  const StatementSchema& root = Schema::instance().root();
  ly_err_clean(Schema::instance().context(), nullptr);
  const Parent top{&root, nullptr, true};
  for (const text::Statement& statement : statements) {
    add_statement({statement.keyword, statement.words, &statement}, top);
  }
  path_.clear();
  check_complete(root, nullptr);
  ly_err_clean(Schema::instance().context(), nullptr);
  return std::move(tree_);
}

void TreeBuilder::add_statement(const View& view, const Parent& parent) {
  const StatementSchema* schema = parent.schema->find(view.keyword.text);
  if (schema == nullptr) {
    const std::string_view nearest = parent.schema->nearest(view.keyword.text);
    report(view.keyword.position,
           fmt::format("unknown statement '{}'{}", view.keyword.text.substr(0, 100),
                       nearest.empty() ? "" : fmt::format(", did you mean '{}'?", nearest)),
           parent.schema->child_keywords());
    return;
  }
  path_.push_back(schema->keyword);
  switch (schema->kind) {
    case StatementKind::Block:
      add_block(view, *schema, parent);
      break;
    case StatementKind::Entry:
      add_entry(view, *schema, parent);
      break;
    case StatementKind::Value:
      add_value(view, *schema, parent);
      break;
    case StatementKind::Values:
      add_values(view, *schema, parent);
      break;
    case StatementKind::Flag:
      add_flag(view, *schema, parent);
      break;
  }
  path_.pop_back();
}

void TreeBuilder::add_inside(const View& view, std::span<const text::Word> rest,
                             const Parent& parent) {
  if (!rest.empty()) {
    add_statement({rest.front(), rest.subspan(1), view.whole}, parent);
    return;
  }
  if (view.whole->bracketed) {
    report(view.keyword.position, fmt::format("'{}' takes no list", parent.schema->keyword), "{ }");
  }
  for (const text::Statement& inner : view.whole->block) {
    add_statement({inner.keyword, inner.words, &inner}, parent);
  }
}

void TreeBuilder::add_block(const View& view, const StatementSchema& schema, const Parent& parent) {
  if (view.words.empty() && !view.whole->has_block && !view.whole->bracketed &&
      (schema.compiled->flags & LYS_PRESENCE) == 0 && !schema.mandatory) {
    report(view.keyword.position, fmt::format("'{}' is empty", schema.keyword),
           schema.child_keywords());
  }
  Parent inside{&schema, nullptr, parent.exists};
  if (parent.exists) {
    Written* before = find_written(parent, schema, {});
    if (before == nullptr) {
      inside.exists = note_written(parent, schema, {}, view.keyword.position);
      before = inside.exists ? find_written(parent, schema, {}) : nullptr;
    }
    if (before != nullptr && before->node == nullptr) {
      lyd_new_inner(parent.node, Schema::instance().module(), schema.yang_name.c_str(), 0,
                    &before->node);
      set_position(before->node, view.keyword.position);
      if (parent.node == nullptr) attach_top(before->node);
    }
    inside.node = before != nullptr ? before->node : nullptr;
  }
  add_inside(view, view.words, inside);
}

bool TreeBuilder::check_key(const text::Word& word, const KeyShape& shape, std::string& canonical) {
  const std::string value = value_text(word, shape.value);
  const char* text = nullptr;
  const LY_ERR status = lyd_value_validate(Schema::instance().context(), shape.compiled,
                                           value.c_str(), value.size(), nullptr, nullptr, &text);
  if (status != LY_SUCCESS && status != LY_EINCOMPLETE) {
    report_value(word, shape.value);
    canonical = value;
    return false;
  }
  canonical = text != nullptr ? text : value;
  if (text != nullptr) lydict_remove(Schema::instance().context(), text);
  return true;
}

bool TreeBuilder::take_keys(const View& view, const StatementSchema& schema,
                            std::vector<std::string>& keys, std::span<const text::Word>& rest) {
  rest = view.words;
  bool right = true;
  for (const KeyShape& shape : schema.keys) {
    if (!shape.word.empty()) {
      if (rest.empty() || rest.front().text != shape.word) {
        report(rest.empty() ? view.keyword.position : rest.front().position,
               fmt::format("'{}' is missing", shape.word),
               fmt::format("{} and {}", shape.word, shape.value.noun));
        return false;
      }
      rest = rest.subspan(1);
    }
    if (rest.empty()) {
      report(view.keyword.position,
             fmt::format("'{}' needs {}", shape.word.empty() ? schema.keyword : shape.word,
                         shape.value.noun),
             shape.value.accepted);
      return false;
    }
    std::string canonical;
    right = check_key(rest.front(), shape, canonical) && right;
    if (!shape.word.empty()) path_.back() += ' ' + shape.word;
    path_.back() += ' ' + canonical;
    keys.push_back(std::move(canonical));
    rest = rest.subspan(1);
  }
  return right;
}

void TreeBuilder::add_entry(const View& view, const StatementSchema& schema, const Parent& parent) {
  std::vector<std::string> keys;
  std::span<const text::Word> rest;
  const bool right = take_keys(view, schema, keys, rest);
  Parent inside{&schema, nullptr, parent.exists && right};
  if (inside.exists) {
    std::string& key = keys_.emplace_back(keys[0]);
    if (keys.size() > 1) key += ' ' + schema.keys[1].word + ' ' + keys[1];
    inside.exists = note_written(parent, schema, key, view.keyword.position);
  }
  if (inside.exists) {
    lyd_new_list(parent.node, Schema::instance().module(), schema.yang_name.c_str(), 0,
                 &inside.node, keys[0].c_str(), keys.size() > 1 ? keys[1].c_str() : "");
    inside.exists = inside.node != nullptr;
    if (inside.exists) set_position(inside.node, view.keyword.position);
  }
  // Without its keys nothing behind them can be told apart.
  if (keys.size() == schema.keys.size()) {
    add_inside(view, rest, inside);
  } else {
    add_inside(view, {}, inside);
  }
}

bool TreeBuilder::refuse_block(const View& view, const StatementSchema& schema) {
  if (!view.whole->has_block) return false;
  report(view.keyword.position, fmt::format("'{}' takes no block", schema.keyword),
         schema.kind == StatementKind::Flag ? "" : schema.value.accepted);
  return true;
}

void TreeBuilder::add_secret(const text::Word& word, const StatementSchema& schema,
                             const Parent& parent) {
  if (!is_secret(word.text, schema)) return report_value(word, schema.value);
  if (!parent.exists) return;
  const std::string number = std::to_string(tree_.secrets_.size());
  lyd_node* node = nullptr;
  if (lyd_new_term(parent.node, Schema::instance().module(), schema.yang_name.c_str(),
                   number.c_str(), 0, &node) != LY_SUCCESS) {
    return report_value(word, schema.value);
  }
  tree_.secrets_.emplace_back(word.text);
  set_position(node, word.position);
}

void TreeBuilder::add_term(const text::Word& word, const StatementSchema& schema,
                           const Parent& parent) {
  if (schema.value.secret) return add_secret(word, schema, parent);
  const std::string value = value_text(word, schema.value);
  if (!parent.exists) {
    const LY_ERR status =
        lyd_value_validate(Schema::instance().context(), schema.compiled, value.c_str(),
                           value.size(), nullptr, nullptr, nullptr);
    if (status != LY_SUCCESS && status != LY_EINCOMPLETE) report_value(word, schema.value);
    return;
  }
  lyd_node* node = nullptr;
  const LY_ERR status = lyd_new_term(parent.node, Schema::instance().module(),
                                     schema.yang_name.c_str(), value.c_str(), 0, &node);
  if (status != LY_SUCCESS || node == nullptr) {
    report_value(word, schema.value);
    return;
  }
  set_position(node, word.position);
}

void TreeBuilder::add_value(const View& view, const StatementSchema& schema, const Parent& parent) {
  const bool first = note_written(parent, schema, {}, view.keyword.position);
  if (refuse_block(view, schema)) return;
  if (view.words.empty()) {
    report(view.keyword.position, fmt::format("'{}' needs {}", schema.keyword, schema.value.noun),
           schema.value.accepted);
    return;
  }
  if (view.words.size() > 1) {
    report(view.words[1].position,
           schema.value.secret ? fmt::format("'{}' takes one value", schema.keyword)
                               : fmt::format("'{}' takes one value; '{}' is too many",
                                             schema.keyword, view.words[1].text.substr(0, 100)),
           schema.value.accepted);
    return;
  }
  if (first) add_term(view.words[0], schema, parent);
}

void TreeBuilder::add_values(const View& view, const StatementSchema& schema,
                             const Parent& parent) {
  if (parent.exists && !note_choice(parent, schema, view.keyword.position)) return;
  if (refuse_block(view, schema)) return;
  if (parent.exists) {
    written_.try_emplace({parent.node, &schema, {}}, Written{nullptr, view.keyword.position});
  }
  if (view.words.empty()) {
    report(view.keyword.position, fmt::format("'{}' needs {}", schema.keyword, schema.value.noun),
           schema.value.accepted);
    return;
  }
  if (view.words.size() > 1 && !view.whole->bracketed) {
    report(view.words[1].position,
           fmt::format("several values of '{}' stand in brackets", schema.keyword),
           fmt::format("{} [ {} {} ]", schema.keyword, view.words[0].text.substr(0, 100),
                       view.words[1].text.substr(0, 100)));
    return;
  }
  for (const text::Word& word : view.words) {
    if (word.text.empty() || note_written(parent, schema, word.text, word.position)) {
      add_term(word, schema, parent);
    }
  }
}

void TreeBuilder::add_flag(const View& view, const StatementSchema& schema, const Parent& parent) {
  const bool first = note_written(parent, schema, {}, view.keyword.position);
  if (refuse_block(view, schema)) return;
  if (!view.words.empty() || view.whole->bracketed) {
    report(view.keyword.position, fmt::format("'{}' takes no value", schema.keyword),
           fmt::format("{};", schema.keyword));
    return;
  }
  if (first) add_term({{}, view.keyword.position}, schema, parent);
}

void TreeBuilder::mark_incomplete(lyd_node* node) {
  while (statement_of(node)->kind == StatementKind::Block && lyd_parent(node) != nullptr) {
    node = reinterpret_cast<lyd_node*>(node->parent);
  }
  if (tree_.incomplete_.empty() || tree_.incomplete_.back() != node) {
    tree_.incomplete_.push_back(node);
  }
}

void TreeBuilder::check_choices(const StatementSchema& schema, lyd_node* node) {
  for (size_t choice = 0; choice < schema.mandatory_choices.size(); ++choice) {
    if (!schema.mandatory_choices[choice]) continue;
    if (lyd_child(node) == nullptr) mark_incomplete(node);
    if (chosen_.contains({node, &schema, {}, static_cast<int>(choice)})) continue;
    std::string accepted;
    for (const StatementSchema& child : schema.children) {
      if (child.choice != static_cast<int>(choice)) continue;
      accepted += (accepted.empty() ? "" : ", ") + child.keyword;
    }
    report(get_position(node), fmt::format("'{}' says nothing", schema.keyword), accepted);
  }
}

void TreeBuilder::check_complete(const StatementSchema& schema, lyd_node* node) {
  const Parent parent{&schema, node, true};
  if (node != nullptr) {
    path_ = {DataNode(node).path()};
    check_choices(schema, node);
  }
  for (const StatementSchema& child : schema.children) {
    if (!child.mandatory) continue;
    // The rest of an alternative is only needed when that alternative was chosen.
    if (child.choice != kNoChoice) {
      const auto chosen = chosen_.find({node, &schema, {}, child.choice});
      if (chosen == chosen_.end() || chosen->second->alternative != child.alternative) continue;
    }
    if (node == nullptr || DataNode(node).has(child.yang_name)) continue;
    mark_incomplete(node);
    // Written, but wrong: that has been reported.
    if (find_written(parent, child, {}) != nullptr) continue;
    report(get_position(node), fmt::format("'{}' is missing", child.keyword),
           child.kind == StatementKind::Block ? child.child_keywords() : child.value.accepted);
  }
  lyd_node* inner = node != nullptr ? lyd_child(node) : tree_.root_;
  for (; inner != nullptr; inner = inner->next) {
    const StatementSchema* inner_schema = statement_of(inner);
    if (inner_schema == nullptr || inner_schema->kind == StatementKind::Value ||
        inner_schema->kind == StatementKind::Values || inner_schema->kind == StatementKind::Flag) {
      continue;
    }
    check_complete(*inner_schema, inner);
  }
}

DataTree build_tree(const std::vector<text::Statement>& statements, ProblemList& problems) {
  return TreeBuilder(problems).build(statements);
}

}  // namespace masugata::config::schema
