// SPDX-License-Identifier: GPL-2.0-or-later
// `request support archive`: what somebody who helps from afar wants to know, in one file without
// secrets. Made by the command, not by the gateway: the packet path has no part in it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "result/result.h"

namespace masugata::cli {

// Bounds of an archive, before compression. What is beyond is cut off and named in contents.txt.
inline constexpr size_t kMaximumSupportPieceBytes = size_t{4} << 20U;
inline constexpr size_t kMaximumSupportBytes = size_t{48} << 20U;
// What has not begun by then is left out; one question takes at most kSupportAnswerSeconds more.
inline constexpr std::chrono::seconds kSupportTime{60};
inline constexpr int kSupportAnswerSeconds = 10;

struct SupportArchive {
  std::string path;
  uint64_t bytes = 0;
  std::string sha256;
  uint64_t pieces = 0;
  uint64_t left_out = 0;
  uint64_t hidden = 0;  // secrets that were found where none should be, and taken out
};

// Into the new file `path`, mode 0600. A gateway that does not answer is no Fault: the archive then
// says so, and holds what the machine knows. Fault: the file cannot be written.
[[nodiscard]] Result<SupportArchive> make_support_archive(const std::string& path,
                                                          const std::string& control_socket);

// The summary for people.
[[nodiscard]] std::string render_support_archive(const SupportArchive& made);

// "masugata-support-20261123-104500.tar.gz", by the clock.
[[nodiscard]] std::string usual_support_file();

}  // namespace masugata::cli
