// SPDX-License-Identifier: GPL-2.0-or-later
// Antivirus of the running gateway, for the control socket.
#pragma once

#include "dataplane/antivirus/service/antivirus_service.h"
#include "dataplane/control/antivirus_state.h"
#include "dataplane/wall_clock.h"

namespace masugata::dataplane {

// Sums the counters of all workers into `status`; any may be null when there is no memory yet.
void add_guard_counters(const std::vector<ObjectGuard*>& guards, control::AvStatus& status);
// What was counted since `base`; what was not, if `only_counted`, is left out.
void subtract_counts(control::NamedCounts& counts, const control::NamedCounts& base,
                     bool only_counted);

// Control thread. The service outlives it.
class RunningAntivirus final : public control::AntivirusState {
 public:
  RunningAntivirus(AntivirusService& service, WallClock wall_clock)
      : service_(service), wall_clock_(std::move(wall_clock)) {}

  control::AvStatus status() override;
  // Counters start again at zero.
  void clear_counters();
  control::AvBlockedUrlList blocked_urls(uint32_t limit) override;
  uint64_t clear_blocked_urls(std::string_view text) override;
  control::AvKeptList kept(uint32_t limit) override;
  Result<std::vector<uint8_t>> read_kept(uint64_t reference, uint64_t offset) override;
  Status remove_kept(uint64_t reference) override;
  std::vector<control::AvScanJob> scan_jobs() override;
  Status start_scan_job(const std::string& name) override;
  Status stop_scan_job(const std::string& name) override;
  Status reload() override;

 private:
  [[nodiscard]] control::AvScannerStatus scanner() const;

  AntivirusService& service_;
  WallClock wall_clock_;
  control::AvStatus base_;  // its counts, as they stood when they were last cleared
};

}  // namespace masugata::dataplane
