// SPDX-License-Identifier: GPL-2.0-or-later
// What masugata-replay says at the end.
#pragma once

#include <string>

#include "dataplane/replay/alert_counter.h"
#include "dataplane/replay/replay.h"
#include "ids/plan/detection_plan.h"

namespace masugata::dataplane {

struct ReplayTimes {
  double load_seconds = 0;     // reading rules
  double compile_seconds = 0;  // rules to plan
  double run_seconds = 0;      // captures
};

struct SummaryInputs {
  const ReplayCounts& counts;
  const AlertCounter& alerts;
  const ids::RuleSet& rules;
  const ids::PlanFacts& plan;
  const ReplayTimes& times;
};

// Lines for people, with a line end each.
[[nodiscard]] std::string summary_text(const SummaryInputs& inputs, bool statistics);
// One JSON object on one line:
// {"packets":..,"flows":..,"drops":..,"alerts":{"SID":n},"problems":[{"file","line","sid",
//  "keyword","reason","unsupported"}],"rules":..,...}
[[nodiscard]] std::string summary_json(const SummaryInputs& inputs);

// FILE:LINE sid SID keyword: reason, one line.
[[nodiscard]] std::string problem_text(const ids::RuleProblem& problem);

}  // namespace masugata::dataplane
