// SPDX-License-Identifier: GPL-2.0-or-later
// What a machine says of itself, in bounded pieces. A piece that cannot be had is a Fault whose
// words say why.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "result/result.h"

namespace masugata::cli {

// The first `bound` bytes; for files of /proc, which have no size.
[[nodiscard]] Result<std::string> beginning_of_file(const std::string& path, size_t bound);
// The last whole lines within `bound` bytes.
[[nodiscard]] Result<std::string> end_of_file(const std::string& path, size_t bound);

// Processes with that name (`comm`, at most 15 letters), ascending.
[[nodiscard]] std::vector<pid_t> processes_named(const std::string& name);
// The words that a process was started with.
[[nodiscard]] std::vector<std::string> words_of_process(pid_t process);
// A process's open file: its name alone, and a path that leads to it as long as the process has it
// open, wherever its file systems are mounted.
struct OutputFile {
  std::string name;
  std::string path;
};
// What a process writes its standard output to; nullopt when that is no file.
[[nodiscard]] std::optional<OutputFile> output_file_of_process(pid_t process);

// The last lines of units in the journal, oldest first, at most `bound` bytes, read until
// `deadline`.
[[nodiscard]] Result<std::string> journal_of_units(const std::vector<std::string>& units,
                                                   size_t bound,
                                                   std::chrono::steady_clock::time_point deadline);

}  // namespace masugata::cli
