// SPDX-License-Identifier: GPL-2.0-or-later
// A count that one thread writes and others read.
#pragma once

#include <atomic>
#include <cstdint>

namespace masugata::net {

// One writer, any readers; as cheap as a plain integer. A reader sees the figure whole, but two
// counters not at the same moment.
class RelaxedCounter {
 public:
  void add(uint64_t amount) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void set(uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

}  // namespace masugata::net
