// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/load_sampler.h"

#include <algorithm>

namespace masugata::dataplane {

void LoadSampler::take(uint64_t cycles) {
  Sample sample;
  sample.cycles = cycles;
  for (const WorkerCounters* worker : workers_) {
    sample.busy_cycles.push_back(worker->busy_cycles.get());
    for (size_t reason = 0; reason < kDropReasonCount; ++reason) {
      sample.drops[reason] += worker->drops[reason].get();
    }
  }
  samples_.push_back(std::move(sample));
  if (samples_.size() > kSamples) samples_.pop_front();
}

double LoadSampler::busy_percent(size_t worker) const {
  if (samples_.size() < 2) return 0;
  const Sample& newest = samples_.back();
  const Sample& before = samples_[samples_.size() - 2];
  const auto elapsed = static_cast<double>(newest.cycles - before.cycles);
  const auto busy = static_cast<double>(newest.busy_cycles[worker] - before.busy_cycles[worker]);
  return elapsed > 0 ? std::min(100.0, 100.0 * busy / elapsed) : 0;
}

double LoadSampler::interval_seconds() const {
  if (samples_.size() < 2) return 0;
  return static_cast<double>(samples_.back().cycles - samples_.front().cycles) /
         static_cast<double>(cycles_per_second_);
}

double LoadSampler::drops_per_second(DropReason reason) const {
  const double seconds = interval_seconds();
  if (seconds <= 0) return 0;
  const auto index = static_cast<size_t>(reason);
  return static_cast<double>(samples_.back().drops[index] - samples_.front().drops[index]) /
         seconds;
}

}  // namespace masugata::dataplane
