// SPDX-License-Identifier: GPL-2.0-or-later
// How many packets of its own a worker may send.
#pragma once

#include <cstdint>

namespace masugata::dataplane {

// A token bucket (RFC 4443 section 2.4 f, RFC 1812 section 4.3.2.8) over a wrapping millisecond
// clock. One worker's. Use separate ones for ICMP errors and TCP resets.
class IcmpRateLimiter {
 public:
  // `per_second`: long-run rate; `burst`: at most this many at once. 0 of either: nothing passes.
  // Full at the start.
  explicit IcmpRateLimiter(uint32_t per_second = 1000, uint32_t burst = 100) noexcept
      : per_second_(per_second),
        capacity_(static_cast<uint64_t>(burst) * kTokenUnits),
        level_(per_second == 0 ? 0 : capacity_) {}

  // Takes a token; false when there is none. Counts both.
  [[nodiscard]] bool allow(uint32_t now_ms) noexcept {
    refill(now_ms);
    if (level_ < kTokenUnits) {
      ++suppressed_;
      return false;
    }
    level_ -= kTokenUnits;
    ++allowed_;
    return true;
  }

  [[nodiscard]] uint64_t allowed() const noexcept { return allowed_; }
  [[nodiscard]] uint64_t suppressed() const noexcept { return suppressed_; }

 private:
  static constexpr uint64_t kTokenUnits = 1000;  // one token; a millisecond adds per_second units

  void refill(uint32_t now_ms) noexcept {
    if (!started_) {
      started_ = true;
      last_ms_ = now_ms;
    }
    const auto elapsed = static_cast<int32_t>(now_ms - last_ms_);
    if (elapsed <= 0) return;
    last_ms_ = now_ms;
    level_ += static_cast<uint64_t>(elapsed) * per_second_;
    if (level_ > capacity_) level_ = capacity_;
  }

  uint64_t per_second_;
  uint64_t capacity_;
  uint64_t level_;
  uint64_t allowed_ = 0;
  uint64_t suppressed_ = 0;
  uint32_t last_ms_ = 0;
  bool started_ = false;
};

}  // namespace masugata::dataplane
