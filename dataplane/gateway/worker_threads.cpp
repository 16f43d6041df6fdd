// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/worker_threads.h"

#include <fmt/format.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <array>

namespace masugata::dataplane {
namespace {

struct Launch {
  Worker* worker = nullptr;
  WorkerThreadSettings settings;
};

// One per lcore; lives as long as the process, because threads read it.
std::array<Launch, RTE_MAX_LCORE> launches;

// Idle turns before a worker gives its core away: a packet that comes within that time is met by a
// polling worker.
constexpr uint32_t kIdleTurns = 256;
constexpr uint32_t kMostSleepsCounted = 100;

// `sleeps`: how many have gone before, with nothing between.
void rest(const WorkerThreadSettings& settings, uint32_t worker, uint32_t sleeps) noexcept {
  if (settings.idle.kind == IdleKind::Busy) return;
  settings.quiescence->go_offline(worker);
  if (settings.idle.kind == IdleKind::Yield) {
    sched_yield();
  } else {
    const timespec time{0, static_cast<long>(settings.idle.next_sleep_us(sleeps)) * 1000};
    nanosleep(&time, nullptr);
  }
  settings.quiescence->go_online(worker);
}

int run_worker(void* argument) {
  const Launch& launch = *static_cast<const Launch*>(argument);
  const WorkerThreadSettings& settings = launch.settings;
  const uint32_t worker = launch.worker->context().worker;
  launch.worker->inspector().begin();
  settings.quiescence->register_worker(worker);
  uint32_t idle_turns = 0;
  while (!settings.stop->load(std::memory_order_relaxed)) {
    if (launch.worker->run_once(settings.clock->now())) {
      idle_turns = 0;
    } else if (++idle_turns >= kIdleTurns) {
      rest(settings, worker, idle_turns - kIdleTurns);
      idle_turns = std::min(idle_turns, kIdleTurns + kMostSleepsCounted);
    }
  }
  settings.quiescence->unregister_worker(worker);
  return 0;
}

}  // namespace

Status launch_workers(const std::vector<std::unique_ptr<Worker>>& workers,
                      const WorkerThreadSettings& settings) {
  for (unsigned i = 0; i < workers.size(); ++i) {
    const unsigned lcore = i + 1;
    launches[lcore] = {workers[i].get(), settings};
    const int launched = rte_eal_remote_launch(run_worker, &launches[lcore], lcore);
    if (launched != 0) {
      return failure(fmt::format("worker {}", i), fmt::format("lcore {} does not start", lcore));
    }
  }
  return {};
}

void join_workers() { rte_eal_mp_wait_lcore(); }

}  // namespace masugata::dataplane
