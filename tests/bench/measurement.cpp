// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/measurement.h"

#include <rte_cycles.h>

#include <random>

#include "tests/bench/spread.h"

namespace masugata::bench {
namespace {

constexpr uint32_t kBurst = 32;
constexpr uint32_t kEstablishedBursts = 32;  // 1,024 packets at 150 cycles: 60 microseconds
constexpr uint32_t kOpeningBursts = 4;       // 128 sessions at 1,000 cycles: 50 microseconds

using StageCycles = std::array<uint64_t, dataplane::kStageCount>;

class Run {
 public:
  Run(const Case& chosen, BenchPorts& ports, BenchGateway& gateway)
      : chosen_(chosen), ports_(ports), gateway_(gateway) {
    const uint32_t bursts =
        chosen.traffic == Traffic::Established ? kEstablishedBursts : kOpeningBursts;
    frames_.resize(size_t{bursts} * kBurst);
  }

  Result<RunResult> measure(const RunLength& length) {
    if (!ports_.allocate(frames_)) return failure(chosen_.name, "no packet buffers");
    for (uint32_t chunk = 0; chunk < length.warm_up_chunks; ++chunk) {
      if (Status done = run_chunk(); !done) return tl::unexpected(done.error());
    }
    std::vector<double> cycles;
    std::array<std::vector<double>, dataplane::kStageCount> stages;
    const auto packets = static_cast<double>(frames_.size());
    for (uint32_t chunk = 0; chunk < length.chunks; ++chunk) {
      const StageCycles before = stage_cycles();
      if (Status done = run_chunk(); !done) return tl::unexpected(done.error());
      cycles.push_back(static_cast<double>(last_cycles_) / packets);
      const StageCycles after = stage_cycles();
      for (size_t stage = 0; stage < after.size(); ++stage) {
        stages[stage].push_back(static_cast<double>(after[stage] - before[stage]) / packets);
      }
    }
    RunResult result;
    result.p5 = quantile(cycles, 0.05);
    result.p50 = quantile(cycles, 0.5);
    for (size_t stage = 0; stage < stages.size(); ++stage) {
      result.stages[stage] = quantile(stages[stage], 0.5);
    }
    result.drops = gateway_.drops();
    rte_pktmbuf_free_bulk(frames_.data(), static_cast<unsigned>(frames_.size()));
    return result;
  }

 private:
  [[nodiscard]] size_t port_of_burst(size_t burst) const {
    return chosen_.traffic == Traffic::Established && burst % 2 != 0 ? kWan : kLan;
  }

  // Not timed: the frames of a chunk.
  void write_chunk() {
    for (size_t i = 0; i < frames_.size(); ++i) {
      const size_t port = port_of_burst(i / kBurst);
      const uint32_t number = chosen_.traffic == Traffic::Established
                                  ? static_cast<uint32_t>(random_() % chosen_.sessions)
                                  : next_flow_++;
      write_frame(*frames_[i], gateway_.endpoints(number, port), port, chosen_.checksums_checked);
    }
  }

  Status run_chunk() {
    write_chunk();
    last_cycles_ = 0;
    if (chosen_.whole_turn) {
      run_turns();
    } else {
      const uint64_t begin = rte_rdtsc_precise();
      for (size_t at = 0; at < frames_.size(); at += kBurst) {
        gateway_.process(std::span(frames_).subspan(at, kBurst), port_of_burst(at / kBurst));
      }
      last_cycles_ = rte_rdtsc_precise() - begin;
    }
    gateway_.advance(100);
    return take_back();
  }

  // Each port has its half of the frames waiting; one turn takes a burst of either.
  void run_turns() {
    for (size_t at = 0; at < frames_.size(); at += kBurst) {
      (void)ports_.offer(port_of_burst(at / kBurst), std::span(frames_).subspan(at, kBurst));
    }
    const uint64_t begin = rte_rdtsc_precise();
    for (size_t at = 0; at < frames_.size(); at += 2 * size_t{kBurst}) (void)gateway_.run_once();
    last_cycles_ = rte_rdtsc_precise() - begin;
  }

  // Not timed: the transmitted buffers are those of the next chunk.
  Status take_back() {
    size_t taken = 0;
    for (const size_t port : {kLan, kWan}) {
      taken += ports_.take_sent(port, std::span(frames_).subspan(taken));
    }
    if (taken == frames_.size()) return {};
    return failure(chosen_.name, "only " + std::to_string(taken) + " of " +
                                     std::to_string(frames_.size()) + " packets came out");
  }

  [[nodiscard]] StageCycles stage_cycles() {
    StageCycles cycles{};
    const auto& stages = gateway_.worker().context().counters.stages;
    for (size_t stage = 0; stage < cycles.size(); ++stage)
      cycles[stage] = stages[stage].cycles.get();
    return cycles;
  }

  const Case& chosen_;
  BenchPorts& ports_;
  BenchGateway& gateway_;
  std::vector<rte_mbuf*> frames_;
  std::mt19937 random_{42};
  uint32_t next_flow_ = 0;
  uint64_t last_cycles_ = 0;
};

}  // namespace

Result<RunResult> run_case(const Case& chosen, BenchPorts& ports, const RunLength& length) {
  auto gateway = BenchGateway::create(chosen.shape, ports);
  if (!gateway) return tl::unexpected(gateway.error());
  if (Status ready = (*gateway)->establish(chosen.sessions); !ready) {
    return tl::unexpected(ready.error());
  }
  Run run(chosen, ports, **gateway);
  return run.measure(length);
}

}  // namespace masugata::bench
