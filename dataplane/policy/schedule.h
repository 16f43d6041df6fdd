// SPDX-License-Identifier: GPL-2.0-or-later
// When a rule is alive. Control thread only: reads the time zone of the process.
#pragma once

#include <chrono>
#include <ctime>
#include <optional>

#include "config/model.h"

namespace masugata::dataplane {

// A schedule that runs past midnight belongs to the weekday on which it starts.
[[nodiscard]] bool is_alive(const std::optional<config::Schedule>& schedule,
                            const std::optional<std::chrono::sys_seconds>& until, std::time_t now);

// The next moment after `now` at which is_alive() may change; nullopt when it never does.
[[nodiscard]] std::optional<std::time_t> next_change(
    const std::optional<config::Schedule>& schedule,
    const std::optional<std::chrono::sys_seconds>& until, std::time_t now);

}  // namespace masugata::dataplane
