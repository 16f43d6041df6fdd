// SPDX-License-Identifier: GPL-2.0-or-later
// A folder on a disk for scanners that have no file system of their own in memory.
#pragma once

#include <sys/types.h>

#include <string>

#include "result/result.h"

namespace masugata::av {

// In the folder for temporary files (TMPDIR), of a name that nobody had before; nobody but its
// owner looks into it. Gone with the object, whatever is in it: not in a forked process, which must
// end by _exit() then.
class ScratchFolder {
 public:
  [[nodiscard]] static Result<ScratchFolder> create(uid_t owner, gid_t group);
  ScratchFolder(ScratchFolder&& other) noexcept;
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  explicit ScratchFolder(std::string path) noexcept : path_(std::move(path)) {}
  std::string path_;  // empty: somebody else has it
};

}  // namespace masugata::av
