// SPDX-License-Identifier: GPL-2.0-or-later
// Finds the files below paths, one after the other.
#pragma once

#include <dirent.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "av-stream/scand/message_socket.h"

namespace masugata::av {

// Thread: one. Only plain files come: no links are followed but those of the paths themselves, no
// pipes or devices are opened, and file systems without files (proc, sysfs and their like) are left
// out. Folders that are open keep what others rename meanwhile from leading elsewhere.
// Bound: kMaximumDepth folders are open at a time; what lies deeper is a problem.
class FileWalk {
 public:
  static constexpr size_t kMaximumDepth = 256;

  // `problem` is told what cannot be read.
  using Problem = std::function<void(const std::string& path, const std::string& what)>;
  // Nothing at or below `excluded`, which are absolute.
  FileWalk(std::vector<std::string> paths, std::vector<std::string> excluded, Problem problem);

  struct File {
    std::string path;
    std::string name;  // in its folder
  };
  // Nothing at the end.
  [[nodiscard]] std::optional<File> next();
  // The folder of the file that came last; until the next call of next().
  [[nodiscard]] int folder() const noexcept { return folder_; }
  // That file, to be read; without one errno says why.
  [[nodiscard]] Descriptor open_file(const File& file) const;

 private:
  struct CloseFolder {
    void operator()(DIR* folder) const noexcept { closedir(folder); }
  };
  struct Level {
    std::string path;
    std::unique_ptr<DIR, CloseFolder> folder;
  };

  [[nodiscard]] std::optional<File> open_next_path();
  void enter(int folder, const std::string& name, const std::string& path);
  [[nodiscard]] bool is_excluded(const std::string& path) const;

  std::vector<std::string> paths_;
  std::vector<std::string> excluded_;
  Problem problem_;
  size_t next_path_ = 0;
  std::vector<Level> levels_;
  Descriptor named_folder_;  // of a file that is one of the paths
  int folder_ = -1;
};

}  // namespace masugata::av
