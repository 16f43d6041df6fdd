// SPDX-License-Identifier: GPL-2.0-or-later
// What a scan of files remembers for the next: which were clean, as they were, with which
// signatures.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "result/result.h"

namespace masugata::av {

// Whoever may write a file may set its `modified_ns` to what it was, `changed_ns` nobody.
struct FileStamp {
  uint64_t bytes = 0;
  int64_t modified_ns = 0;  // since 1970
  int64_t changed_ns = 0;
  bool operator==(const FileStamp&) const = default;
};

// Thread: one. Of a file 16 bytes are kept: the beginning of the SHA-256 of its path and stamp.
// Bound: kMaximumFiles, twice while a scan runs; further files are scanned each time.
class ScanState {
 public:
  static constexpr size_t kMaximumFiles = 2'000'000;

  // For scans with `key`: the signatures' version and what else makes a verdict. A file that does
  // not exist, is of another key, is not one of ours or is damaged is an empty state; one that
  // cannot be read is a fault.
  [[nodiscard]] static Result<ScanState> load(const std::string& file, const std::string& key);

  // It was clean when it was seen last, and is as it was then.
  [[nodiscard]] bool was_clean(const std::string& path, const FileStamp& stamp) const;
  // To be kept for the next time.
  void remember_clean(const std::string& path, const FileStamp& stamp);
  // Replaces the file in one step, on the disk when it returns. What was not seen this time is
  // forgotten by a scan that saw everything, kept by one that was `interrupted`.
  [[nodiscard]] Status save(const std::string& file, bool interrupted = false) const;

 private:
  using Fingerprint = std::array<uint8_t, 16>;
  [[nodiscard]] static Fingerprint fingerprint_of(const std::string& path, const FileStamp& stamp);

  std::string key_;
  std::vector<Fingerprint> before_;  // sorted
  std::vector<Fingerprint> now_;
};

}  // namespace masugata::av
