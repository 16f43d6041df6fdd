// SPDX-License-Identifier: GPL-2.0-or-later
// Wire fields of a span; the caller has proved that the bytes are there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace masugata::test {

[[nodiscard]] inline uint64_t read_u16(std::span<const uint8_t> bytes, size_t offset) {
  return static_cast<uint64_t>(bytes[offset]) << 8U | bytes[offset + 1];
}

[[nodiscard]] inline uint64_t read_u32(std::span<const uint8_t> bytes, size_t offset) {
  return read_u16(bytes, offset) << 16U | read_u16(bytes, offset + 2);
}

}  // namespace masugata::test
