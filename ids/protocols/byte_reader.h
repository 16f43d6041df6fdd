// SPDX-License-Identifier: GPL-2.0-or-later
// Reads big-endian fields one after the other. Reading beyond the end yields zeros and makes the
// reader not ok() for good, so that a row of fields needs one check.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace masugata::ids {

class ByteReader {
 public:
  explicit ByteReader(std::span<const uint8_t> bytes) noexcept : bytes_(bytes) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] size_t position() const noexcept { return position_; }
  [[nodiscard]] size_t left() const noexcept { return bytes_.size() - position_; }
  [[nodiscard]] std::span<const uint8_t> rest() const noexcept { return bytes_.subspan(position_); }

  uint8_t u8() noexcept { return static_cast<uint8_t>(number(1)); }
  uint16_t u16() noexcept { return static_cast<uint16_t>(number(2)); }
  uint32_t u24() noexcept { return static_cast<uint32_t>(number(3)); }
  uint32_t u32() noexcept { return static_cast<uint32_t>(number(4)); }

  // The next `count` bytes; empty and no longer ok() when there are fewer.
  std::span<const uint8_t> take(size_t count) noexcept {
    if (count > left()) {
      fail();
      return {};
    }
    const auto taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }
  // Bytes that a length of 8, 16 or 24 bits announces.
  std::span<const uint8_t> take_counted8() noexcept { return take(u8()); }
  std::span<const uint8_t> take_counted16() noexcept { return take(u16()); }
  std::span<const uint8_t> take_counted24() noexcept { return take(u24()); }
  void skip(size_t count) noexcept { (void)take(count); }

 private:
  uint64_t number(size_t count) noexcept {
    uint64_t value = 0;
    for (const uint8_t byte : take(count)) value = value << 8U | byte;
    return value;
  }
  void fail() noexcept {
    ok_ = false;
    position_ = bytes_.size();
  }

  std::span<const uint8_t> bytes_;
  size_t position_ = 0;
  bool ok_ = true;
};

}  // namespace masugata::ids
