// SPDX-License-Identifier: GPL-2.0-or-later
// What workers inspect with: per IPS profile its choices and its compiled rules. Immutable while
// published; replaced as a whole when rules or choices change.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/model.h"
#include "dataplane/inspection/rule_costs.h"
#include "ids/eve/eve_formatter.h"
#include "ids/plan/detection_plan.h"

namespace masugata::dataplane {

// A profile keeps its slot for as long as the gateway runs, whatever its place in the
// configuration.
using InspectionSlotIndex = uint8_t;
inline constexpr size_t kMaximumInspectionSlots = 32;
inline constexpr InspectionSlotIndex kNoInspectionSlot = 0xff;

// The name of the slot that has no profile and no rules; no profile can be called so.
inline constexpr const char* kSlotWithoutRules = "";

struct InspectionSlot {
  std::string name;  // of the profile
  bool prevent = true;
  config::InspectionFailure without_rules = config::InspectionFailure::Drop;
  config::InspectionFailure memory_full = config::InspectionFailure::Drop;
  config::InspectionFailure overload = config::InspectionFailure::Drop;
  config::InspectionFailure midstream = config::InspectionFailure::Drop;
  std::shared_ptr<const ids::DetectionPlan> plan;  // null: no rules are loaded yet
  // Goes with `plan`; null: engines count for themselves. The workers write it, each its own part.
  std::shared_ptr<PlanCosts> costs;
};

struct InspectionSet {
  uint32_t generation = 0;  // differs from the set before
  std::vector<InspectionSlot> slots;
  ids::EveOptions events;  // what is reported, and with what
};

}  // namespace masugata::dataplane
