// SPDX-License-Identifier: GPL-2.0-or-later
// What rules with `log` have to say: takes the workers' records out of their rings and writes
// them as lines.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dataplane/pipeline/policy_log_record.h"
#include "result/result.h"

namespace masugata::dataplane::control {

// The records of one worker. `pop` takes the oldest (false: none waits); `lost` counts what the
// worker could not put into its full ring since the start.
struct PolicyLogSource {
  uint32_t worker = 0;
  std::function<bool(PolicyLogRecord&)> pop;
  std::function<uint64_t()> lost;
};

// What a record's numbers stand for. All on the control thread.
struct PolicyLogNames {
  // "lan > wan: web"; for an epoch that is no longer known "rule 17".
  std::function<std::string(uint32_t rule, uint32_t epoch)> rule;
  std::function<std::string(uint16_t interface)> interface;  // "" for none
  std::function<std::string(uint8_t reason)> end_reason;     // "closed", "timeout"...
  std::function<int64_t(uint64_t time_us)> wall_clock_us;    // worker clock -> Unix time
};

enum class PolicyLogFormat : uint8_t {
  Text,       // "2026-12-01T18:00:00.000Z open tcp 10.0.1.10:40000 > 198.51.100.2:443 rule ..."
  JsonLines,  // one object per line, fields as in README.md
};

// One line without its newline.
[[nodiscard]] std::string format_policy_log(const PolicyLogRecord& record, uint32_t worker,
                                            const PolicyLogNames& names, PolicyLogFormat format);

// Thread: the control thread's. Bound per call: kRecordsPerRound records of each worker; the rest
// waits in the rings, whose bound makes the workers count what they lose.
class PolicyLog {
 public:
  static constexpr uint32_t kRecordsPerRound = 1024;

  // `write` gets each line without newline.
  PolicyLog(std::vector<PolicyLogSource> sources, PolicyLogNames names, PolicyLogFormat format,
            std::function<void(const std::string& line)> write);

  // Writes what waits and returns how many records that were. When records were lost since the
  // last call it writes one line that says how many.
  uint32_t write_waiting();

 private:
  struct Source {
    PolicyLogSource source;
    uint64_t lost_before = 0;
  };
  void report_lost(Source& source);

  std::vector<Source> sources_;
  PolicyLogNames names_;
  PolicyLogFormat format_;
  std::function<void(const std::string&)> write_;
};

}  // namespace masugata::dataplane::control
