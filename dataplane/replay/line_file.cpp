// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/replay/line_file.h"

#include <cerrno>
#include <cstring>

namespace masugata::dataplane {

Result<std::unique_ptr<LineFile>> LineFile::create(const std::string& path) {
  std::FILE* file = path == "-" ? stdout : std::fopen(path.c_str(), "w");
  if (file == nullptr) return failure(path, std::strerror(errno));
  return std::unique_ptr<LineFile>(new LineFile(path, file));
}

void LineFile::line(std::string_view text) noexcept {
  std::fwrite(text.data(), 1, text.size(), file_.get());
  std::fputc('\n', file_.get());
}

Status LineFile::finish() noexcept {
  if (std::fflush(file_.get()) != 0 || std::ferror(file_.get()) != 0) {
    return failure(path_, "could not be written to the end");
  }
  return {};
}

}  // namespace masugata::dataplane
