// SPDX-License-Identifier: GPL-2.0-or-later
// Scans files of this machine: reads them here and hands their bytes to scanners as a worker does,
// so scanners open nothing and see nothing else.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "av-stream/exchange/worker_region.h"
#include "av-stream/scand/message_socket.h"
#include "av-stream/scand/scan_report.h"
#include "av-stream/scand/scan_service.h"
#include "av-stream/scand/scan_state.h"

namespace masugata::av {

// Waits until `service` has an engine; the fault says why there is none.
[[nodiscard]] Status wait_for_engine(ScanService& service);

// Files below paths, one after the other: no links are followed, only plain files come.
class FileWalk {
 public:
  // `problem` is told what cannot be read.
  using Problem = std::function<void(const std::string& path, const std::string& what)>;
  FileWalk(std::vector<std::string> paths, Problem problem);
  // Nothing at the end.
  [[nodiscard]] std::optional<std::string> next();

 private:
  [[nodiscard]] bool open_next_path();

  std::vector<std::string> paths_;
  Problem problem_;
  size_t next_path_ = 0;
  std::optional<std::string> single_;
  std::filesystem::recursive_directory_iterator entries_;
};

struct OnDemandRequest {
  std::vector<std::string> paths;
  ScanLimits limits;
  std::string state_file;  // empty: none
  uint32_t scans_at_a_time = 1;
  bool count_first = false;  // for a progress bar
};

// Thread: one; the service's. Memory: one file of limits.file_bytes besides small ones.
class OnDemandScan {
 public:
  OnDemandScan(ScanService& service, OnDemandRequest request, ScanReport& report)
      : service_(service), request_(std::move(request)), report_(report) {}
  // Faults: no engine, no memory, a state file that cannot be used. What concerns single files is
  // reported and counted.
  [[nodiscard]] Result<ScanSummary> run();

 private:
  struct OpenFile {
    std::string path;
    Descriptor descriptor;
    FileStamp stamp;
    StoredObject object;
  };
  struct Pending {
    std::string path;
    FileStamp stamp;
  };

  [[nodiscard]] Status prepare();
  [[nodiscard]] uint64_t count_files() const;
  // False when there is nothing left to open.
  bool open_next(FileWalk& walk);
  // True when something was read or asked.
  bool feed();
  bool take_answers();
  void fail(const std::string& path, const std::string& what);

  ScanService& service_;
  OnDemandRequest request_;
  ScanReport& report_;
  std::optional<WorkerRegion> region_;
  std::optional<ScanState> state_;
  std::optional<OpenFile> file_;
  std::unordered_map<uint32_t, Pending> pending_;  // by serial
  std::vector<uint8_t> buffer_;
  ScanSummary summary_;
};

}  // namespace masugata::av
