// SPDX-License-Identifier: GPL-2.0-or-later
// Which rules matched in one direction of a stream, and where: what a rule has matched once it does
// not match again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <new>
#include <span>
#include <vector>

namespace masugata::ids {

// Thread: the worker of the flow. Memory: nothing until a rule matches, then at most kMaximum
// entries; at the bound the oldest is forgotten, and its rule may alert once more for bytes that it
// has alerted for.
class RecentMatches {
 public:
  struct Match {
    uint32_t rule = 0;  // RuleNumber of the plan in use
    uint64_t end = 0;   // how many bytes the stream had by then
  };
  static constexpr size_t kMaximum = 16;

  void note(uint32_t rule, uint64_t end) noexcept {
    for (Match& match : matches_) {
      if (match.rule == rule) {
        match.end = end;
        return;
      }
    }
    if (matches_.size() == kMaximum) {
      matches_.erase(matches_.begin());
    }
    try {
      matches_.push_back({rule, end});
    } catch (const std::bad_alloc&) {
      return;  // as at the bound
    }
  }
  // Matches in bytes that nobody has any more.
  void forget_before(uint64_t first) noexcept {
    std::erase_if(matches_, [&](const Match& match) { return match.end <= first; });
  }
  // The plan has changed, and with it the numbers.
  void clear() noexcept { matches_.clear(); }

  [[nodiscard]] const Match* find(uint32_t rule) const noexcept {
    for (const Match& match : matches_) {
      if (match.rule == rule) {
        return &match;
      }
    }
    return nullptr;
  }
  [[nodiscard]] std::span<const Match> all() const noexcept { return matches_; }
  [[nodiscard]] size_t memory_bytes() const noexcept { return matches_.capacity() * sizeof(Match); }

 private:
  std::vector<Match> matches_;
};

}  // namespace masugata::ids
