// SPDX-License-Identifier: GPL-2.0-or-later
// Intrusion prevention in plain records: what `show ips` and its kin answer. As in
// gateway_records.h; "hits" count since the start or the last `clear ips hits`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace masugata::dataplane::control {

// By name, in an order that means something to people.
using NamedCounts = std::vector<std::pair<std::string, uint64_t>>;

enum class IpsLoadState : uint8_t { None, Loading, Ready, Failed };

// How the rules came to be that run, or why others did not.
struct IpsLoadStatus {
  IpsLoadState state = IpsLoadState::None;
  std::string failure;                        // of the last load, when Failed
  std::optional<uint64_t> ready_seconds_ago;  // since when the rules run; none: none run
  double seconds = 0;                         // that the load took
  uint64_t files = 0;
  uint64_t rules = 0;        // loaded from the files
  uint64_t disabled = 0;     // commented out in the files
  uint64_t unsupported = 0;  // not loaded: they ask for what the engine does not have
  uint64_t wrong = 0;        // not loaded: they are not right
};

struct IpsProtocolCount {
  std::string name;           // as rules write it
  uint64_t sessions = 0;      // in which it was found
  uint64_t transactions = 0;  // requests with their answers, mails, handshakes that ended
};

struct IpsProfileStatus {
  std::string name;
  bool prevent = true;  // false: only reports
  // "pass" or "drop" at each edge: without-rules, memory-full, overload, midstream.
  std::vector<std::pair<std::string, std::string>> choices;
  bool ready = false;       // a plan is compiled and published
  uint64_t rules = 0;       // compiled
  uint64_t left_out = 0;    // by what the profile selects or disables
  uint64_t overridden = 0;  // with another action than written
  uint64_t patterns = 0;
  uint64_t databases = 0;
  uint64_t plan_bytes = 0;
  double compile_seconds = 0;
  bool from_cache = false;
  uint64_t flows = 0;  // now
  uint64_t memory_bytes = 0;
  uint64_t memory_bound = 0;
  NamedCounts counters;  // of the engines, over all workers: "packets", "alerts"...
  std::vector<IpsProtocolCount> protocols;  // that were found, in the order of their names
};

struct IpsStatus {
  IpsLoadStatus load;
  std::vector<IpsProfileStatus> profiles;
  bool profiling = false;
  uint64_t sessions_now = 0;
  NamedCounts counters;  // of packets and sessions: "packets", "segments_rewritten"...
  std::string log_file;
  uint64_t lines_written = 0;
  uint64_t lines_lost = 0;    // a worker's ring was full
  uint64_t lines_failed = 0;  // the disk did not take them
};

struct IpsRuleProblem {
  std::string file;
  uint32_t line = 0;
  uint32_t sid = 0;  // 0 when it could not be read
  std::string keyword;
  std::string reason;
  bool unsupported = false;
};

struct IpsRuleFiles {
  IpsLoadStatus load;
  std::vector<std::string> files;
  std::vector<std::pair<std::string, uint64_t>> left_out;    // by profile
  std::vector<std::pair<std::string, uint64_t>> overridden;  // by profile
  std::vector<IpsRuleProblem> problems;
  uint64_t total_problems = 0;
};

struct IpsExceptionStatus {
  std::string profile;
  std::string name;
  bool holds = false;  // in the rules that run; else it has ended, or they are not loaded yet
  uint64_t hits = 0;   // matches that it made void, since those rules run
  std::string until;   // "2026-12-01 18:00", local time; empty: without end
  std::optional<uint64_t> ends_in_seconds;  // 0: it has ended
};

struct IpsExceptionList {
  std::vector<IpsExceptionStatus> exceptions;  // profile by profile, as in the configuration
  uint64_t total = 0;
};

// What sessions carry, for policy: how recognising goes.
struct ApplicationStatus {
  NamedCounts counters;      // "recognised", "unknown"..., over all workers, since the start
  uint64_t flows = 0;        // looked at now
  uint64_t flows_bound = 0;  // of all workers
  uint64_t hosts = 0;        // host names remembered now
  uint64_t hosts_bound = 0;
  std::vector<std::string> resolvers;  // whose answers teach
  NamedCounts names;       // "questions", "answers"..., over all workers, since the start
  uint64_t addresses = 0;  // with names, at the worker that knows most
  uint64_t addresses_bound = 0;
};

struct IpsRuleHits {
  uint32_t sid = 0;
  uint32_t revision = 0;
  std::string message;  // empty: the rule is not loaded any more
  std::string classtype;
  uint32_t priority = 0;
  uint64_t hits = 0;    // times that it matched
  uint64_t alerts = 0;  // of those: that were reported
  std::optional<uint64_t> last_seconds_ago;
};

struct IpsHitList {
  std::vector<IpsRuleHits> rules;  // most alerts first
  uint64_t total = 0;
};

// Cost while profiling.
struct IpsRuleCost {
  uint32_t sid = 0;
  std::string message;
  uint64_t checks = 0;
  uint64_t matches = 0;
  uint64_t cycles = 0;
  double cycles_per_check = 0;
  double share_percent = 0;  // of all rules' cycles
};

struct IpsCostList {
  bool profiling = false;
  std::vector<IpsRuleCost> rules;  // most cycles first
  uint64_t total = 0;
  uint64_t cycles = 0;  // of all rules
};

struct IpsRuleInProfile {
  std::string profile;
  std::string action;  // "drop", "alert"...; empty: the rule is not in this profile
  uint64_t hits = 0;
  uint64_t alerts = 0;
  std::optional<uint64_t> last_seconds_ago;
  uint64_t checks = 0;
  uint64_t matches = 0;
  uint64_t cycles = 0;
};

struct IpsRuleDetail {
  uint32_t sid = 0;
  uint32_t revision = 0;
  std::string message;
  std::string classtype;
  uint32_t priority = 0;
  std::string file;
  uint32_t line = 0;
  std::string text;
  std::vector<std::string> references;  // "cve,2021-44228"
  std::vector<IpsRuleInProfile> profiles;
};

}  // namespace masugata::dataplane::control
