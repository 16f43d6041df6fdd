// SPDX-License-Identifier: GPL-2.0-or-later
// Appends wire fields to a growing packet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace masugata::test {

class ByteWriter {
 public:
  void u8(uint64_t value) { bytes_.push_back(static_cast<uint8_t>(value)); }
  void u16(uint64_t value) {
    u8(value >> 8U);
    u8(value);
  }
  void u32(uint64_t value) {
    u16(value >> 16U);
    u16(value);
  }
  void append(std::span<const uint8_t> more) {
    bytes_.insert(bytes_.end(), more.begin(), more.end());
  }
  void zeros_up_to_multiple_of(size_t unit) {
    while (bytes_.size() % unit != 0) bytes_.push_back(0);
  }
  // Overwrites two bytes that were appended before.
  void put_u16(size_t offset, uint64_t value) {
    bytes_[offset] = static_cast<uint8_t>(value >> 8U);
    bytes_[offset + 1] = static_cast<uint8_t>(value);
  }
  [[nodiscard]] size_t size() const { return bytes_.size(); }
  [[nodiscard]] const std::vector<uint8_t>& bytes() const { return bytes_; }
  [[nodiscard]] std::vector<uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace masugata::test
