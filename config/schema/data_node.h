// SPDX-License-Identifier: GPL-2.0-or-later
// A read-only look at one node of a data tree, with the place in the text that it came from.
#pragma once

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

#include "config/schema/schema.h"
#include "config/text/statement.h"

struct lyd_node;

namespace masugata::config::schema {

// A pointer-sized view; valid as long as the DataTree. An empty view (nothing there) answers every
// question with "nothing", so that optional statements need no tests on the way to them.
class DataNode {
 public:
  DataNode() = default;
  explicit DataNode(const lyd_node* node) : node_(node) {}

  explicit operator bool() const { return node_ != nullptr; }
  [[nodiscard]] const lyd_node* raw() const { return node_; }
  [[nodiscard]] std::string_view name() const;   // YANG name
  [[nodiscard]] std::string_view value() const;  // canonical; empty for what has none
  // The first child of that YANG name, keys included.
  [[nodiscard]] DataNode child(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return static_cast<bool>(child(name)); }
  // The next sibling of the same name.
  [[nodiscard]] DataNode next() const;
  // Where it stands in the text; the place of the nearest ancestor when it came from no text.
  [[nodiscard]] text::Position position() const;
  // "policy from wan to dmz rule www action": the statements that lead here, as written.
  [[nodiscard]] std::string path() const;

  // The statement that this is an instance of; nullptr for an empty view and for keys.
  [[nodiscard]] const StatementSchema* statement() const;

  // Children of one name, in order, for range-for.
  class Siblings;
  [[nodiscard]] Siblings children(std::string_view name) const;

 private:
  const lyd_node* node_ = nullptr;
};

class DataNode::Siblings {
 public:
  class Iterator {
   public:
    explicit Iterator(DataNode node) : node_(node) {}
    DataNode operator*() const { return node_; }
    Iterator& operator++() {
      node_ = node_.next();
      return *this;
    }
    bool operator!=(const Iterator& other) const { return node_.raw() != other.node_.raw(); }

   private:
    DataNode node_;
  };
  explicit Siblings(DataNode first) : first_(first) {}
  [[nodiscard]] Iterator begin() const { return Iterator(first_); }
  [[nodiscard]] Iterator end() const { return Iterator(DataNode()); }
  [[nodiscard]] bool empty() const { return !first_; }

 private:
  DataNode first_;
};

inline DataNode::Siblings DataNode::children(std::string_view wanted) const {
  return Siblings(child(wanted));
}

}  // namespace masugata::config::schema
