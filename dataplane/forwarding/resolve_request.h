// SPDX-License-Identifier: GPL-2.0-or-later
// How a worker asks the control thread to find a neighbour: one ring per worker.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/forwarding/neighbour_key.h"

namespace masugata::dataplane {

// One producer (the worker), one consumer (the control thread), wait-free on both sides. At the
// bound the newest request is refused; ResolveQueue asks again after its retry time.
class ResolveRequestRing {
 public:
  static constexpr uint32_t kCapacity = 256;

  // Worker. False when full.
  bool push(const NeighbourKey& key) noexcept {
    const uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == kCapacity) return false;
    requests_[tail % kCapacity] = key;
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // Control thread. False when empty.
  bool pop(NeighbourKey& key) noexcept {
    const uint32_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    key = requests_[head % kCapacity];
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

 private:
  alignas(64) std::atomic<uint32_t> tail_{0};
  alignas(64) std::atomic<uint32_t> head_{0};
  alignas(64) std::array<NeighbourKey, kCapacity> requests_{};
};

}  // namespace masugata::dataplane
