// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/file_walk.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace masugata::av {
namespace {

constexpr int kReadFolder = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

// What the kernel says there are no files that somebody stored.
bool has_files(int folder) {
  constexpr std::array<int64_t, 9> kWithout{PROC_SUPER_MAGIC,    SYSFS_MAGIC,   CGROUP_SUPER_MAGIC,
                                            CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC, DEVPTS_SUPER_MAGIC,
                                            TRACEFS_MAGIC,       BPF_FS_MAGIC,  SECURITYFS_MAGIC};
  struct statfs status {};
  if (fstatfs(folder, &status) != 0) return true;
  const auto type = static_cast<int64_t>(status.f_type);
  return std::find(kWithout.begin(), kWithout.end(), type) == kWithout.end();
}

mode_t kind_of(int folder, const dirent& entry) {
  if (entry.d_type == DT_REG) return S_IFREG;
  if (entry.d_type == DT_DIR) return S_IFDIR;
  struct stat status {};
  if (entry.d_type != DT_UNKNOWN ||
      fstatat(folder, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return 0;
  }
  return status.st_mode & static_cast<mode_t>(S_IFMT);
}

}  // namespace

FileWalk::FileWalk(std::vector<std::string> paths, std::vector<std::string> excluded,
                   Problem problem)
    : paths_(std::move(paths)), excluded_(std::move(excluded)), problem_(std::move(problem)) {}

bool FileWalk::is_excluded(const std::string& path) const {
  return std::any_of(excluded_.begin(), excluded_.end(), [&](const std::string& each) {
    return path == each || path.starts_with(each + "/");
  });
}

void FileWalk::enter(int folder, const std::string& name, const std::string& path) {
  if (is_excluded(path)) return;
  if (levels_.size() == kMaximumDepth) {
    problem_(path, "lies too deep");
    return;
  }
  const int opened = openat(folder, name.c_str(), kReadFolder);
  if (opened < 0) {
    problem_(path, std::strerror(errno));
    return;
  }
  DIR* entries = has_files(opened) ? fdopendir(opened) : nullptr;
  if (entries == nullptr) {
    close(opened);
    return;
  }
  levels_.push_back({path, std::unique_ptr<DIR, CloseFolder>(entries)});
}

std::optional<FileWalk::File> FileWalk::open_next_path() {
  const std::string& named = paths_[next_path_++];
  std::error_code error;
  const std::filesystem::path path = std::filesystem::canonical(named, error);
  if (error) {
    problem_(named, error.message());
    return std::nullopt;
  }
  const auto status = std::filesystem::symlink_status(path, error);
  if (std::filesystem::is_directory(status)) {
    enter(AT_FDCWD, path.string(), path.string());
    return std::nullopt;
  }
  if (!std::filesystem::is_regular_file(status)) {
    problem_(named, "is neither a file nor a directory");
    return std::nullopt;
  }
  if (is_excluded(path.string())) return std::nullopt;
  named_folder_ = Descriptor(open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  folder_ = named_folder_.get();
  return File{path.string(), path.filename().string()};
}

std::optional<FileWalk::File> FileWalk::next() {
  while (true) {
    if (levels_.empty()) {
      if (next_path_ == paths_.size()) return std::nullopt;
      if (auto file = open_next_path()) return file;
      continue;
    }
    const Level& level = levels_.back();
    const std::string& parent = level.path;
    errno = 0;
    const dirent* entry = readdir(level.folder.get());
    if (entry == nullptr) {
      if (errno != 0) problem_(parent, std::strerror(errno));
      levels_.pop_back();
      continue;
    }
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    const int folder = dirfd(level.folder.get());
    const mode_t kind = kind_of(folder, *entry);
    std::string path = parent + (parent == "/" ? "" : "/") + name;
    if (kind == S_IFDIR) enter(folder, name, path);
    if (kind != S_IFREG || is_excluded(path)) continue;
    folder_ = folder;
    return File{std::move(path), name};
  }
}

Descriptor FileWalk::open_file(const File& file) const {
  return Descriptor(openat(folder_, file.name.c_str(),
                           O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK));
}

}  // namespace masugata::av
