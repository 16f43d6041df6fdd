// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes of a stream by their position, in blocks of a StreamMemory. Knows which blocks it has, not
// which bytes of them are meaningful.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/stream/stream_memory.h"

namespace masugata::dataplane {

// Positions that can be held at once, from the oldest to the newest: what one block of block
// numbers can name, less one because neither end lies at a block's boundary.
inline constexpr uint32_t kMaximumSpanBytes =
    static_cast<uint32_t>((kStreamBlockBytes / sizeof(uint32_t) - 1) * kStreamBlockBytes);

// Thread: the worker's; packet path. Up to kInlineBlocks blocks next to each other need nothing
// else, more take one further block for their numbers.
class KeptBytes {
 public:
  explicit KeptBytes(StreamMemory& memory) noexcept : memory_(memory) {}
  KeptBytes(const KeptBytes&) = delete;
  KeptBytes& operator=(const KeptBytes&) = delete;
  ~KeptBytes() { release_all(); }

  // Provides room for [begin, end); false when memory is used up, or when the span from the oldest
  // held position would exceed kMaximumSpanBytes. Room provided in part stays.
  [[nodiscard]] bool reserve(uint64_t begin, uint64_t end) noexcept;
  // Gives blocks back that lie wholly before `position`.
  void release_before(uint64_t position) noexcept;
  void release_all() noexcept;

  // All within reserved room.
  void write(uint64_t position, std::span<const uint8_t> bytes) noexcept;
  // What is held from `position` on, at most to `end`, as far as it lies in one block.
  [[nodiscard]] std::span<const uint8_t> read(uint64_t position, uint64_t end) const noexcept;
  // How many bytes of `bytes` differ from what is held at `position`; `restore`: sets them right.
  size_t compare(uint64_t position, std::span<uint8_t> bytes, bool restore) const noexcept;

  [[nodiscard]] bool is_empty() const noexcept { return first_ == end_; }

 private:
  static constexpr size_t kInlineBlocks = 4;
  static constexpr size_t kNumbersPerBlock = kStreamBlockBytes / sizeof(uint32_t);

  [[nodiscard]] uint32_t& entry(uint64_t number) noexcept;
  [[nodiscard]] uint32_t entry(uint64_t number) const noexcept;
  [[nodiscard]] bool cover(uint64_t first, uint64_t end) noexcept;
  [[nodiscard]] bool move_to_table() noexcept;

  StreamMemory& memory_;
  uint64_t first_ = 0;  // block numbers held: [first_, end_), some of them still absent
  uint64_t end_ = 0;
  uint32_t table_ = kNoStreamBlock;
  std::array<uint32_t, kInlineBlocks> inline_{};
};

}  // namespace masugata::dataplane
