// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/inspection/event_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace masugata::dataplane {

Status EventLog::open(const std::string& path, uint64_t maximum_bytes) {
  maximum_bytes_ = maximum_bytes;
  if (path == path_ && file_ != nullptr) return {};
  path_ = path;
  return open_again();
}

Status EventLog::open_again() {
  file_.reset();
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
  const int descriptor = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (descriptor < 0) {
    return failure("ips log file " + path_,
                   std::string("cannot be written: ") + std::strerror(errno));
  }
  file_.reset(::fdopen(descriptor, "a"));
  struct stat facts {};
  bytes_ = ::fstat(descriptor, &facts) == 0 ? static_cast<uint64_t>(facts.st_size) : 0;
  return {};
}

void EventLog::rotate() {
  std::error_code ignored;
  std::filesystem::rename(path_, path_ + ".1", ignored);
  static_cast<void>(open_again());
}

void EventLog::write_waiting(const std::vector<LineRing*>& rings, size_t maximum_lines) {
  bool wrote = false;
  if (file_ == nullptr && !path_.empty()) static_cast<void>(open_again());
  for (LineRing* ring : rings) {
    for (size_t count = 0; count < maximum_lines && ring->pop(line_); ++count) {
      wrote = write_line() || wrote;
    }
  }
  if (wrote && file_ != nullptr) std::fflush(file_.get());
}

void EventLog::write(std::string_view text) {
  line_ = text;
  if (write_line() && file_ != nullptr) std::fflush(file_.get());
}

bool EventLog::write_line() {
  line_ += '\n';
  if (file_ == nullptr || std::fwrite(line_.data(), 1, line_.size(), file_.get()) != line_.size()) {
    ++failed_;
    return false;
  }
  bytes_ += line_.size();
  ++lines_;
  if (bytes_ >= maximum_bytes_) rotate();
  return true;
}

}  // namespace masugata::dataplane
