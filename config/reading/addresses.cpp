// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/reading/readers.h"

namespace masugata::config::reading {
namespace {

// Recursion over includes is bounded; nobody nests sets deeper by hand.
constexpr size_t kMaximumNesting = 32;

// Expands every address set once, depth first.
class AddressSetResolver {
 public:
  explicit AddressSetResolver(Context& context) : context_(context) {}

  void resolve_all() {
    const DataNode sets = context_.tree().top("sets");
    for (const DataNode node : sets.children("address-set")) {
      nodes_.emplace(node.child("name").value(), Entry{node, State::Untouched});
    }
    for (const DataNode node : sets.children("address-set")) {
      resolve(std::string(node.child("name").value()), node, 0);
    }
  }

 private:
  enum class State : uint8_t { Untouched, InProgress, Done };
  struct Entry {
    DataNode node;
    State state;
  };

  // `at` is the statement that asked for the set.
  void resolve(const std::string& name, DataNode at, size_t depth) {
    const auto found = nodes_.find(name);
    if (found == nodes_.end()) {
      context_.refuse_name(at, "address set", nodes_);
      return;
    }
    Entry& entry = found->second;
    if (entry.state == State::Done) return;
    if (entry.state == State::InProgress) {
      context_.error(at, fmt::format("address-set '{}' includes itself", name));
      return;
    }
    if (depth >= kMaximumNesting) {
      context_.error(at, fmt::format("address sets are nested deeper than {}", kMaximumNesting));
      return;
    }
    entry.state = State::InProgress;
    std::vector<net::AddressRange> ranges = direct_ranges(entry.node);
    for (const DataNode include : entry.node.children("include")) {
      const std::string included(include.value());
      resolve(included, include, depth + 1);
      const auto resolved = context_.names.address_sets.find(included);
      if (resolved == context_.names.address_sets.end()) continue;
      resolved->second.used = true;
      if (!context_.count_ranges(include, resolved->second.value.size())) break;
      ranges.insert(ranges.end(), resolved->second.value.begin(), resolved->second.value.end());
    }
    merge_ranges(ranges);
    entry.state = State::Done;
    context_.names.address_sets[name] = {std::move(ranges), entry.node, false};
  }

  std::vector<net::AddressRange> direct_ranges(DataNode set) {
    std::vector<net::AddressRange> ranges;
    for (const DataNode leaf : set.children("address")) {
      const auto range = net::AddressRange::parse(leaf.value());
      if (range) {
        ranges.push_back(*range);
      } else {
        context_.refuse(leaf);
      }
    }
    return ranges;
  }

  Context& context_;
  std::unordered_map<std::string, Entry> nodes_;
};

// Something that was meant as an address, not as the name of a set.
bool looks_like_address(std::string_view text) {
  if (text.find(':') != std::string_view::npos || text.find('/') != std::string_view::npos) {
    return true;
  }
  return text.find_first_not_of("0123456789.-") == std::string_view::npos;
}

}  // namespace

void merge_ranges(std::vector<net::AddressRange>& ranges) {
  std::sort(ranges.begin(), ranges.end());
  size_t kept = 0;
  for (size_t index = 1; index < ranges.size(); ++index) {
    net::AddressRange& last = ranges[kept];
    const net::AddressRange& next = ranges[index];
    const bool touches = next.first <= last.last || next.first == last.last.next();
    if (last.first.family() == next.first.family() && touches) {
      last.last = std::max(last.last, next.last);
    } else {
      ranges[++kept] = next;
    }
  }
  if (!ranges.empty()) ranges.resize(kept + 1);
}

void read_address_sets(Context& context) { AddressSetResolver(context).resolve_all(); }

std::optional<std::vector<net::AddressRange>> read_addresses(Context& context, DataNode parent,
                                                             std::string_view statement) {
  std::vector<net::AddressRange> ranges;
  bool right = true;
  bool any = false;
  size_t count = 0;
  for (const DataNode leaf : parent.children(statement)) {
    ++count;
    if (leaf.value() == "any") {
      any = true;
      continue;
    }
    if (const auto range = net::AddressRange::parse(leaf.value())) {
      ranges.push_back(*range);
      right = context.count_ranges(leaf, 1) && right;
      continue;
    }
    const auto set = context.names.address_sets.find(std::string(leaf.value()));
    if (set != context.names.address_sets.end()) {
      set->second.used = true;
      const std::vector<net::AddressRange>& members = set->second.value;
      right = context.count_ranges(leaf, members.size()) && right;
      // An empty set has been reported where it is defined; here it must not turn into "any".
      right = right && !members.empty();
      if (right) ranges.insert(ranges.end(), members.begin(), members.end());
      continue;
    }
    right = false;
    if (looks_like_address(leaf.value())) {
      context.refuse(leaf);
    } else {
      context.refuse_name(leaf, "address set", context.names.address_sets);
    }
  }
  if (any && count > 1) {
    context.warning(parent, "'any' makes the other addresses beside it meaningless");
  }
  if (!right) return std::nullopt;
  if (any) ranges.clear();
  return ranges;
}

}  // namespace masugata::config::reading
