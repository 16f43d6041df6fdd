// SPDX-License-Identifier: GPL-2.0-or-later
// Key material in a fixed place that is wiped when it is no longer needed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace masugata::ipsec {

// Up to kCapacity bytes of a key. Never printable: no to_string(), no stream operator, no
// comparison that could end in a test's message. Moving wipes the source; copies are made by
// duplicate() only, so that each of them stands in the text. Any thread, not shared.
class KeyBytes {
 public:
  // The longest: HMAC-SHA-512 (RFC 4868 section 2.1.1).
  static constexpr size_t kCapacity = 64;

  KeyBytes() noexcept = default;
  KeyBytes(const KeyBytes&) = delete;
  KeyBytes& operator=(const KeyBytes&) = delete;
  KeyBytes(KeyBytes&& other) noexcept { take(other); }
  KeyBytes& operator=(KeyBytes&& other) noexcept {
    if (this != &other) {
      wipe();
      take(other);
    }
    return *this;
  }
  ~KeyBytes() { wipe(); }

  // Replaces the content. False, and empty afterwards, when `bytes` is longer than kCapacity. Who
  // gave the bytes wipes them.
  [[nodiscard]] bool assign(std::span<const uint8_t> bytes) noexcept {
    wipe();
    if (bytes.size() > kCapacity) return false;
    if (!bytes.empty()) std::memcpy(bytes_.data(), bytes.data(), bytes.size());
    size_ = static_cast<uint8_t>(bytes.size());
    return true;
  }
  [[nodiscard]] KeyBytes duplicate() const noexcept {
    KeyBytes copy;
    copy.bytes_ = bytes_;
    copy.size_ = size_;
    return copy;
  }
  void wipe() noexcept {
    explicit_bzero(bytes_.data(), bytes_.size());
    size_ = 0;
  }

  [[nodiscard]] std::span<const uint8_t> span() const noexcept { return {bytes_.data(), size_}; }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

 private:
  void take(KeyBytes& other) noexcept {
    bytes_ = other.bytes_;
    size_ = other.size_;
    other.wipe();
  }

  std::array<uint8_t, kCapacity> bytes_{};
  uint8_t size_ = 0;
};

}  // namespace masugata::ipsec
