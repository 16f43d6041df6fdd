// SPDX-License-Identifier: GPL-2.0-or-later
// From the `ips` section of a configuration to compiled rules, profile by profile. Takes seconds
// for tens of thousands of rules: a thread of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/model.h"
#include "dataplane/wall_clock.h"
#include "ids/matching/datasets.h"
#include "ids/plan/detection_plan.h"
#include "ids/rules/rule_set.h"
#include "result/result.h"

namespace masugata::dataplane {

struct LoadedProfile {
  std::string name;
  std::shared_ptr<const ids::DetectionPlan> plan;
  size_t disabled = 0;                  // left out by the profile's choice
  size_t overridden = 0;                // with another action than written
  std::vector<std::string> exceptions;  // names of those that hold, as the plan numbers them
};

struct LoadedRules {
  std::vector<LoadedProfile> profiles;     // as in the configuration
  std::vector<std::string> files;          // that were read, in order
  size_t rules = 0;                        // read from the files
  size_t disabled = 0;                     // commented out there
  std::vector<ids::RuleProblem> problems;  // rules that did not load
  double seconds = 0;                      // of wall clock, all profiles
};

// The files that the patterns name, each once, in order. Fault: a pattern that names none, naming
// it.
[[nodiscard]] Result<std::vector<std::string>> find_rule_files(const config::IpsSettings& settings);

// Whether load_rules() will find everything that `settings` name. Reads no rules.
[[nodiscard]] Status check_rule_inputs(const config::IpsSettings& settings);

// Reads the files and compiles a plan per profile. Faults: a file that cannot be read, a plan that
// cannot be compiled; rules that do not load are not faults but `problems`.
// Data sets that rules name are made in `datasets`, which outlives all plans; one that is there
// already is used as it is. Exceptions that have ended by `now` are left out.
[[nodiscard]] Result<LoadedRules> load_rules(const config::IpsSettings& settings,
                                             ids::DatasetStore& datasets, WallTime now);

// Takes out what the profile does not select, sets the actions that it asks for and adds its
// exceptions, but for those that have ended by `now`.
void apply_profile(const config::IpsProfile& profile, WallTime now, ids::RuleSet& rules,
                   LoadedProfile& loaded);

// When the next exception ends; nothing when none will.
[[nodiscard]] std::optional<WallTime> next_expiry(const config::IpsSettings& settings,
                                                  WallTime now);

}  // namespace masugata::dataplane
