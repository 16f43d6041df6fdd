// SPDX-License-Identifier: GPL-2.0-or-later
// Antivirus for tests of the control socket and the command line: fixed answers, recorded calls.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "dataplane/control/antivirus_state.h"

namespace masugata::dataplane::control {

class FakeAntivirus final : public AntivirusState {
 public:
  FakeAntivirus();

  AvStatus status() override { return status_answer; }
  AvBlockedUrlList blocked_urls(uint32_t limit) override;
  uint64_t clear_blocked_urls(std::string_view text) override;
  AvKeptList kept(uint32_t limit) override;
  Result<std::vector<uint8_t>> read_kept(uint64_t reference, uint64_t offset) override;
  Status remove_kept(uint64_t reference) override;
  std::vector<AvScanJob> scan_jobs() override { return jobs_answer; }
  Status start_scan_job(const std::string& name) override;
  Status stop_scan_job(const std::string& name) override;
  Status reload() override { return reload_answer; }

  AvStatus status_answer;
  AvBlockedUrlList urls_answer;
  AvKeptList kept_answer;
  std::vector<AvScanJob> jobs_answer;
  std::vector<uint8_t> kept_bytes;  // of every object; given two at a time
  Status reload_answer;
  std::vector<std::string> calls;
};

}  // namespace masugata::dataplane::control
