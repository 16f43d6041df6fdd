// SPDX-License-Identifier: GPL-2.0-or-later
// Profiles by name, for the answers about intrusion prevention. Control thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dataplane/control/inspection_records.h"
#include "dataplane/inspection/inspection_manager.h"

namespace masugata::dataplane {

// Nothing while no profile of that name was ever published.
[[nodiscard]] std::optional<InspectionSlotIndex> slot_named(const InspectionManager& manager,
                                                            const std::string& profile);
// What runs; null: no rules yet. `slot` of slot_named().
[[nodiscard]] const ids::DetectionPlan* plan_of(const InspectionManager& manager,
                                                InspectionSlotIndex slot);
[[nodiscard]] control::IpsLoadStatus load_status(const InspectionManager& manager, int64_t now_s);

}  // namespace masugata::dataplane
