// SPDX-License-Identifier: GPL-2.0-or-later
// The commands about tunnels.
#pragma once

#include <vector>

#include "mgmt-cli/commands/command_tree.h"

namespace masugata::cli {

[[nodiscard]] std::vector<Command> vpn_questions();
[[nodiscard]] std::vector<Command> vpn_actions();

}  // namespace masugata::cli
