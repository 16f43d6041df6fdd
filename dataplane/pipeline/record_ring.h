// SPDX-License-Identifier: GPL-2.0-or-later
// Records from one worker to the control thread: trace lines, policy logs.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace masugata::dataplane {

// One producer, one consumer, wait-free. At the bound the newest record is refused; the producer
// counts it. `Capacity` is a power of two.
template <class Record, uint32_t Capacity>
class RecordRing {
  static_assert(std::is_trivially_copyable_v<Record>);
  static_assert((Capacity & (Capacity - 1)) == 0);

 public:
  RecordRing() : records_(std::make_unique<Record[]>(Capacity)) {}

  bool push(const Record& record) noexcept {
    const uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == Capacity) return false;
    records_[tail & (Capacity - 1)] = record;
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  bool pop(Record& record) noexcept {
    const uint32_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    record = records_[head & (Capacity - 1)];
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

 private:
  alignas(64) std::atomic<uint32_t> tail_{0};
  alignas(64) std::atomic<uint32_t> head_{0};
  std::unique_ptr<Record[]> records_;
};

}  // namespace masugata::dataplane
