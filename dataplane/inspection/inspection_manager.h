// SPDX-License-Identifier: GPL-2.0-or-later
// Which rules inspect: gives profiles their slots, compiles rules beside the running ones,
// publishes them when they are ready. Whatever fails leaves the running ones untouched.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/inspection/inspection_set.h"
#include "dataplane/inspection/inspector.h"
#include "dataplane/inspection/rule_ledger.h"
#include "dataplane/inspection/rule_loading.h"
#include "dataplane/profile_slots.h"
#include "dataplane/published_set.h"
#include "dataplane/wall_clock.h"
#include "result/result.h"

namespace masugata::dataplane {

// What workers are inspected with. Everything outlives the manager.
struct InspectionTargets {
  std::atomic<const InspectionSet*>* publication = nullptr;
  MemorySource* memory = nullptr;
  std::vector<Inspector*> inspectors;
  InspectorLimits limits;
  WallClock wall_clock = system_wall_time;  // of exceptions that end
};

enum class RuleLoadState : uint8_t { None, Loading, Ready, Failed };

// For `show ips rules`.
struct RuleLoadReport {
  RuleLoadState state = RuleLoadState::None;
  std::string failure;  // of the last load, when it failed
  int64_t at_s = 0;     // since 1970: when the running rules became so; 0 = never
  LoadedRules loaded;   // what runs
};

// Control thread.
class InspectionManager {
 public:
  explicit InspectionManager(InspectionTargets targets);
  ~InspectionManager();
  InspectionManager(const InspectionManager&) = delete;
  InspectionManager& operator=(const InspectionManager&) = delete;

  // Before a configuration is published: can `settings` be carried out? Changes nothing.
  [[nodiscard]] Status check(const config::IpsSettings& settings) const;

  // Gives slots, publishes the profiles' choices with the rules that run, and begins to load when
  // `settings` name other rules than before or `again` is set. Before the configuration that needs
  // the slots is published. `without_rules`: there are sessions that are inspected without an IPS
  // profile, for their contents only.
  Status configure(const config::IpsSettings& settings, bool again, bool without_rules = false);

  // The slots of a policy's inspection profiles, by index. Those without an IPS profile and with an
  // antivirus profile have the slot without rules.
  [[nodiscard]] std::vector<InspectionSlotIndex> slots_of(
      const std::vector<config::InspectionProfile>& profiles) const;

  // Reads the rule files again, in the background; the configuration stays as it is. Faults: there
  // is nothing to load, a file that cannot be read.
  Status reread_rules();

  // What rules have found and cost, by sid; `slot` of running(). Counts go on when rules are loaded
  // again and start at the last clear_rule_hits() or, for what is counted while profiling, at the
  // last time that profiling was switched on.
  [[nodiscard]] RuleCounts rule_counts(InspectionSlotIndex slot) const;
  void clear_rule_hits();
  // From the workers' next turns on. Each rule that is judged then costs two readings of the clock.
  void set_profiling(bool on);
  [[nodiscard]] bool is_profiling() const noexcept { return profiling_; }

  // Publishes rules that have become ready; frees what nobody reads; writes back what rules added
  // to data sets with a state file, every ten seconds. About ten times a second. True when a load
  // has ended or a data set could not be written; `ended` says how.
  bool tick(std::string& ended);

  // Waits for a load that is under way and publishes it (tests, start-up of the lab).
  void finish_loading();

  [[nodiscard]] const RuleLoadReport& report() const noexcept { return report_; }
  [[nodiscard]] const config::IpsSettings& settings() const noexcept { return settings_; }
  [[nodiscard]] const InspectorLimits& limits() const noexcept { return targets_.limits; }
  [[nodiscard]] const InspectionSet* running() const noexcept { return published_.running(); }
  [[nodiscard]] const std::vector<Inspector*>& inspectors() const noexcept {
    return targets_.inspectors;
  }

 private:
  [[nodiscard]] Status add_slot_without_rules();
  void start_loading();
  void take_loaded(std::string& ended);
  // Writes data sets with a state file back, every kDatasetPeriod. True when `said` has news.
  [[nodiscard]] bool tend_datasets(std::string& said);
  void keep_counts(const InspectionSet& last);
  // Of a slot, those that workers may still write.
  [[nodiscard]] std::vector<const PlanCosts*> live_costs(size_t slot) const;

  InspectionTargets targets_;
  config::IpsSettings settings_;
  ids::DatasetStore datasets_;                          // outlives all plans
  ProfileSlots slots_{"ips", kMaximumInspectionSlots};  // kSlotWithoutRules stands for no profile
  std::shared_ptr<const ids::DetectionPlan> no_rules_;  // of that slot
  PublishedSet<InspectionSet> published_;
  RuleLedger ledger_;
  bool profiling_ = false;
  std::optional<WallTime> next_expiry_;  // of an exception
  RuleLoadReport report_;
  std::thread loader_;
  std::atomic<bool> loader_done_{false};
  std::optional<Result<LoadedRules>> loader_result_;  // the loader's until loader_done_
  std::optional<WallTime> datasets_written_;
  std::string dataset_failure_;  // of the last writing; empty when it went well
  bool load_again_ = false;      // asked for while a load is under way
};

}  // namespace masugata::dataplane
