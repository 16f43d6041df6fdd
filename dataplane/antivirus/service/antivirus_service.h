// SPDX-License-Identifier: GPL-2.0-or-later
// What follows from what workers find: events, quarantine, notices; and the scanner's care.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "config/model.h"
#include "dataplane/antivirus/antivirus_manager.h"
#include "dataplane/antivirus/service/antivirus_events.h"
#include "dataplane/antivirus/service/notices.h"
#include "dataplane/antivirus/service/quarantine.h"
#include "dataplane/antivirus/service/scan_jobs.h"
#include "dataplane/antivirus/service/scanner_link.h"
#include "dataplane/antivirus/service/smart_host.h"
#include "dataplane/control/event_loop.h"
#include "dataplane/wall_clock.h"

namespace masugata::dataplane {

// Everything outlives the service.
struct AntivirusServiceTargets {
  AntivirusManager* manager = nullptr;
  control::EventLoop* loop = nullptr;
  // One line of the event log.
  std::function<void(const std::string& line)> write_event;
  // One line of the program's log.
  std::function<void(bool problem, const std::string& text)> log;
  // Of a worker's clock, microseconds since 1970.
  std::function<int64_t(uint64_t time_us)> wall_time_us;
  // The name of the zone that an address lies in by the routes; empty: none.
  std::function<std::string(const net::IpAddress& address)> zone_of;
  WallClock wall_clock = system_wall_time;
  // Where masugata-scand connects; made with the first configuration that has a profile.
  std::string scanner_socket;
  // Where a process for a run of a scan job is had.
  std::string scan_job_socket;
  // Of what is remembered of scan jobs.
  std::string scan_job_folder;
  std::vector<uint32_t> worker_cores;  // that scan jobs keep off
};

// Control thread.
class AntivirusService {
 public:
  static constexpr uint64_t kTickMs = 1000;
  static constexpr int64_t kAgeAlertPeriodS = 86'400;  // between two alerts of old signatures

  // Listens to the manager from now on.
  explicit AntivirusService(AntivirusServiceTargets targets);
  ~AntivirusService();
  AntivirusService(const AntivirusService&) = delete;
  AntivirusService& operator=(const AntivirusService&) = delete;

  // After each configuration that was applied and given to the manager. A fault: no scanner can
  // connect, or the quarantine's folder cannot be used and nothing is kept; all else works.
  Status configure(const config::Model& model);

  [[nodiscard]] AntivirusManager& manager() const noexcept { return *targets_.manager; }
  [[nodiscard]] ScannerLink& link() noexcept { return link_; }
  [[nodiscard]] Quarantine& quarantine() noexcept { return quarantine_; }
  [[nodiscard]] ScanJobs& scan_jobs() noexcept { return scan_jobs_; }
  [[nodiscard]] const Notices& notices() const noexcept { return notices_; }
  [[nodiscard]] SmartHostCounts notice_counts() const { return smart_host_.counts(); }
  // Days; nothing when it is not known.
  [[nodiscard]] std::optional<uint64_t> signature_age() const;
  [[nodiscard]] bool signatures_are_old() const;

 private:
  void take(size_t worker, const AntivirusRecord& record);
  [[nodiscard]] bool keep(size_t worker, const AntivirusRecord& record, int64_t time_us);
  void tell_log(const AntivirusRecord& record, bool kept);
  void tell_people(const AntivirusRecord& record, int64_t time_us);
  [[nodiscard]] ScanJobsTargets job_targets();
  Status serve_scanner();
  void tick();
  void watch_age();
  [[nodiscard]] int64_t now_s() const { return seconds_of(targets_.wall_clock()); }

  AntivirusServiceTargets targets_;
  ScannerLink link_;
  Quarantine quarantine_;
  SmartHost smart_host_;
  Notices notices_;
  ScanJobs scan_jobs_;
  control::EventLoop::TimerId timer_ = 0;
  config::AntivirusSettings settings_;
  bool wants_alerts_ = true;
  bool wants_files_ = true;
  int64_t age_alerted_s_ = 0;
};

// The settings for masugata-scand that follow from a configuration.
[[nodiscard]] av::ScandSettings scand_settings(const config::AntivirusSettings& settings);

}  // namespace masugata::dataplane
