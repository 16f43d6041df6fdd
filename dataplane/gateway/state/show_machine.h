// SPDX-License-Identifier: GPL-2.0-or-later
// `show system`, `show interfaces`, `show routes`, `show neighbours`, `show drops`. Everything here
// is the control thread's; workers are only read through their relaxed counters.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/control/gateway_records.h"
#include "dataplane/forwarding/publisher.h"
#include "dataplane/gateway/configuration_manager.h"
#include "dataplane/gateway/state/load_sampler.h"
#include "dataplane/gateway/state/twin_counters.h"
#include "dataplane/pipeline/worker.h"
#include "dataplane/platform/hw_profile.h"
#include "dataplane/platform/port.h"

namespace masugata::dataplane {

// What the counters that only grow stood at when they were last cleared.
struct CounterBase {
  struct OfWorker {
    std::array<uint64_t, kDropReasonCount> drops{};
    std::array<control::StageStatus, kStageCount> stages;  // names unused
    uint64_t received = 0;
    uint64_t from_kernel = 0;
    uint64_t nat_exhausted = 0;
  };
  std::vector<OfWorker> workers;  // empty: never cleared
  std::vector<PortStatistics> ports;
  std::map<std::string, TwinCounters> twins;
};

using Workers = std::vector<std::unique_ptr<Worker>>;

[[nodiscard]] CounterBase counters_now(const Workers& workers,
                                       const std::vector<PortStatistics>& ports,
                                       std::map<std::string, TwinCounters> twins);

// `cores` by worker.
[[nodiscard]] std::vector<control::WorkerStatus> worker_statuses(const Workers& workers,
                                                                 const std::vector<uint16_t>& cores,
                                                                 const LoadSampler& load,
                                                                 const CounterBase& base);
// `pool` may be null.
[[nodiscard]] std::vector<control::MemoryStatus> memory_statuses(const Workers& workers,
                                                                 const rte_mempool* pool,
                                                                 ForwardingPublisher& forwarding);
[[nodiscard]] std::string idle_text(const IdlePolicy& idle);

// What `show interfaces` needs to know of a port.
struct PortView {
  std::string driver;
  net::MacAddress mac;
  std::vector<std::string> offloads;
  PortLink link;
  PortStatistics statistics;
};
// `ports` parallel to Model::ports.
[[nodiscard]] std::vector<control::InterfaceStatus> interface_statuses(
    const config::Model& model, const RunningConfiguration& configuration,
    const std::vector<PortView>& ports, const ConfigurationManager::Totals& totals,
    const std::map<std::string, TwinCounters>& twins, const CounterBase& base);

[[nodiscard]] control::RouteList route_list(const ForwardingPublisher& forwarding,
                                            const config::Model& model, const Snapshot& snapshot,
                                            uint32_t limit);
[[nodiscard]] control::NeighbourList neighbour_list(ForwardingPublisher& forwarding,
                                                    const Snapshot& snapshot, uint32_t limit);

[[nodiscard]] control::DropStatus drop_status(const Workers& workers, const LoadSampler& load,
                                              const CounterBase& base);
// Since the counters were cleared.
[[nodiscard]] uint64_t nat_exhausted(const Workers& workers, const CounterBase& base);

}  // namespace masugata::dataplane
