// SPDX-License-Identifier: GPL-2.0-or-later
// libclamav called directly, by processes that share one engine and do nothing else: what a scanner
// service is measured against.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "result/result.h"

namespace masugata::bench {

// Thread: one, the process's only one, because it forks.
class DirectScanners {
 public:
  // `work` is what they can be asked to scan: lists of objects, which they get by being forked.
  // They load the signatures of `folder` with the options of av::ClamavEngine. Ended with the
  // object.
  [[nodiscard]] static Result<DirectScanners> start(
      const std::string& folder, uint32_t processes,
      const std::vector<std::vector<std::string>>& work);

  DirectScanners(DirectScanners&& other) noexcept;
  DirectScanners& operator=(DirectScanners&&) = delete;
  DirectScanners(const DirectScanners&) = delete;
  DirectScanners& operator=(const DirectScanners&) = delete;
  ~DirectScanners();

  // Scans each object of a list once, every process its share, and waits for the end. How many were
  // not found clean; -1 when a process died.
  [[nodiscard]] int64_t scan(uint32_t list);
  [[nodiscard]] const std::vector<pid_t>& processes() const noexcept { return processes_; }

 private:
  DirectScanners() = default;

  pid_t host_ = 0;                // loads, and waits for the others
  std::vector<int> questions_;    // one pipe per process
  int answers_ = -1;              // of all
  std::vector<pid_t> processes_;  // those that scan
};

// Processor time that a process has used, in seconds; 0 when there is none of this number.
[[nodiscard]] double processor_time_s(pid_t process) noexcept;

}  // namespace masugata::bench
