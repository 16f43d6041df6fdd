// SPDX-License-Identifier: GPL-2.0-or-later
// The time of day. Nothing but system_wall_time() reads it: who needs it is given a WallClock, so
// that tests choose the day.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace masugata::dataplane {

using WallTime = std::chrono::system_clock::time_point;
using WallClock = std::function<WallTime()>;  // never empty; called on the control thread

[[nodiscard]] inline WallTime system_wall_time() { return std::chrono::system_clock::now(); }

// Since 1970.
[[nodiscard]] inline int64_t microseconds_of(WallTime time) noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}
[[nodiscard]] inline int64_t seconds_of(WallTime time) noexcept {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace masugata::dataplane
