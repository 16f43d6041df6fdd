// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/policy/rule_set_builder.h"

#include <bit>

namespace masugata::dataplane {

namespace {

uint64_t fingerprint_of(uint32_t position) noexcept {
  uint64_t mixed = (uint64_t{position} + 1) * 0x9e3779b97f4a7c15ULL;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebULL;
  return mixed ^ (mixed >> 31U);
}

}  // namespace

RuleSetStore::RuleSetStore(uint32_t words)
    : current_(words, 0), summary_((words + 63) / 64, 0), stored_((words + 63) / 64, 0) {
  offsets_.emplace(0, 0);
}

void RuleSetStore::toggle(uint32_t position) noexcept {
  const uint32_t word = position / 64;
  const uint64_t word_bit = uint64_t{1} << word % 64;
  current_[word] ^= uint64_t{1} << position % 64;
  fingerprint_ ^= fingerprint_of(position);
  if (current_[word] != 0) {
    summary_[word / 64] |= word_bit;
  } else {
    summary_[word / 64] &= ~word_bit;
  }
}

bool RuleSetStore::equals(uint32_t offset) const noexcept {
  const uint64_t* stored = stored_.data() + offset;
  if (!std::equal(summary_.begin(), summary_.end(), stored)) return false;
  stored += summary_.size();
  for (size_t block = 0; block < summary_.size(); ++block) {
    for (uint64_t rest = summary_[block]; rest != 0; rest &= rest - 1) {
      const size_t word = block * 64 + static_cast<size_t>(std::countr_zero(rest));
      if (current_[word] != *stored++) return false;
    }
  }
  return true;
}

uint32_t RuleSetStore::intern() {
  const auto [begin, end] = offsets_.equal_range(fingerprint_);
  for (auto candidate = begin; candidate != end; ++candidate) {
    if (equals(candidate->second)) return candidate->second;
  }
  const auto offset = static_cast<uint32_t>(stored_.size());
  stored_.insert(stored_.end(), summary_.begin(), summary_.end());
  for (size_t block = 0; block < summary_.size(); ++block) {
    for (uint64_t rest = summary_[block]; rest != 0; rest &= rest - 1) {
      stored_.push_back(current_[block * 64 + static_cast<size_t>(std::countr_zero(rest))]);
    }
  }
  offsets_.emplace(fingerprint_, offset);
  return offset;
}

std::vector<uint64_t> RuleSetStore::take() {
  stored_.shrink_to_fit();
  return std::move(stored_);
}

}  // namespace masugata::dataplane
