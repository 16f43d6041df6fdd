// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/scratch_folder.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace masugata::av {

Result<ScratchFolder> ScratchFolder::create(uid_t owner, gid_t group) {
  std::error_code error;
  std::string path =
      (std::filesystem::temp_directory_path(error) / "masugata-scan-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) return failure(path, std::strerror(errno));
  ScratchFolder folder(path);
  if (geteuid() == 0 && chown(path.c_str(), owner, group) != 0) {
    return failure(path, std::strerror(errno));
  }
  return folder;
}

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

ScratchFolder::~ScratchFolder() {
  std::error_code error;
  if (!path_.empty()) std::filesystem::remove_all(path_, error);
}

}  // namespace masugata::av
