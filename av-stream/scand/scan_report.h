// SPDX-License-Identifier: GPL-2.0-or-later
// What a scan of files tells people and programs.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "av-stream/scand/message_socket.h"
#include "av-stream/scand/scan_result.h"
#include "av-stream/scand/scan_state.h"

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
  bool stopped = false;  // before its end, by its listener

  // As clamscan's: 1 something was found, else 2 something was not scanned, else 0.
  [[nodiscard]] int exit_status() const noexcept {
    if (infected + other_findings > 0) return 1;
    return not_scanned > 0 ? 2 : 0;
  }
};

// A file while it is looked at.
struct ScannedFile {
  std::string path;
  std::string name;   // in `folder`
  Descriptor file;    // to be read
  Descriptor folder;  // what it was found in
  FileStamp stamp;    // before it was read
};

// Who is told of a scan. Thread: the scan's.
class ScanListener {
 public:
  ScanListener() = default;
  ScanListener(const ScanListener&) = delete;
  ScanListener& operator=(const ScanListener&) = delete;
  virtual ~ScanListener() = default;

  // Of every file that was scanned, clean ones too; failures among them are said by problem(). The
  // listener may take the descriptors.
  virtual void result(ScannedFile& file, const ScanResult& result) = 0;
  // Could not be scanned.
  virtual void problem(const std::string& path, const std::string& what) = 0;
  // About fifty times a second; of `files` to be scanned in all (0: not counted).
  virtual void progress(const ScanSummary& so_far, uint64_t files, uint64_t now_ms) = 0;
  // No file is begun meanwhile, and the scan does not end.
  [[nodiscard]] virtual bool is_busy() { return false; }
  // The scan ends as soon as it can.
  [[nodiscard]] virtual bool wants_end() { return false; }
};

struct ReportStyle {
  bool json = false;
  bool quiet = false;
  bool progress = false;                   // `messages` is a terminal
  bool (*wants_end)() noexcept = nullptr;  // asked again and again: the scan is to end
};

// For people at a terminal, and for programs. Names of files are shown with control characters
// escaped.
class ScanReport final : public ScanListener {
 public:
  // Findings and the summary go to `findings`, problems and progress to `messages`.
  ScanReport(std::ostream& findings, std::ostream& messages, ReportStyle style)
      : findings_(findings), messages_(messages), style_(style) {}

  void result(ScannedFile& file, const ScanResult& result) override;
  void problem(const std::string& path, const std::string& what) override;
  // Draws at most five times a second.
  void progress(const ScanSummary& so_far, uint64_t files, uint64_t now_ms) override;
  [[nodiscard]] bool wants_end() override {
    return style_.wants_end != nullptr && style_.wants_end();
  }
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
