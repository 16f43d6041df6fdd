// SPDX-License-Identifier: GPL-2.0-or-later
// Gives every distinct set of paths a small number, the next hop of the routing tables.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "dataplane/forwarding/route.h"

namespace masugata::dataplane {

// Counted references, bounded. Control thread only. Number 0 is kNoRoutePathSet, never given out.
class PathSets {
 public:
  using Paths = std::vector<RoutePath>;
  struct Acquired {
    uint32_t number;
    bool is_new;  // the instances must be told what it stands for
  };

  explicit PathSets(uint32_t maximum) {
    for (uint32_t number = maximum - 1; number > 0; --number) vacant_.push_back(number);
    rows_.resize(maximum);
  }

  // One more reference to the set's number; nullopt at the bound.
  std::optional<Acquired> acquire(const Paths& paths) {
    if (const auto known = numbers_.find(paths); known != numbers_.end()) {
      ++rows_[known->second].references;
      return Acquired{known->second, false};
    }
    if (vacant_.empty()) return std::nullopt;
    const uint32_t number = vacant_.back();
    vacant_.pop_back();
    rows_[number] = Row{paths, 1};
    numbers_.emplace(paths, number);
    return Acquired{number, true};
  }

  // The number may be given out again by the next acquire(): changes are replayed in order, so
  // nothing refers to it any more when its new meaning is applied.
  void release(uint32_t number) {
    Row& row = rows_[number];
    if (--row.references > 0) return;
    numbers_.erase(row.paths);
    row.paths.clear();
    vacant_.push_back(number);
  }

  [[nodiscard]] const Paths& paths(uint32_t number) const { return rows_[number].paths; }
  [[nodiscard]] bool knows(const Paths& paths) const { return numbers_.contains(paths); }
  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(numbers_.size()); }
  [[nodiscard]] uint32_t room() const { return static_cast<uint32_t>(vacant_.size()); }

 private:
  struct Row {
    Paths paths;
    uint32_t references = 0;
  };
  std::map<Paths, uint32_t> numbers_;
  std::vector<Row> rows_;
  std::vector<uint32_t> vacant_;
};

}  // namespace masugata::dataplane
