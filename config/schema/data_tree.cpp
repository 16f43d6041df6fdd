// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/schema/data_tree.h"

#include <fmt/format.h>
#include <libyang/libyang.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "config/schema/node_access.h"

namespace masugata::config::schema {
namespace {

// The statement as written: keyword and keys, with the words between them.
std::string written_form(const lyd_node* node) {
  const StatementSchema* statement = statement_of(node);
  if (statement == nullptr) return {};  // a key is written with its entry
  std::string text = statement->keyword;
  if (statement->kind != StatementKind::Entry) return text;
  size_t index = 0;
  for (const lyd_node* key = lyd_child(node); key != nullptr && lysc_is_key(key->schema);
       key = key->next) {
    if (index < statement->keys.size() && !statement->keys[index].word.empty()) {
      text += ' ' + statement->keys[index].word;
    }
    text += ' ';
    text += lyd_get_value(key);
    ++index;
  }
  return text;
}

size_t depth_of(const lyd_node* node) {
  size_t depth = 0;
  for (; node != nullptr; node = lyd_parent(node)) ++depth;
  return depth;
}

void report_at(DataNode node, std::string what, ProblemList& problems) {
  const text::Position position = node.position();
  problems.add(
      {Problem::Severity::Error, position.line, position.column, node.path(), std::move(what), {}});
}

// libyang names the node of a finding inside a sentence: ... data location "PATH" ...
std::string path_in(const char* sentence) {
  constexpr std::string_view kMark = "ata location \"";
  const std::string_view text = sentence == nullptr ? "" : sentence;
  const size_t mark = text.find(kMark);
  const size_t end = text.rfind('"');
  if (mark == std::string_view::npos || end < mark + kMark.size()) return {};
  return std::string(text.substr(mark + kMark.size(), end - mark - kMark.size()));
}

// The node of a finding, or the nearest one above it that exists.
lyd_node* find_node(const lyd_node* root, const char* sentence) {
  std::string shortened = path_in(sentence);
  while (!shortened.empty()) {
    lyd_node* node = nullptr;
    if (lyd_find_path(root, shortened.c_str(), 0, &node) == LY_SUCCESS) return node;
    shortened.resize(shortened.rfind('/') == std::string::npos ? 0 : shortened.rfind('/'));
  }
  return nullptr;
}

}  // namespace

std::string_view DataNode::name() const {
  return node_ == nullptr ? std::string_view() : node_->schema->name;
}

std::string_view DataNode::value() const {
  const char* text = node_ == nullptr ? nullptr : lyd_get_value(node_);
  return text == nullptr ? std::string_view() : text;
}

DataNode DataNode::child(std::string_view wanted) const {
  if (node_ == nullptr) return {};
  for (const lyd_node* node = lyd_child(node_); node != nullptr; node = node->next) {
    if (wanted == node->schema->name) return DataNode(node);
  }
  return {};
}

DataNode DataNode::next() const {
  if (node_ == nullptr) return {};
  for (const lyd_node* node = node_->next; node != nullptr; node = node->next) {
    if (node->schema == node_->schema) return DataNode(node);
  }
  return {};
}

text::Position DataNode::position() const {
  for (const lyd_node* node = node_; node != nullptr; node = lyd_parent(node)) {
    const text::Position position = get_position(node);
    if (position.line != 0) return position;
  }
  return {};
}

const StatementSchema* DataNode::statement() const {
  return node_ == nullptr ? nullptr : statement_of(node_);
}

std::string DataNode::path() const {
  std::string path;
  for (const lyd_node* node = node_; node != nullptr; node = lyd_parent(node)) {
    const std::string part = written_form(node);
    if (part.empty()) continue;
    path = path.empty() ? part : part + ' ' + path;
  }
  return path;
}

DataTree::DataTree(DataTree&& other) noexcept
    : root_(std::exchange(other.root_, nullptr)),
      secrets_(std::exchange(other.secrets_, {})),
      incomplete_(std::exchange(other.incomplete_, {})) {}

DataTree& DataTree::operator=(DataTree&& other) noexcept {
  std::swap(root_, other.root_);
  std::swap(secrets_, other.secrets_);
  std::swap(incomplete_, other.incomplete_);
  return *this;
}

DataTree::~DataTree() { lyd_free_all(root_); }

DataNode DataTree::top(std::string_view name) const {
  for (const lyd_node* node = root_; node != nullptr; node = node->next) {
    if (name == node->schema->name) return DataNode(node);
  }
  return {};
}

std::string_view DataTree::secret(DataNode leaf) const {
  const std::string_view number = leaf.value();
  size_t index = secrets_.size();
  std::from_chars(number.data(), number.data() + number.size(), index);
  return index < secrets_.size() ? secrets_[index].view() : std::string_view();
}

void DataTree::remove(lyd_node* node) {
  if (node == root_) root_ = root_->next;
  lyd_free_tree(node);
}

// libyang would report again, and less clearly, what is missing in them.
void DataTree::remove_incomplete() {
  // Inner entries first: removing an outer one frees those in it.
  std::sort(incomplete_.begin(), incomplete_.end(), [](lyd_node* left, lyd_node* right) {
    return std::make_pair(depth_of(left), left) > std::make_pair(depth_of(right), right);
  });
  incomplete_.erase(std::unique(incomplete_.begin(), incomplete_.end()), incomplete_.end());
  for (lyd_node* node : incomplete_) remove(node);
  incomplete_.clear();
}

void DataTree::validate(ProblemList& problems) {
  const Schema& schema = Schema::instance();
  remove_incomplete();
  // Each pass finds one thing; the bound keeps a hopeless text from costing quadratic time.
  constexpr int kMaximumPasses = 32;
  for (int pass = 0; pass < kMaximumPasses && !problems.is_full(); ++pass) {
    ly_err_clean(schema.context(), nullptr);
    if (lyd_validate_all(&root_, schema.context(), LYD_VALIDATE_NO_STATE, nullptr) == LY_SUCCESS) {
      break;
    }
    const ly_err_item* item = ly_err_first(schema.context());
    const std::string what = item != nullptr ? item->msg : "the configuration is not valid";
    lyd_node* node = item != nullptr && root_ != nullptr ? find_node(root_, item->path) : nullptr;
    report_at(DataNode(node), what, problems);
    if (node == nullptr) break;
    remove(node);
  }
  ly_err_clean(schema.context(), nullptr);
}

}  // namespace masugata::config::schema
