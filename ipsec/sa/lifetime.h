// SPDX-License-Identifier: GPL-2.0-or-later
// How long an SA may be used: time, bytes, packets; when to renew it, when to stop.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "ipsec/sa/sa_parameters.h"
#include "net/relaxed_counter.h"

namespace masugata::ipsec {

enum class LifetimeState : uint8_t {
  Fresh,
  Soft,  // to be renewed; still works
  Hard,  // refuses every packet
};

// Counts what the owner worker charges; other threads may read. Times are of one monotonic clock in
// milliseconds. What was charged never exceeds a hard limit: the packet that would is refused, and
// with it all that follow, however small.
class Lifetime {
 public:
  Lifetime(const LifetimeLimits& soft, const LifetimeLimits& hard, uint64_t now_ms) noexcept
      : hard_bytes_(limit_of(hard.bytes)),
        hard_packets_(limit_of(hard.packets)),
        hard_at_ms_(deadline_of(hard.seconds, now_ms)),
        soft_bytes_(limit_of(soft.bytes)),
        soft_packets_(limit_of(soft.packets)),
        soft_at_ms_(deadline_of(soft.seconds, now_ms)),
        since_ms_(now_ms) {}

  // Counts one packet of `bytes`; false when the hard lifetime is over, and nothing is counted.
  // Owner worker; for inbound packets after the replay check that follows authentication.
  [[nodiscard]] bool charge(uint64_t bytes, uint64_t now_ms) noexcept {
    if (over(now_ms)) return false;
    if (bytes > hard_bytes_ - bytes_.get()) {
      closed_.store(true, std::memory_order_relaxed);
      return false;
    }
    bytes_.add(bytes);
    packets_.add(1);
    last_use_ms_.set(now_ms);
    return true;
  }

  // Whether charge() would refuse any packet.
  [[nodiscard]] bool over(uint64_t now_ms) const noexcept {
    return closed_.load(std::memory_order_relaxed) || now_ms >= hard_at_ms_ ||
           packets_.get() >= hard_packets_ || bytes_.get() >= hard_bytes_;
  }

  // Any thread.
  [[nodiscard]] LifetimeState state(uint64_t now_ms) const noexcept {
    if (over(now_ms)) return LifetimeState::Hard;
    const bool soft =
        now_ms >= soft_at_ms_ || packets_.get() >= soft_packets_ || bytes_.get() >= soft_bytes_;
    return soft ? LifetimeState::Soft : LifetimeState::Fresh;
  }

  [[nodiscard]] uint64_t bytes() const noexcept { return bytes_.get(); }
  [[nodiscard]] uint64_t packets() const noexcept { return packets_.get(); }
  [[nodiscard]] uint64_t since_ms() const noexcept { return since_ms_; }
  // 0 before the first packet.
  [[nodiscard]] uint64_t last_use_ms() const noexcept { return last_use_ms_.get(); }
  // When time makes the state Soft or Hard; the largest number when it never does.
  [[nodiscard]] uint64_t soft_at_ms() const noexcept { return soft_at_ms_; }
  [[nodiscard]] uint64_t hard_at_ms() const noexcept { return hard_at_ms_; }

 private:
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();
  static uint64_t limit_of(uint64_t configured) noexcept {
    return configured == 0 ? kNever : configured;
  }
  static uint64_t deadline_of(uint64_t seconds, uint64_t now_ms) noexcept {
    if (seconds == 0 || seconds > (kNever - now_ms) / 1000) return kNever;
    return now_ms + seconds * 1000;
  }

  // What every packet reads and writes stands first.
  net::RelaxedCounter bytes_;
  net::RelaxedCounter packets_;
  net::RelaxedCounter last_use_ms_;
  uint64_t hard_bytes_;
  uint64_t hard_packets_;
  uint64_t hard_at_ms_;
  std::atomic<bool> closed_{false};
  uint64_t soft_bytes_;
  uint64_t soft_packets_;
  uint64_t soft_at_ms_;
  uint64_t since_ms_;
};

}  // namespace masugata::ipsec
