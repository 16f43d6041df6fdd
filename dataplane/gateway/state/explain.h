// SPDX-License-Identifier: GPL-2.0-or-later
// `masugata explain`: what a new connection would meet, by the function that packets run.
#pragma once

#include "config/model.h"
#include "dataplane/control/gateway_records.h"
#include "dataplane/forwarding/publisher.h"
#include "dataplane/pipeline/running_configuration.h"
#include "net/flow_key.h"
#include "result/result.h"

namespace masugata::dataplane {

// Where the answer comes from. `model` and `configuration` belong together.
struct ExplainInputs {
  const config::Model& model;
  const RunningConfiguration& configuration;
  const ForwardingPublisher& forwarding;
  const net::HashSecret& secret;
  uint64_t ports_down = 0;  // bit per DPDK port id
};

// Control thread. Asks as if every port of source translation were free, and without limits per
// source and SYN cookies, which depend on the moment: steps name those that are configured.
// Faults: unknown zone or interface, no way to tell where the packet comes from, a family that the
// protocol does not have.
[[nodiscard]] Result<control::Explanation> explain_connection(
    const control::ExplainRequest& request, const ExplainInputs& inputs);

}  // namespace masugata::dataplane
