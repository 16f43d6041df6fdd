// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/shortage.h"

#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>

namespace masugata::av {
namespace {

// The lowest free number is taken first: of those behind it at most some are in use.
bool has_descriptors() noexcept {
  const int lowest = dup(STDIN_FILENO);
  if (lowest < 0) return false;
  close(lowest);
  const int number = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, lowest + kSpareDescriptors - 1);
  if (number >= 0) close(number);
  return number >= 0;
}

bool has_room(const std::string& directory, uint64_t bytes) noexcept {
  struct statfs room {};
  if (statfs(directory.c_str(), &room) != 0) return false;
  // Some file systems do not count files: they have none in all.
  if (room.f_files != 0 && room.f_ffree < kSpareFiles) return false;
  const uint64_t needed = kSpareBytes + kCopies * std::min(bytes, kLargestPageBytes);
  // Those without a size say that they have no blocks.
  return room.f_blocks == 0 || room.f_bavail >= needed / static_cast<uint64_t>(room.f_bsize);
}

}  // namespace

bool is_short(const std::string& directory, uint64_t bytes) noexcept {
  return !has_descriptors() || !has_room(directory, bytes);
}

}  // namespace masugata::av
