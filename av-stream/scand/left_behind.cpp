// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/left_behind.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace masugata::av {
namespace {

// A directory without folders is named by its parent and by itself. All files of a scan are in a
// folder of that scan.
constexpr nlink_t kNamesOfEmpty = 2;

int lowest_descriptor() noexcept {
  const int number = dup(STDIN_FILENO);
  if (number >= 0) close(number);
  return number;
}

}  // namespace

LeftBehind::LeftBehind(std::string directory)
    : directory_(std::move(directory)), first_(lowest_descriptor()) {}

bool LeftBehind::too_much() const noexcept {
  const int number = lowest_descriptor();
  if (number < 0 || number > first_ + kDescriptors) return true;
  struct stat status {};
  return stat(directory_.c_str(), &status) != 0 || status.st_nlink > kNamesOfEmpty;
}

}  // namespace masugata::av
