// SPDX-License-Identifier: GPL-2.0-or-later
// The commands of antivirus, as data; see command_tree.h.
#pragma once

#include <vector>

#include "mgmt-cli/commands/command_tree.h"

namespace masugata::cli {

[[nodiscard]] std::vector<Command> antivirus_questions();
[[nodiscard]] std::vector<Command> antivirus_actions();

}  // namespace masugata::cli
