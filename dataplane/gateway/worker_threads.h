// SPDX-License-Identifier: GPL-2.0-or-later
// The threads that workers run in: EAL's worker lcores.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "dataplane/gateway/worker_clock.h"
#include "dataplane/pipeline/worker.h"
#include "dataplane/platform/hw_profile.h"
#include "result/result.h"

namespace masugata::dataplane {

struct WorkerThreadSettings {
  const std::atomic<bool>* stop = nullptr;
  const WorkerClock* clock = nullptr;
  QuiescenceDomain* quiescence = nullptr;
  IdlePolicy idle;
};

// Starts worker i on lcore i + 1. Settings and workers outlive the threads.
[[nodiscard]] Status launch_workers(const std::vector<std::unique_ptr<Worker>>& workers,
                                    const WorkerThreadSettings& settings);
// Returns when all have ended, after `stop` was set.
void join_workers();

}  // namespace masugata::dataplane
