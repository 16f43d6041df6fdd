// SPDX-License-Identifier: GPL-2.0-or-later
// The last bytes of one direction of a stream, in one piece, for rules that look back.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace masugata::ids {

// Holds all bytes from the stream's start until `limit` of them have come; then the older half
// goes. Memory: at most `limit` bytes.
class StreamWindow {
 public:
  // Bytes longer than `limit` leave only their last `limit`. False when memory is short: the
  // window is then as after skip().
  bool append(std::span<const uint8_t> bytes, size_t limit) noexcept;
  // `count` bytes of the stream are missing: what came before them is forgotten.
  void skip(uint64_t count) noexcept;
  void release() noexcept;

  [[nodiscard]] std::span<const uint8_t> bytes() const noexcept { return bytes_; }
  // Number in the stream of the first byte kept, and of the one after the last.
  [[nodiscard]] uint64_t first() const noexcept { return first_; }
  [[nodiscard]] uint64_t end() const noexcept { return first_ + bytes_.size(); }
  [[nodiscard]] size_t memory_bytes() const noexcept { return bytes_.capacity(); }

 private:
  std::vector<uint8_t> bytes_;
  uint64_t first_ = 0;
};

}  // namespace masugata::ids
