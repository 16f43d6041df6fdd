// SPDX-License-Identifier: GPL-2.0-or-later
// The event log: EVE lines of all workers, one per line, into a file with a quota.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/inspection/line_ring.h"
#include "result/result.h"

namespace masugata::dataplane {

// Control thread. The file is made readable for its owner and group only: it may hold payload.
class EventLog {
 public:
  // At `maximum_bytes` the file becomes PATH.1 (replacing the one before) and a new one is begun.
  // Fault: the file cannot be written; lines are counted as failed, and each write_waiting() tries
  // to open it again.
  Status open(const std::string& path, uint64_t maximum_bytes);

  // Writes what the rings hold, at most `maximum_lines` of each per call.
  void write_waiting(const std::vector<LineRing*>& rings, size_t maximum_lines = 4096);

  // One line of the control thread's own.
  void write(std::string_view text);

  [[nodiscard]] uint64_t lines() const noexcept { return lines_; }
  // Lines that the disk did not take.
  [[nodiscard]] uint64_t failed() const noexcept { return failed_; }

 private:
  bool write_line();  // line_, with its end
  Status open_again();

  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  void rotate();

  std::string path_;
  uint64_t maximum_bytes_ = 0;
  uint64_t bytes_ = 0;
  uint64_t lines_ = 0;
  uint64_t failed_ = 0;
  std::unique_ptr<std::FILE, Close> file_;
  std::string line_;
};

}  // namespace masugata::dataplane
