// SPDX-License-Identifier: GPL-2.0-or-later
// A new tar.gz file that only its owner can read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "result/result.h"

struct archive;

namespace masugata::cli {

// One thread. What is not finished is deleted when the object goes.
class ArchiveFile {
 public:
  // Makes `path` with mode 0600. Fault: it exists, or cannot be made.
  [[nodiscard]] static Result<ArchiveFile> create(const std::string& path);
  ArchiveFile(ArchiveFile&& other) noexcept;
  ArchiveFile& operator=(ArchiveFile&&) = delete;
  ~ArchiveFile();

  // A file of mode 0600 in the archive. `name` is a relative path of plain letters. Fault: the disk
  // is full.
  Status add(const std::string& name, std::string_view content);

  struct Finished {
    uint64_t bytes = 0;  // of the file on disk
    std::string sha256;  // in hexadecimal digits
  };
  // Once, at the end: the file is whole and on the disk.
  [[nodiscard]] Result<Finished> finish();

 private:
  ArchiveFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  [[nodiscard]] Status trouble() const;

  std::string path_;  // empty when there is nothing to delete
  int descriptor_ = -1;
  struct archive* archive_ = nullptr;
  int64_t time_s_ = 0;
};

}  // namespace masugata::cli
