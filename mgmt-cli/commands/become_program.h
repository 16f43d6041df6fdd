// SPDX-License-Identifier: GPL-2.0-or-later
// One program of the package from within another.
#pragma once

#include <string>
#include <vector>

namespace masugata::cli {

// Replaces this process by `program`: the one beside this program's own file, the one in
// the directory sbin beside that, else the first in PATH. `arguments` without its name. Returns
// only when there is none or it cannot be started; says why on standard error and gives the exit
// status.
[[nodiscard]] int become_program(const std::string& program,
                                 const std::vector<std::string>& arguments);

}  // namespace masugata::cli
