// SPDX-License-Identifier: GPL-2.0-or-later
// `show applications`: how recognising applications, host names and names of addresses goes.
#pragma once

#include <memory>
#include <vector>

#include "dataplane/control/inspection_records.h"
#include "dataplane/pipeline/worker.h"

namespace masugata::dataplane {

// Control thread; workers are only read through their relaxed counters.
[[nodiscard]] control::ApplicationStatus application_status(
    const std::vector<std::unique_ptr<Worker>>& workers, const Snapshot& snapshot);

}  // namespace masugata::dataplane
