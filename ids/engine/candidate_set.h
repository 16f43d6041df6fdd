// SPDX-License-Identifier: GPL-2.0-or-later
// Rules that are worth a look: each once, in the order of judgement.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "ids/plan/compiled_rules.h"

namespace masugata::ids {

// Holds as many rules as the plan has; nothing is allocated after size_for().
class CandidateSet {
 public:
  void size_for(size_t rules) {
    stamps_.assign(rules, 0);
    stamp_ = 0;
    members_.clear();
    members_.reserve(rules);
  }
  void begin() noexcept {
    members_.clear();
    if (++stamp_ == 0) {
      std::fill(stamps_.begin(), stamps_.end(), 0U);
      stamp_ = 1;
    }
  }
  void add(RuleNumber rule) noexcept {
    if (stamps_[rule] != stamp_) {
      stamps_[rule] = stamp_;
      members_.push_back(rule);
    }
  }
  [[nodiscard]] bool empty() const noexcept { return members_.empty(); }
  [[nodiscard]] std::span<const RuleNumber> sorted() noexcept {
    std::sort(members_.begin(), members_.end());
    return members_;
  }

 private:
  std::vector<uint32_t> stamps_;
  std::vector<RuleNumber> members_;
  uint32_t stamp_ = 0;
};

}  // namespace masugata::ids
