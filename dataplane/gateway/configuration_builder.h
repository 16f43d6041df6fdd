// SPDX-License-Identifier: GPL-2.0-or-later
// From a compiled snapshot and the ports at hand to what workers read.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "config/model.h"
#include "dataplane/pipeline/running_configuration.h"
#include "result/result.h"

namespace masugata::dataplane {

// A port as it was opened; parallel to config::Model::ports.
struct PortFacts {
  uint16_t device = kNoPort;  // DPDK port id
  net::MacAddress mac;
  bool sums_tcp = false;  // transmit checksum offload is on
};

// Off the packet path. `twins` is parallel to Model::interfaces (0xffff: no twin).
[[nodiscard]] std::unique_ptr<RunningConfiguration> build_configuration(
    const config::Model& model, std::shared_ptr<const Snapshot> snapshot,
    const std::vector<PortFacts>& ports, const std::vector<uint16_t>& twins, uint16_t worker_count,
    uint32_t epoch);

// Makes `model` number its interfaces as `running` does: those with the same name keep their
// index, new ones come behind, and one that is gone stays without addresses and in no zone until
// the next restart. Sessions remember interfaces by index, so a reload must not move them. Fault:
// ports were added, removed or got another device, which needs a restart.
[[nodiscard]] Status align_interfaces(config::Model& model, const config::Model& running);

}  // namespace masugata::dataplane
