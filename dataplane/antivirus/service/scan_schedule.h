// SPDX-License-Identifier: GPL-2.0-or-later
// When a scan job runs: at a time of day, on days of the week, in the local time of the gateway.
#pragma once

#include <cstdint>

#include "config/antivirus_settings.h"

namespace masugata::dataplane {

// Moments in seconds since 1970. A time of day that does not exist on a day (clocks are set
// forward) is the moment that the clock shows an hour later or earlier; one that comes twice counts
// once.

// The first one after `moment_s`.
[[nodiscard]] int64_t next_run_s(const config::AvJob& job, int64_t moment_s);
// The last one that is not after `moment_s`.
[[nodiscard]] int64_t latest_run_s(const config::AvJob& job, int64_t moment_s);

}  // namespace masugata::dataplane
