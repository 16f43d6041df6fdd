// SPDX-License-Identifier: GPL-2.0-or-later
// Carries out one run of a scan job; what is said: scan_job.h.
#pragma once

#include <map>

#include "av-stream/scand/on_demand_scan.h"
#include "av-stream/scand/scan_job.h"

namespace masugata::av {

// Tells masugatad. Thread: one. No file is begun while one waits for masugatad's answer.
class ScanJobReport final : public ScanListener {
 public:
  static constexpr uint64_t kProgressPeriodMs = 1000;
  static constexpr int kPatienceMs = 30'000;  // with a masugatad that takes no messages

  ScanJobReport(MessageSocket& link, bool hand_over) : link_(link), hand_over_(hand_over) {}

  void result(ScannedFile& file, const ScanResult& result) override;
  void problem(const std::string& path, const std::string& what) override;
  void progress(const ScanSummary& so_far, uint64_t files, uint64_t now_ms) override;
  [[nodiscard]] bool is_busy() override { return !waiting_.empty(); }
  [[nodiscard]] bool wants_end() override { return ends_; }

  void done(const Result<ScanSummary>& summary);

 private:
  void send(const nlohmann::json& body, const std::vector<int>& descriptors = {});
  void hear();
  void settle(uint64_t number, bool kept);

  MessageSocket& link_;
  bool hand_over_;
  bool ends_ = false;
  uint64_t findings_ = 0;
  uint64_t problems_ = 0;
  uint64_t next_progress_ms_ = 0;
  std::map<uint64_t, ScannedFile> waiting_;  // by number
};

// Removes the file from the folder that it was found in, if it is still the one that was scanned.
// Empty: done; else why not.
[[nodiscard]] std::string remove_scanned(const ScannedFile& file);

// Waits for the request at `socket`, whose other end must be root's or this user's, and carries it
// out with the lowest priority of processor and disk. The exit status of the process.
[[nodiscard]] int run_scan_job(Descriptor socket, const ServiceOptions& options);

}  // namespace masugata::av
