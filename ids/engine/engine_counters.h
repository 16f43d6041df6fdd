// SPDX-License-Identifier: GPL-2.0-or-later
// What an engine has done. Written by its worker alone; any thread may read at any time and sees
// each figure whole, though not all of one moment.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "ids/protocols/application_protocol.h"

namespace masugata::ids {

class WorkCounter {
 public:
  void add(uint64_t amount) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void set(uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

struct EngineCounters {
  WorkCounter packets;
  WorkCounter bytes;         // of payloads
  WorkCounter packet_bytes;  // from the IP header on
  WorkCounter stream_bytes;  // new bytes of streams
  WorkCounter scans;         // searches for patterns
  WorkCounter scanned_bytes;
  WorkCounter candidates;  // rules whose pattern was found, or that have none
  WorkCounter verified;    // of those: that matched
  WorkCounter alerts;
  WorkCounter alerts_discarded;   // beyond alerts_per_packet
  WorkCounter alerts_suppressed;  // by thresholds and suppressions
  WorkCounter excepted;           // matches that an exception made void
  // Of those: by exception of the plan in use (RuleSet::exceptions), since it is in use. Later ones
  // are counted in `excepted` only.
  std::array<WorkCounter, 64> exception_hits;
  WorkCounter drops;
  WorkCounter transactions;
  WorkCounter flows;             // open now
  WorkCounter flows_refused;     // open_flow() at its bound
  WorkCounter memory_bytes;      // of all flows, now
  WorkCounter memory_exhausted;  // flows that lost parser or windows at the bound
  WorkCounter tagged_packets;    // logged because of `tag`
  // By application protocol: flows in which it was found, transactions that ended.
  std::array<WorkCounter, static_cast<size_t>(ApplicationProtocol::Count)> protocol_flows;
  std::array<WorkCounter, static_cast<size_t>(ApplicationProtocol::Count)> protocol_transactions;
  WorkCounter parsers_failed;
  WorkCounter thresholds_lost;  // states given up because their table was full
  WorkCounter host_bits_lost;
  WorkCounter matches_lost;  // matches beyond the queue of one packet
};

// The time stamp counter, for costs of rules.
[[nodiscard]] inline uint64_t cycle_count() noexcept { return __builtin_ia32_rdtsc(); }

// Of one rule and one worker. The last three are counted while profiling only.
struct RuleCost {
  WorkCounter matches;
  WorkCounter alerts;
  WorkCounter last_match_us;  // time of the packet, since 1970; 0 = never
  WorkCounter checks;
  WorkCounter checks_matched;
  WorkCounter cycles;  // of the time stamp counter
};

}  // namespace masugata::ids
