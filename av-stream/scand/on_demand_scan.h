// SPDX-License-Identifier: GPL-2.0-or-later
// Scans files of this machine: reads them here and hands their bytes to scanners as a worker does,
// so scanners open nothing and see nothing else.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "av-stream/exchange/worker_region.h"
#include "av-stream/scand/file_walk.h"
#include "av-stream/scand/scan_report.h"
#include "av-stream/scand/scan_service.h"
#include "av-stream/scand/scan_state.h"

namespace masugata::av {

// Waits until `service` has an engine; the fault says why there is none. Also one when `wants_end`
// holds meanwhile.
[[nodiscard]] Status wait_for_engine(ScanService& service, const std::function<bool()>& wants_end);

// Nanoseconds since 1970, of the machine's clock.
[[nodiscard]] int64_t system_time_ns() noexcept;

struct OnDemandRequest {
  std::vector<std::string> paths;
  std::vector<std::string> excluded = {};  // absolute
  ScanLimits limits = {};
  std::string state_file = {};  // empty: none
  uint32_t scans_at_a_time = 1;
  bool count_first = false;  // for a progress bar
  std::function<int64_t()> clock_ns = system_time_ns;
};

// Thread: one; the service's. Memory: one file of limits.file_bytes besides small ones.
//
// A file that changes while it is read, or changed a moment before, is scanned as it was read and
// scanned again the next time: its times cannot tell what was seen of it.
class OnDemandScan {
 public:
  static constexpr int64_t kJustChangedNs = 2'000'000'000;  // file systems count coarsely
  static constexpr uint64_t kSavePeriodMs = 300'000;        // of the state, while it runs

  OnDemandScan(ScanService& service, OnDemandRequest request, ScanListener& listener)
      : service_(service), request_(std::move(request)), listener_(listener) {}
  // Faults: no engine, no memory, a state file that cannot be used. What concerns single files is
  // reported and counted.
  [[nodiscard]] Result<ScanSummary> run();

 private:
  struct OpenFile {
    ScannedFile facts;
    StoredObject object;
  };

  [[nodiscard]] Status prepare();
  [[nodiscard]] uint64_t count_files();
  void scan_files(uint64_t files);
  // False when there is nothing left to open.
  bool open_next(FileWalk& walk);
  // True when something was read or asked.
  bool feed();
  bool submit();
  bool take_answers();
  void settle(ScannedFile& file, const ScanAnswer& answer);
  void fail(const std::string& path, const std::string& what);
  [[nodiscard]] bool is_at_rest(const ScannedFile& file) const;

  ScanService& service_;
  OnDemandRequest request_;
  ScanListener& listener_;
  std::optional<WorkerRegion> region_;
  std::optional<ScanState> state_;
  std::optional<OpenFile> file_;
  std::unordered_map<uint32_t, ScannedFile> pending_;  // by serial
  std::vector<uint8_t> buffer_;
  ScanSummary summary_;
};

}  // namespace masugata::av
