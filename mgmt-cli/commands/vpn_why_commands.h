// SPDX-License-Identifier: GPL-2.0-or-later
// Commands about tunnels that do not come up.
#pragma once

#include "mgmt-cli/commands/command_tree.h"

namespace masugata::cli {

[[nodiscard]] std::vector<Command> vpn_why_questions();
[[nodiscard]] Command vpn_monitor();

}  // namespace masugata::cli
