// SPDX-License-Identifier: GPL-2.0-or-later
// Which system calls a scanner has left.
#pragma once

#include "result/result.h"

namespace masugata::av {

// For the rest of the process's life: memory, files below its root, clocks, its own end. Calls that
// only somebody else's code would make (sockets, programs, other processes, executable memory) end
// the process; any other fails with EPERM. There is no way back; once, with one thread.
[[nodiscard]] Status filter_system_calls();

}  // namespace masugata::av
