// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/show_machine.h"

#include <fmt/format.h>
#include <rte_mempool.h>

#include <algorithm>

namespace masugata::dataplane {
namespace {

constexpr uint64_t kNeighbourBytes = 64;

CounterBase::OfWorker base_of(const CounterBase& base, size_t worker) {
  return worker < base.workers.size() ? base.workers[worker] : CounterBase::OfWorker{};
}

// One row over all workers.
template <class InUse, class Bound, class Bytes>
control::MemoryStatus row(const char* name, const Workers& workers, InUse in_use, Bound bound,
                          Bytes bytes) {
  control::MemoryStatus status;
  status.name = name;
  for (const auto& worker : workers) {
    status.in_use += in_use(worker->context().gauges).get();
    status.bound += bound(worker->settings());
    status.bytes += bytes(worker->settings());
  }
  return status;
}

uint64_t session_bytes(const WorkerSettings& settings) {
  SessionTableSettings table;
  table.capacity = settings.sessions;
  table.foreign_capacity = settings.foreign_keys;
  table.zone_count = settings.zones;
  return SessionTable::memory_bytes(table);
}

}  // namespace

CounterBase counters_now(const Workers& workers, const std::vector<PortStatistics>& ports,
                         std::map<std::string, TwinCounters> twins) {
  CounterBase base;
  for (const auto& worker : workers) {
    const WorkerCounters& counters = worker->context().counters;
    CounterBase::OfWorker one;
    for (size_t i = 0; i < kDropReasonCount; ++i) one.drops[i] = counters.drops[i].get();
    for (size_t i = 0; i < kStageCount; ++i) {
      one.stages[i].calls = counters.stages[i].calls.get();
      one.stages[i].packets = counters.stages[i].packets.get();
      one.stages[i].cycles = counters.stages[i].cycles.get();
    }
    one.received = counters.received.get();
    one.from_kernel = counters.from_kernel.get();
    one.nat_exhausted = counters.nat_exhausted.get();
    base.workers.push_back(std::move(one));
  }
  base.ports = ports;
  base.twins = std::move(twins);
  return base;
}

std::vector<control::WorkerStatus> worker_statuses(const Workers& workers,
                                                   const std::vector<uint16_t>& cores,
                                                   const LoadSampler& load,
                                                   const CounterBase& base) {
  std::vector<control::WorkerStatus> statuses;
  for (uint32_t i = 0; i < workers.size(); ++i) {
    const WorkerCounters& counters = workers[i]->context().counters;
    const CounterBase::OfWorker aside = base_of(base, i);
    control::WorkerStatus status;
    status.index = i;
    status.core = i < cores.size() ? cores[i] : 0;
    status.busy_percent = load.busy_percent(i);
    status.packets =
        counters.received.get() - aside.received + counters.from_kernel.get() - aside.from_kernel;
    for (size_t stage = 0; stage < kStageCount; ++stage) {
      control::StageStatus shown;
      shown.name = std::string(stage_name(static_cast<StageId>(stage)));
      shown.calls = counters.stages[stage].calls.get() - aside.stages[stage].calls;
      shown.packets = counters.stages[stage].packets.get() - aside.stages[stage].packets;
      shown.cycles = counters.stages[stage].cycles.get() - aside.stages[stage].cycles;
      status.stages.push_back(std::move(shown));
    }
    statuses.push_back(std::move(status));
  }
  return statuses;
}

std::vector<control::MemoryStatus> memory_statuses(const Workers& workers, const rte_mempool* pool,
                                                   ForwardingPublisher& forwarding) {
  using Gauges = const WorkerGauges&;
  using Settings = const WorkerSettings&;
  const auto unknown = [](Settings) -> uint64_t { return 0; };
  std::vector<control::MemoryStatus> rows;
  rows.push_back(row(
      "sessions", workers, [](Gauges g) -> auto& { return g.sessions; },
      [](Settings s) { return s.sessions; }, session_bytes));
  if (workers.size() > 1) {
    rows.push_back(row(
        "keys of other workers", workers, [](Gauges g) -> auto& { return g.foreign_keys; },
        [](Settings s) { return s.foreign_keys; }, unknown));
  }
  if (pool != nullptr) {
    const uint64_t element = pool->elt_size + pool->header_size + pool->trailer_size;
    rows.push_back(
        {"packet buffers", rte_mempool_in_use_count(pool), pool->size, element * pool->size});
  }
  rows.push_back(row(
      "datagrams in reassembly", workers, [](Gauges g) -> auto& { return g.open_datagrams; },
      [](Settings s) { return s.reassembly.datagrams; }, unknown));
  rows.push_back(row(
      "fragments held", workers, [](Gauges g) -> auto& { return g.held_fragments; },
      [](Settings s) { return s.reassembly.held_fragments; }, unknown));
  rows.push_back(row(
      "packets awaiting a neighbour", workers, [](Gauges g) -> auto& { return g.waiting_packets; },
      [](Settings s) { return s.waiting.maximum_packets; }, unknown));
  rows.push_back(row(
      "expected sessions", workers, [](Gauges g) -> auto& { return g.expectations; },
      [](Settings s) { return s.expectations; }, unknown));
  rows.push_back(row(
      "sequence adjustments", workers, [](Gauges g) -> auto& { return g.sequence_adjustments; },
      [](Settings s) { return s.sequence_adjustments; }, unknown));
  rows.push_back(row(
      "proxied handshakes", workers, [](Gauges g) -> auto& { return g.syn_proxies; },
      [](Settings s) { return s.syn_proxies; }, unknown));
  const ForwardingStatistics statistics = forwarding.statistics();
  const ForwardingSettings& bounds = forwarding.settings();
  rows.push_back({"IPv4 routes", statistics.routes_ipv4, bounds.maximum_routes_ipv4, 0});
  rows.push_back({"IPv6 routes", statistics.routes_ipv6, bounds.maximum_routes_ipv6, 0});
  const uint32_t neighbours = forwarding.neighbours().capacity();
  rows.push_back({"neighbours", statistics.neighbours, neighbours, neighbours * kNeighbourBytes});
  return rows;
}

std::string idle_text(const IdlePolicy& idle) {
  switch (idle.kind) {
    case IdleKind::Busy:
      return "busy";
    case IdleKind::Yield:
      return "yield";
    case IdleKind::Sleep:
      return fmt::format("sleep {} us", idle.sleep_us);
  }
  return "";
}

control::DropStatus drop_status(const Workers& workers, const LoadSampler& load,
                                const CounterBase& base) {
  control::DropStatus status;
  status.interval_seconds = load.interval_seconds();
  for (size_t i = 0; i < workers.size(); ++i) {
    status.received_packets +=
        workers[i]->context().counters.received.get() - base_of(base, i).received;
  }
  for (size_t reason = 1; reason < kDropReasonCount; ++reason) {
    control::DropRecord drop;
    for (size_t i = 0; i < workers.size(); ++i) {
      const uint64_t count =
          workers[i]->context().counters.drops[reason].get() - base_of(base, i).drops[reason];
      drop.by_worker.push_back(count);
      drop.total += count;
    }
    if (drop.total == 0) continue;
    drop.reason = std::string(kDropReasonTexts[reason].name);
    drop.explanation = std::string(kDropReasonTexts[reason].explanation);
    drop.per_second = load.drops_per_second(static_cast<DropReason>(reason));
    status.drops.push_back(std::move(drop));
  }
  return status;
}

uint64_t nat_exhausted(const Workers& workers, const CounterBase& base) {
  uint64_t sum = 0;
  for (size_t i = 0; i < workers.size(); ++i) {
    sum += workers[i]->context().counters.nat_exhausted.get() - base_of(base, i).nat_exhausted;
  }
  return sum;
}

}  // namespace masugata::dataplane
