// SPDX-License-Identifier: GPL-2.0-or-later
// A detection plan: a rule set compiled for the packet path. Immutable, shared by all workers,
// published by pointer.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ids/protocols/transaction.h"
#include "ids/rules/rule_set.h"
#include "result/result.h"

namespace masugata::ids {

class DatasetStore;
class GeoDatabase;
class IpReputationTable;

// What rules ask beside the traffic; null: not configured, rules that ask for it do not match
// (datasets: do not load). Kept alive by the plan, except the datasets, which outlive all plans.
struct PlanTables {
  DatasetStore* datasets = nullptr;
  std::shared_ptr<const GeoDatabase> geography;
  std::shared_ptr<const IpReputationTable> reputation;
};

// The kinds of rules in the order in which they are judged, each once; RejectBoth stands for all
// rejects. A pass rule that matches ends the judgement of a packet: what stands after it does not
// count, what stands before it does.
using ActionOrder = std::array<RuleAction, 4>;
inline constexpr ActionOrder kUsualOrder{RuleAction::Pass, RuleAction::Drop, RuleAction::RejectBoth,
                                         RuleAction::Alert};

struct PlanOptions {
  std::string cache_folder;  // compiled databases are kept here, by content; empty: no cache
  uint32_t compile_threads = 1;
  std::string data_folder;  // where the files of datasets are, when not absolute
  ActionOrder action_order = kUsualOrder;
  PlanTables tables;
  ParserDemands demands;  // what the log asks of parsers; rules add theirs
};

struct PlanFacts {
  size_t rules = 0;
  size_t patterns = 0;
  size_t databases = 0;
  size_t bytes = 0;  // databases and tables
  double compile_seconds = 0;
  bool from_cache = false;
};

class DetectionPlan;  // detection_plan.cpp's own; the engine includes plan/compiled_rules.h

// Takes seconds for tens of thousands of rules: never on a worker. Rules that the plan cannot
// compile (a pcre that PCRE2 refuses) are left out and appended to `rules.problems`.
[[nodiscard]] Result<std::shared_ptr<const DetectionPlan>> compile_plan(RuleSet rules,
                                                                        const PlanOptions& options);

[[nodiscard]] const PlanFacts& facts_of(const DetectionPlan& plan) noexcept;
[[nodiscard]] const RuleSet& rules_of(const DetectionPlan& plan) noexcept;
// By rule number, which is how engines count: 0..number_of_rules() - 1, in the order of judgement.
[[nodiscard]] size_t number_of_rules(const DetectionPlan& plan) noexcept;
[[nodiscard]] const Rule& rule_of(const DetectionPlan& plan, size_t number) noexcept;
[[nodiscard]] const ParserDemands& demands_of(const DetectionPlan& plan) noexcept;

}  // namespace masugata::ids
