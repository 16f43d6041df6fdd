// SPDX-License-Identifier: GPL-2.0-or-later
// What an engine has done. Written by its worker alone; any thread may read at any time and sees
// each figure whole, though not all of one moment.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "ids/protocols/application_protocol.h"
#include "net/relaxed_counter.h"

namespace masugata::ids {

using net::RelaxedCounter;

struct EngineCounters {
  RelaxedCounter packets;
  RelaxedCounter bytes;         // of payloads
  RelaxedCounter packet_bytes;  // from the IP header on
  RelaxedCounter stream_bytes;  // new bytes of streams
  RelaxedCounter scans;         // searches for patterns
  RelaxedCounter scanned_bytes;
  RelaxedCounter candidates;  // rules whose pattern was found, or that have none
  RelaxedCounter verified;    // of those: that matched
  RelaxedCounter alerts;
  RelaxedCounter alerts_discarded;   // beyond alerts_per_packet
  RelaxedCounter alerts_suppressed;  // by thresholds and suppressions
  RelaxedCounter excepted;           // matches that an exception made void
  // Of those: by exception of the plan in use (RuleSet::exceptions), since it is in use. Later ones
  // are counted in `excepted` only.
  std::array<RelaxedCounter, 64> exception_hits;
  RelaxedCounter drops;
  RelaxedCounter transactions;
  RelaxedCounter flows;             // open now
  RelaxedCounter flows_refused;     // open_flow() at its bound
  RelaxedCounter memory_bytes;      // of all flows, now
  RelaxedCounter memory_exhausted;  // flows that lost parser or windows at the bound
  RelaxedCounter tagged_packets;    // logged because of `tag`
  // By application protocol: flows in which it was found, transactions that ended.
  std::array<RelaxedCounter, static_cast<size_t>(ApplicationProtocol::Count)> protocol_flows;
  std::array<RelaxedCounter, static_cast<size_t>(ApplicationProtocol::Count)> protocol_transactions;
  RelaxedCounter parsers_failed;
  RelaxedCounter thresholds_lost;  // states given up because their table was full
  RelaxedCounter host_bits_lost;
  RelaxedCounter matches_lost;  // matches beyond the queue of one packet
};

// The time stamp counter, for costs of rules.
[[nodiscard]] inline uint64_t cycle_count() noexcept { return __builtin_ia32_rdtsc(); }

// Of one rule and one worker. The last three are counted while profiling only.
struct RuleCost {
  RelaxedCounter matches;
  RelaxedCounter alerts;
  RelaxedCounter last_match_us;  // time of the packet, since 1970; 0 = never
  RelaxedCounter checks;
  RelaxedCounter checks_matched;
  RelaxedCounter cycles;  // of the time stamp counter
};

}  // namespace masugata::ids
