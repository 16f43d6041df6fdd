// SPDX-License-Identifier: GPL-2.0-or-later
// Finding one byte string in a buffer, with or without regard to ASCII case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace masugata::ids {

// A byte string prepared for search: which two of its bytes are compared first (the rarest ones in
// usual traffic), so that few places need the whole comparison. Immutable; any thread.
class SearchPattern {
 public:
  static constexpr size_t kNotFound = static_cast<size_t>(-1);

  SearchPattern() = default;
  // `bytes` must not be empty. With `nocase` letters A-Z and a-z are the same; others are exact.
  SearchPattern(std::string_view bytes, bool nocase);

  // Position of the first occurrence in `bytes` that lies wholly inside it, or kNotFound.
  // Linear in practice: 16 places at a time.
  [[nodiscard]] size_t find(std::span<const uint8_t> bytes) const noexcept;
  // Does the pattern stand at bytes[0]? False when there are fewer bytes.
  [[nodiscard]] bool matches_at_start(std::span<const uint8_t> bytes) const noexcept;

  [[nodiscard]] size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] bool nocase() const noexcept { return nocase_; }

 private:
  [[nodiscard]] bool equal_at(const uint8_t* place) const noexcept;
  [[nodiscard]] size_t find_short(const uint8_t* bytes, size_t places) const noexcept;

  std::string bytes_;  // lower-case when nocase_
  bool nocase_ = false;
  // Places of the two bytes that are compared first, and how: (byte | fold) == value.
  uint16_t first_place_ = 0;
  uint16_t second_place_ = 0;
  uint8_t first_value_ = 0;
  uint8_t first_fold_ = 0;
  uint8_t second_value_ = 0;
  uint8_t second_fold_ = 0;
};

// A-Z to a-z, everything else as it is.
[[nodiscard]] constexpr uint8_t to_lower_ascii(uint8_t byte) noexcept {
  return byte >= 'A' && byte <= 'Z' ? static_cast<uint8_t>(byte | 0x20U) : byte;
}

}  // namespace masugata::ids
