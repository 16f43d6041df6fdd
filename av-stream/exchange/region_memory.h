// SPDX-License-Identifier: GPL-2.0-or-later
// The mapping of one region (exchange_layout.h), made by the gateway or taken over by the scanner.
#pragma once

#include <cstddef>
#include <cstdint>

#include "av-stream/exchange/exchange_layout.h"
#include "result/result.h"

namespace masugata::av {

// Owns the mapping and, where it made the memory, the descriptor. What the accessors give is shared
// with the other side: each value is to be read once and checked. Indexes are the caller's to
// check.
class RegionMemory {
 public:
  // A new region of `blocks` (1..kMaximumBlocks) in a sealed memfd: nobody can change its size.
  // Its pages are given by the kernel as they are used.
  [[nodiscard]] static Result<RegionMemory> create(uint32_t blocks);
  // Maps what another process made. The descriptor stays the caller's and is not needed afterwards.
  // A fault when it is not a sealed memfd of exactly the size that its header says.
  [[nodiscard]] static Result<RegionMemory> open(int descriptor);

  RegionMemory(RegionMemory&& other) noexcept;
  RegionMemory& operator=(RegionMemory&& other) noexcept;
  RegionMemory(const RegionMemory&) = delete;
  RegionMemory& operator=(const RegionMemory&) = delete;
  ~RegionMemory();

  // -1 for a region that was opened.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  // As it was when it was mapped, whatever the header says now.
  [[nodiscard]] uint32_t blocks() const noexcept { return blocks_; }
  [[nodiscard]] RegionHeader& header() const noexcept {
    return *reinterpret_cast<RegionHeader*>(base_);
  }
  [[nodiscard]] ScanSlot& slot(uint32_t index) const noexcept {
    return reinterpret_cast<ScanSlot*>(base_ + slots_offset())[index];
  }
  [[nodiscard]] uint32_t& link(uint32_t block) const noexcept {
    return reinterpret_cast<uint32_t*>(base_ + links_offset())[block];
  }
  [[nodiscard]] uint8_t* block(uint32_t block) const noexcept {
    return base_ + blocks_offset_ + static_cast<size_t>(block) * kBlockBytes;
  }

 private:
  RegionMemory(uint8_t* base, uint32_t blocks, int descriptor) noexcept
      : base_(base),
        blocks_offset_(blocks_offset(blocks)),
        blocks_(blocks),
        descriptor_(descriptor) {}
  void release() noexcept;

  uint8_t* base_ = nullptr;
  size_t blocks_offset_ = 0;
  uint32_t blocks_ = 0;
  int descriptor_ = -1;
};

}  // namespace masugata::av
