// SPDX-License-Identifier: GPL-2.0-or-later
// The log of masugata-scand, in the form of masugatad's: one line each on standard error for the
// journal, or syslog.
#pragma once

#include <spdlog/common.h>

namespace masugata::av {

// Makes spdlog's default logger ours. Control characters become question marks, so that nothing
// taken from signature files or paths can forge a line. Once, at start-up.
void start_scand_log(bool to_syslog, spdlog::level::level_enum level);

}  // namespace masugata::av
