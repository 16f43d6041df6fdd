// SPDX-License-Identifier: GPL-2.0-or-later
// EVE's `stats` event: what inspection has done since the start, under the names that Suricata
// gives such counters, as far as it has them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/model.h"
#include "dataplane/inspection/inspection_manager.h"
#include "ids/protocols/application_protocol.h"

namespace masugata::dataplane {

inline constexpr uint64_t kStatsPeriod_ms = 60'000;

// Sums over all workers and profiles, since the start unless said otherwise.
struct StatsFigures {
  uint64_t uptime_s = 0;
  uint64_t received_packets = 0;  // from ports, inspected or not
  uint64_t packets = 0;           // inspected
  uint64_t bytes = 0;             // of those, from the IP header on
  uint64_t flows = 0;
  uint64_t flows_now = 0;
  uint64_t segments_rewritten = 0;
  uint64_t segments_refused = 0;
  uint64_t passed_midstream = 0;
  uint64_t memory_full = 0;   // segments and sessions, passed
  uint64_t overload = 0;      // sessions, passed
  uint64_t memory_bytes = 0;  // now, of flows and their parsers
  uint64_t drops = 0;         // packets
  uint64_t alerts = 0;
  uint64_t alerts_discarded = 0;   // beyond those of one packet
  uint64_t alerts_suppressed = 0;  // by thresholds
  uint64_t events_lost = 0;        // lines for which the ring had no room
  uint64_t parsers_failed = 0;
  struct Engine {
    std::string profile;
    uint64_t rules_loaded = 0;
  };
  std::vector<Engine> engines;  // one per profile
  uint64_t rules_failed = 0;
  int64_t rules_loaded_at_s = 0;  // since 1970; 0 = never
  static constexpr size_t kProtocols = static_cast<size_t>(ids::ApplicationProtocol::Count);
  std::array<uint64_t, kProtocols> protocol_flows{};
  std::array<uint64_t, kProtocols> protocol_transactions{};
  // Of antivirus, by name; left out when nothing is scanned.
  struct Antivirus {
    using Counts = std::vector<std::pair<std::string, uint64_t>>;
    Counts counters;
    Counts passed;   // by reason
    Counts refused;  // by reason
  };
  std::optional<Antivirus> antivirus;
};

// Control thread. What the manager knows; uptime_s, received_packets and antivirus are left to the
// caller.
[[nodiscard]] StatsFigures gather_stats(const InspectionManager& manager);

// One line, without its end; `time_us` since 1970. Any thread.
[[nodiscard]] std::string stats_event(const StatsFigures& figures, uint64_t time_us);

// Whether the configuration wants such events: when it names no events, or these.
[[nodiscard]] bool wants_stats(const config::IpsLog& log);

}  // namespace masugata::dataplane
