// SPDX-License-Identifier: GPL-2.0-or-later
// Which exceptions the profiles have and how often each made a match void.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/inspection/inspection_manager.h"

namespace masugata::dataplane {

struct ExceptionHits {
  std::string profile;
  std::string name;
  bool holds = false;  // in the rules that run; false: it has ended, or they are not loaded yet
  uint64_t hits = 0;   // over all workers, since those rules run
  std::optional<std::chrono::sys_seconds> until;
};

// Control thread. As in the configuration: profile by profile, in their order.
[[nodiscard]] std::vector<ExceptionHits> exception_hits(const InspectionManager& manager);

}  // namespace masugata::dataplane
