// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stream/kept_bytes.h"

#include <algorithm>
#include <cstring>

namespace masugata::dataplane {

namespace {

uint64_t number_of(uint64_t position) noexcept { return position / kStreamBlockBytes; }
size_t offset_in(uint64_t position) noexcept { return position % kStreamBlockBytes; }

uint32_t* numbers_in(uint8_t* block) noexcept {
  return reinterpret_cast<uint32_t*>(block);  // blocks are aligned to cache lines
}
const uint32_t* numbers_in(const uint8_t* block) noexcept {
  return reinterpret_cast<const uint32_t*>(block);
}

}  // namespace

uint32_t& KeptBytes::entry(uint64_t number) noexcept {
  if (table_ == kNoStreamBlock) return inline_[number % kInlineBlocks];
  return numbers_in(memory_.data(table_))[number % kNumbersPerBlock];
}

uint32_t KeptBytes::entry(uint64_t number) const noexcept {
  if (table_ == kNoStreamBlock) return inline_[number % kInlineBlocks];
  return numbers_in(
      static_cast<const StreamMemory&>(memory_).data(table_))[number % kNumbersPerBlock];
}

bool KeptBytes::move_to_table() noexcept {
  const uint32_t table = memory_.take();
  if (table == kNoStreamBlock) return false;
  uint32_t* numbers = numbers_in(memory_.data(table));
  for (uint64_t number = first_; number < end_; ++number) {
    numbers[number % kNumbersPerBlock] = inline_[number % kInlineBlocks];
  }
  table_ = table;
  return true;
}

// Makes [first_, end_) include [first, end); the new ones are absent.
bool KeptBytes::cover(uint64_t first, uint64_t end) noexcept {
  if (is_empty()) first_ = end_ = first;
  const uint64_t new_first = std::min(first, first_);
  const uint64_t new_end = std::max(end, end_);
  if (new_end - new_first > kNumbersPerBlock) return false;
  if (table_ == kNoStreamBlock && new_end - new_first > kInlineBlocks && !move_to_table()) {
    return false;
  }
  while (first_ > new_first) entry(--first_) = kNoStreamBlock;
  while (end_ < new_end) entry(end_++) = kNoStreamBlock;
  return true;
}

bool KeptBytes::reserve(uint64_t begin, uint64_t end) noexcept {
  if (begin >= end) return true;
  const uint64_t first = number_of(begin);
  const uint64_t last = number_of(end - 1);
  if (first < first_ || last >= end_ || is_empty()) {
    if (!cover(first, last + 1)) return false;
  }
  for (uint64_t number = first; number <= last; ++number) {
    uint32_t& block = entry(number);
    if (block != kNoStreamBlock) continue;
    block = memory_.take();
    if (block == kNoStreamBlock) return false;
  }
  return true;
}

void KeptBytes::release_before(uint64_t position) noexcept {
  const uint64_t keep = number_of(position);
  while (first_ < end_ && first_ < keep) {
    const uint32_t block = entry(first_++);
    if (block != kNoStreamBlock) memory_.give_back(block);
  }
  if (is_empty() && table_ != kNoStreamBlock) {
    memory_.give_back(table_);
    table_ = kNoStreamBlock;
  }
}

void KeptBytes::release_all() noexcept {
  if (!is_empty()) release_before(end_ * kStreamBlockBytes);
}

void KeptBytes::write(uint64_t position, std::span<const uint8_t> bytes) noexcept {
  while (!bytes.empty()) {
    const size_t offset = offset_in(position);
    const size_t count = std::min(bytes.size(), kStreamBlockBytes - offset);
    std::memcpy(memory_.data(entry(number_of(position))) + offset, bytes.data(), count);
    position += count;
    bytes = bytes.subspan(count);
  }
}

std::span<const uint8_t> KeptBytes::read(uint64_t position, uint64_t end) const noexcept {
  const size_t offset = offset_in(position);
  const size_t count = std::min<uint64_t>(end - position, kStreamBlockBytes - offset);
  return {memory_.data(entry(number_of(position))) + offset, count};
}

size_t KeptBytes::compare(uint64_t position, std::span<uint8_t> bytes,
                          bool restore) const noexcept {
  size_t differing = 0;
  while (!bytes.empty()) {
    const std::span<const uint8_t> held = read(position, position + bytes.size());
    if (std::memcmp(held.data(), bytes.data(), held.size()) != 0) {
      for (size_t index = 0; index < held.size(); ++index) {
        differing += held[index] != bytes[index] ? 1U : 0U;
      }
      if (restore) std::memcpy(bytes.data(), held.data(), held.size());
    }
    position += held.size();
    bytes = bytes.subspan(held.size());
  }
  return differing;
}

}  // namespace masugata::dataplane
