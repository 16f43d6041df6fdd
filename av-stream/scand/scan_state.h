// SPDX-License-Identifier: GPL-2.0-or-later
// What a scan of files remembers for the next: which were clean, as they were, with which
// signatures.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "result/result.h"

namespace masugata::av {

struct FileStamp {
  uint64_t bytes = 0;
  int64_t modified_ns = 0;
  bool operator==(const FileStamp&) const = default;
};

// Thread: one. Bound: kMaximumFiles; further files are scanned each time.
class ScanState {
 public:
  static constexpr size_t kMaximumFiles = 20'000'000;

  // For scans with `key`: the signatures' version and what else makes a verdict. A file that does
  // not exist, is of another key or is not one of ours is an empty state; one that cannot be read
  // is a fault.
  [[nodiscard]] static Result<ScanState> load(const std::string& file, const std::string& key);

  // It was clean when it was seen last, and is as it was then.
  [[nodiscard]] bool was_clean(const std::string& path, const FileStamp& stamp) const;
  // To be kept for the next time; what was not seen this time is forgotten.
  void remember_clean(const std::string& path, const FileStamp& stamp);
  // Replaces the file in one step.
  [[nodiscard]] Status save(const std::string& file) const;

 private:
  std::string key_;
  std::unordered_map<std::string, FileStamp> before_;
  std::unordered_map<std::string, FileStamp> now_;
};

}  // namespace masugata::av
