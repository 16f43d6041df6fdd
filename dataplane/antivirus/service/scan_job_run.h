// SPDX-License-Identifier: GPL-2.0-or-later
// What is known of one run of a scan job.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace masugata::dataplane {

struct ScanJobCounts {
  uint64_t files = 0;  // scanned
  uint64_t bytes = 0;
  uint64_t unchanged = 0;  // skipped: clean before, with the same signatures
  uint64_t infected = 0;
  uint64_t other_findings = 0;
  uint64_t not_scanned = 0;
  uint64_t duration_ms = 0;
  uint64_t signatures = 0;

  bool operator==(const ScanJobCounts&) const = default;
};
// From a message of the job; what is not there or not a number is 0.
[[nodiscard]] ScanJobCounts read_counts(const nlohmann::json& body);

enum class FoundFileState : uint8_t { Stays, InQuarantine, CopyInQuarantine };

// Texts may be hostile.
struct FoundFile {
  std::string path;
  std::string signature;  // or the outcome, when it is no infection
  FoundFileState state = FoundFileState::Stays;
  std::string problem;     // why it stays, when it should not
  uint64_t reference = 0;  // in quarantine
};

struct UnreadFile {
  std::string path;
  std::string problem;
};

enum class ScanJobResult : uint8_t {
  Clean,
  Found,
  Incomplete,  // nothing found, and something could not be scanned
  Stopped,     // by request
  Failed,      // see `problem`
};
[[nodiscard]] const char* name_of(ScanJobResult result) noexcept;

// A run that has ended.
struct ScanJobRun {
  int64_t started_s = 0;
  int64_t ended_s = 0;
  ScanJobResult result = ScanJobResult::Clean;
  ScanJobCounts counts;
  std::string problem;

  bool operator==(const ScanJobRun&) const = default;
};

// What the gateway remembers of a job over its restarts.
struct ScanJobMemory {
  // Runs due up to this moment have been seen to. 0: the job is new.
  int64_t settled_s = 0;
  bool unfinished = false;  // a run waits or is under way
  std::optional<ScanJobRun> last;

  bool operator==(const ScanJobMemory&) const = default;
};

}  // namespace masugata::dataplane
