// SPDX-License-Identifier: GPL-2.0-or-later
// The rules that matched on one packet, until the packet has been judged.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "ids/plan/compiled_rules.h"

namespace masugata::ids {

struct RuleMatch {
  const CompiledRule* rule = nullptr;
  Transaction* transaction = nullptr;  // null: of a packet or a stream
  Direction direction = Direction::ToServer;
  bool by_stream = false;
};

// Bounded: matches beyond kMaximumMatches are given up and counted by the caller.
class AlertQueue {
 public:
  static constexpr size_t kMaximumMatches = 1024;
  AlertQueue() { matches_.reserve(kMaximumMatches); }

  void clear() noexcept { matches_.clear(); }
  [[nodiscard]] bool empty() const noexcept { return matches_.empty(); }
  // False at the bound.
  [[nodiscard]] bool add(const RuleMatch& match) noexcept {
    if (matches_.size() == kMaximumMatches) {
      return false;
    }
    matches_.push_back(match);
    return true;
  }
  [[nodiscard]] bool holds(RuleNumber rule) const noexcept {
    return std::any_of(matches_.begin(), matches_.end(),
                       [&](const RuleMatch& match) { return match.rule->number == rule; });
  }
  // In the order of judgement; of one rule, transactions in their order.
  [[nodiscard]] std::span<const RuleMatch> sorted() noexcept {
    auto number_of = [](const RuleMatch& match) {
      return match.transaction == nullptr ? 0 : match.transaction->number_in_flow + 1;
    };
    std::sort(matches_.begin(), matches_.end(), [&](const RuleMatch& left, const RuleMatch& right) {
      if (left.rule->number != right.rule->number) {
        return left.rule->number < right.rule->number;
      }
      if (number_of(left) != number_of(right)) {
        return number_of(left) < number_of(right);
      }
      return left.direction < right.direction;
    });
    return matches_;
  }

 private:
  std::vector<RuleMatch> matches_;
};

}  // namespace masugata::ids
