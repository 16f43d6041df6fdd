// SPDX-License-Identifier: GPL-2.0-or-later
// What may come next on the command line, from the table of commands.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mgmt-cli/commands/command_tree.h"

namespace masugata::cli {

struct Candidate {
  std::string text;
  std::string help;
};

// Names that only the running gateway knows: its zones, interfaces or sites. Empty when it cannot
// be asked.
using NameSource = std::function<std::vector<std::string>(ValueKind kind)>;

// Candidates for the last of `words` (empty for a new word), in the order of the table. Words
// before it that make no sense yield none. Files are left to the shell.
[[nodiscard]] std::vector<Candidate> complete(const std::vector<std::string>& words,
                                              const NameSource& names);

}  // namespace masugata::cli
