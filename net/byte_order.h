// SPDX-License-Identifier: GPL-2.0-or-later
// Integers as they lie on the wire. A Be16 never turns into a number by accident.
#pragma once

#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>

namespace masugata::net {

static_assert(std::endian::native == std::endian::little, "written for x86-64");

// A big-endian (network order, RFC 1700) 16-bit field. `raw` holds the bytes as on the wire.
struct Be16 {
  uint16_t raw = 0;
  static constexpr Be16 from_host(uint16_t value) noexcept { return {__builtin_bswap16(value)}; }
  [[nodiscard]] constexpr uint16_t host() const noexcept { return __builtin_bswap16(raw); }
  friend constexpr bool operator==(Be16, Be16) noexcept = default;
};

// A big-endian 32-bit field. `raw` holds the bytes as on the wire.
struct Be32 {
  uint32_t raw = 0;
  static constexpr Be32 from_host(uint32_t value) noexcept { return {__builtin_bswap32(value)}; }
  [[nodiscard]] constexpr uint32_t host() const noexcept { return __builtin_bswap32(raw); }
  friend constexpr bool operator==(Be32, Be32) noexcept = default;
};

// Unaligned loads and stores of wire fields; the caller has proved that the bytes are there.
[[nodiscard]] inline Be16 load_be16(const uint8_t* bytes) noexcept {
  Be16 value;
  std::memcpy(&value.raw, bytes, sizeof value.raw);
  return value;
}
[[nodiscard]] inline Be32 load_be32(const uint8_t* bytes) noexcept {
  Be32 value;
  std::memcpy(&value.raw, bytes, sizeof value.raw);
  return value;
}
inline void store(uint8_t* bytes, Be16 value) noexcept {
  std::memcpy(bytes, &value.raw, sizeof value.raw);
}
inline void store(uint8_t* bytes, Be32 value) noexcept {
  std::memcpy(bytes, &value.raw, sizeof value.raw);
}

}  // namespace masugata::net
