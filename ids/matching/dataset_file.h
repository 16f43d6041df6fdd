// SPDX-License-Identifier: GPL-2.0-or-later
// The file of a dataset that outlives the process (`state`, `save`).
#pragma once

#include <set>
#include <string>

#include "ids/matching/dataset_journal.h"
#include "ids/rules/payload_match.h"
#include "result/result.h"

namespace masugata::ids {

// More lines are not kept: they would have to be written as a whole.
inline constexpr size_t kMaximumSavedLines = 262'144;

// A member as read_dataset_line() reads it, without reputation. Empty for a value of the wrong
// shape, which is in no set.
[[nodiscard]] std::string dataset_line_of(DatasetType type, std::span<const uint8_t> value);

// Control side, one thread.
class DatasetFile {
 public:
  // `lines` are what the set begins with.
  DatasetFile(DatasetType type, std::string path, std::set<std::string> lines);

  // Takes in what workers changed. Cheap; call several times a second.
  void follow(DatasetJournal& journal);
  // Writes the file anew when something changed: beside it (mode 0640), then in its place, so that
  // a reader finds the old or the new one whole. Faults: what the system says; the next call tries
  // again.
  Status save();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  // Added members beyond kMaximumSavedLines: in the set, not in the file.
  [[nodiscard]] uint64_t left_out() const noexcept { return left_out_; }

 private:
  DatasetType type_;
  std::string path_;
  std::set<std::string> lines_;
  bool changed_ = false;
  uint64_t left_out_ = 0;
};

}  // namespace masugata::ids
