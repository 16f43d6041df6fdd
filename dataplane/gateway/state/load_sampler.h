// SPDX-License-Identifier: GPL-2.0-or-later
// Rates: how busy workers are, how fast drops come. Counters only grow; somebody must remember.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "dataplane/pipeline/counters.h"

namespace masugata::dataplane {

// Control thread. take() once a second; keeps the last kSamples.
class LoadSampler {
 public:
  static constexpr size_t kSamples = 11;  // ten seconds
  static constexpr uint64_t kPeriodMs = 1000;

  // `workers` outlive this; `cycles_per_second` is the rate of `cycles`.
  LoadSampler(std::vector<const WorkerCounters*> workers, uint64_t cycles_per_second)
      : workers_(std::move(workers)), cycles_per_second_(cycles_per_second) {}

  // `cycles`: the time stamp counter now.
  void take(uint64_t cycles);

  // Share of the last whole period that the worker spent in turns with something to do, 0..100; 0
  // before there are two samples.
  [[nodiscard]] double busy_percent(size_t worker) const;
  // Over interval_seconds(), all workers.
  [[nodiscard]] double drops_per_second(DropReason reason) const;
  // Between the oldest and the newest sample.
  [[nodiscard]] double interval_seconds() const;

 private:
  struct Sample {
    uint64_t cycles = 0;
    std::vector<uint64_t> busy_cycles;  // by worker
    std::array<uint64_t, kDropReasonCount> drops{};
  };
  std::vector<const WorkerCounters*> workers_;
  uint64_t cycles_per_second_;
  std::deque<Sample> samples_;  // oldest first
};

}  // namespace masugata::dataplane
