// SPDX-License-Identifier: GPL-2.0-or-later
// From the typed configuration to a Snapshot. Control thread; allocates, may fail.
#pragma once

#include <cstdint>
#include <ctime>
#include <memory>

#include "config/model.h"
#include "dataplane/snapshot/snapshot.h"
#include "result/result.h"

namespace masugata::dataplane {

// `now` decides which scheduled rules are alive; the time zone is that of the process. `before`:
// the snapshot that sessions in progress were admitted under, whose inspection profiles keep their
// numbers; null for the first.
[[nodiscard]] Result<std::unique_ptr<const Snapshot>> compile_snapshot(
    const config::Model& model, uint32_t generation, std::time_t now,
    const Snapshot* before = nullptr);

// The same configuration with the rules that are alive at `now`: classifiers are shared, only the
// masks are new. The generation is a new one so that sessions are admitted again.
[[nodiscard]] std::unique_ptr<const Snapshot> with_schedules_at(const Snapshot& snapshot,
                                                                uint32_t generation,
                                                                std::time_t now);

}  // namespace masugata::dataplane
