// SPDX-License-Identifier: GPL-2.0-or-later
// Time for workers: the processor's counter, turned into microseconds.
#pragma once

#include <rte_cycles.h>

#include <cstdint>

#include "dataplane/pipeline/worker.h"

namespace masugata::dataplane {

// Any thread; all threads see the same time (invariant TSC). Starts a little above zero.
class WorkerClock {
 public:
  WorkerClock() noexcept = default;
  // After EAL has started, which measures the counter's rate.
  void start() noexcept {
    origin_ = rte_rdtsc();
    hertz_ = rte_get_tsc_hz();
  }
  [[nodiscard]] WorkerTime now() const noexcept {
    const auto elapsed = static_cast<unsigned __int128>(rte_rdtsc() - origin_);
    constexpr uint64_t kStartUs = 1'000'000;
    return {static_cast<uint64_t>(elapsed * 1'000'000 / hertz_) + kStartUs};
  }
  [[nodiscard]] uint64_t hertz() const noexcept { return hertz_; }

 private:
  uint64_t origin_ = 0;
  uint64_t hertz_ = 1;
};

}  // namespace masugata::dataplane
