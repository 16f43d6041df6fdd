// SPDX-License-Identifier: GPL-2.0-or-later
// One measured case: which gateway, which traffic, and what a run of it gave.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/pipeline/stage_id.h"
#include "tests/bench/bench_gateway.h"

namespace masugata::bench {

enum class Traffic : uint8_t {
  Established,  // random packets of known sessions, bursts alternating between both directions
  Opening,      // every packet opens a session, the table has room
  Evicting,     // every packet opens a session in a full table
};

struct Case {
  std::string name;
  Traffic traffic = Traffic::Established;
  GatewayShape shape;
  uint32_t sessions = 0;           // established before; 0 for Opening and Evicting
  bool checksums_checked = false;  // receive flags say that checksums are good
  bool whole_turn = false;         // run_once(): with reception from the ring and timers
};

// Of one run. Cycles (TSC) per packet; each chunk of some 60 microseconds gives one value.
struct RunResult {
  double p5 = 0;
  double p50 = 0;
  std::array<double, dataplane::kStageCount> stages{};  // p50, inside the stages
  uint64_t drops = 0;
};

struct RunLength {
  uint32_t warm_up_chunks = 40;
  uint32_t chunks = 400;
};

// Builds the case's gateway, fills it, measures and takes it down again.
[[nodiscard]] Result<RunResult> run_case(const Case& chosen, BenchPorts& ports,
                                         const RunLength& length);

}  // namespace masugata::bench
