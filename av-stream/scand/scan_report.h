// SPDX-License-Identifier: GPL-2.0-or-later
// What a scan of files tells people and programs.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "av-stream/scand/scan_result.h"

namespace masugata::av {

struct ScanSummary {
  uint64_t files = 0;  // scanned
  uint64_t bytes = 0;
  uint64_t unchanged = 0;  // skipped: clean before, with these signatures
  uint64_t infected = 0;
  uint64_t other_findings = 0;  // limits, encrypted, macros
  uint64_t not_scanned = 0;     // unreadable, or a scanner failed
  uint64_t duration_ms = 0;
  uint32_t signatures = 0;
  uint64_t version = 0;

  // As clamscan's: 1 something was found, else 2 something was not scanned, else 0.
  [[nodiscard]] int exit_status() const noexcept {
    if (infected + other_findings > 0) return 1;
    return not_scanned > 0 ? 2 : 0;
  }
};

struct ReportStyle {
  bool json = false;
  bool quiet = false;
  bool progress = false;  // `messages` is a terminal
};

// Thread: one. Names of files are shown with control characters escaped.
class ScanReport {
 public:
  // Findings and the summary go to `findings`, problems and progress to `messages`.
  ScanReport(std::ostream& findings, std::ostream& messages, ReportStyle style)
      : findings_(findings), messages_(messages), style_(style) {}

  void result(const std::string& path, const ScanResult& result);
  void problem(const std::string& path, const std::string& what);
  // Of `files` to be scanned in all; draws at most five times a second.
  void progress(const ScanSummary& so_far, uint64_t files, uint64_t now_ms);
  void summary(const ScanSummary& summary);

 private:
  void clear_progress();

  std::ostream& findings_;
  std::ostream& messages_;
  ReportStyle style_;
  bool drawn_ = false;
  uint64_t next_draw_ms_ = 0;
};

}  // namespace masugata::av
