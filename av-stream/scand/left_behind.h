// SPDX-License-Identifier: GPL-2.0-or-later
// Sees what scans leave in their process: files in its scratch directory, open descriptors. With
// too many of either libclamav cannot unpack any more, of which it does not always tell.
#pragma once

#include <string>

namespace masugata::av {

// Thread: one. Two system calls a look.
class LeftBehind {
 public:
  static constexpr int kDescriptors = 64;  // more than this since the beginning are too many

  // Of `directory`, which has no folders now, and of the descriptors that are not open now.
  explicit LeftBehind(std::string directory);
  // Between scans.
  [[nodiscard]] bool too_much() const noexcept;

 private:
  std::string directory_;
  int first_;
};

}  // namespace masugata::av
