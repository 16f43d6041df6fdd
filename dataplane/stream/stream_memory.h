// SPDX-License-Identifier: GPL-2.0-or-later
// The blocks that all streams of one worker keep bytes in: taken once at start, never more.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/session/memory_source.h"

namespace masugata::dataplane {

inline constexpr size_t kStreamBlockBytes = 4096;
inline constexpr uint32_t kNoStreamBlock = 0xffffffff;
inline constexpr size_t kShareOfFree = 8;

// Thread: the worker's. The last block given back is the next one taken, while it is in the cache.
class StreamMemory {
 public:
  StreamMemory() = default;
  StreamMemory(const StreamMemory&) = delete;
  StreamMemory& operator=(const StreamMemory&) = delete;

  // Takes `bytes` (rounded down to blocks, at least one) from `source`, which must outlive this;
  // false when it has not that much. Call once, before use.
  [[nodiscard]] bool allocate(MemorySource& source, size_t bytes) noexcept;

  // An index of a block with unspecified content, or kNoStreamBlock when all are in use.
  [[nodiscard]] uint32_t take() noexcept {
    return free_count_ == 0 ? kNoStreamBlock : free_[--free_count_];
  }
  void give_back(uint32_t block) noexcept { free_[free_count_++] = block; }

  [[nodiscard]] uint8_t* data(uint32_t block) noexcept {
    return bytes_.data() + size_t{block} * kStreamBlockBytes;
  }
  [[nodiscard]] const uint8_t* data(uint32_t block) const noexcept {
    return bytes_.data() + size_t{block} * kStreamBlockBytes;
  }
  [[nodiscard]] size_t free_blocks() const noexcept { return free_count_; }
  [[nodiscard]] size_t all_blocks() const noexcept { return free_.size(); }

  // How many bytes one direction of a stream should hold at most now: a share of what is free, so
  // that many streams together come near the bound but not to it. Each of n that want more than
  // that gets 1 / (kShareOfFree + n) of all.
  [[nodiscard]] uint64_t affordable_bytes() const noexcept {
    return uint64_t{free_count_} * kStreamBlockBytes / kShareOfFree;
  }

 private:
  SourcedArray<uint8_t> bytes_;
  SourcedArray<uint32_t> free_;
  size_t free_count_ = 0;
};

}  // namespace masugata::dataplane
