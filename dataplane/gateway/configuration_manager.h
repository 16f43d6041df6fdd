// SPDX-License-Identifier: GPL-2.0-or-later
// Which configuration runs: loads, compiles, publishes, and frees the one before when no worker
// reads it any more. Whatever fails leaves the running one untouched.
#pragma once

#include <cstdint>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/load.h"
#include "dataplane/antivirus/antivirus_manager.h"
#include "dataplane/gateway/configuration_builder.h"
#include "dataplane/inspection/inspection_manager.h"
#include "dataplane/ipsec/ipsec_manager.h"
#include "dataplane/kernel/exception_path.h"
#include "dataplane/kernel/kernel_interface.h"
#include "dataplane/pipeline/worker.h"
#include "dataplane/wall_clock.h"
#include "result/result.h"

namespace masugata::dataplane {

// What a configuration is applied to. Everything outlives the manager; `twins` and `kernel` may be
// null (tests).
struct ConfigurationTargets {
  Publication* publication = nullptr;
  Quiescence* quiescence = nullptr;
  InspectionManager* inspection = nullptr;          // may be null (tests)
  AntivirusManager* antivirus = nullptr;            // likewise
  IpsecManager* ipsec = nullptr;                    // likewise
  std::vector<ApplicationIdentifier*> identifiers;  // of the workers
  IdentifierLimits identifier_limits;
  MemorySource* identifier_memory = nullptr;
  std::vector<NameLearner*> learners;  // of the workers; memory as above
  net::HashSecret secret;
  ExceptionPath* twins = nullptr;
  KernelInterface* kernel = nullptr;
  std::vector<PortFacts> ports;
  uint16_t workers = 1;
  WallClock wall_clock = system_wall_time;  // of schedules
};

// Counts under names, so that they go on over a reload.
struct CounterTotals {
  uint64_t first = 0;   // hits, or received packets
  uint64_t second = 0;  // received bytes
  uint64_t third = 0;   // sent packets
  uint64_t fourth = 0;  // sent bytes
};

// Control thread.
class ConfigurationManager {
 public:
  explicit ConfigurationManager(ConfigurationTargets targets) : targets_(std::move(targets)) {}
  ~ConfigurationManager();

  // Makes `model` the running configuration. `warnings` gets what went wrong behind the point of
  // no return: the kernel refused an address or a route. Fault: nothing has changed.
  // IPS rules are read anew when the configuration names others than before, or `reread_rules`.
  Status apply(config::Model model, std::vector<Fault>& warnings, bool reread_rules = false);

  // Publishes the masks of this moment when a schedule or an expiry has passed; frees what is no
  // longer read. Call about ten times a second.
  void tick();

  [[nodiscard]] const config::Model& model() const noexcept { return model_; }
  [[nodiscard]] const RunningConfiguration& running() const noexcept { return *running_; }
  [[nodiscard]] const std::vector<uint16_t>& twin_ids() const noexcept { return twin_ids_; }

  // Sums over workers and over earlier configurations in which the rule or interface had the same
  // name, less what clear_counters() has set aside. Keys: rule_title(), nat_title(),
  // interface_title(). Made anew at each call: ask once per answer.
  using Totals = std::map<std::string, CounterTotals>;
  [[nodiscard]] Totals totals() const;
  [[nodiscard]] std::optional<uint32_t> last_policy_hit_ms(RuleId rule) const;  // worker clock
  void clear_counters();

  // "lan > wan: web"; stands for the rule in logs and counters.
  [[nodiscard]] static std::string rule_title(const Snapshot& snapshot, RuleId rule);
  [[nodiscard]] static std::string nat_title(const Snapshot& snapshot, NatRuleId rule);
  [[nodiscard]] static std::string interface_title(const std::string& name);

 private:
  struct Retired {
    std::unique_ptr<const RunningConfiguration> configuration;
    Quiescence::Token token;
  };
  void assign_inspection(RunningConfiguration& configuration) const;
  void publish(std::unique_ptr<RunningConfiguration> next);
  void free_retired();
  Result<std::vector<uint16_t>> make_twins(const config::Model& model);
  void drop_old_twins();
  static void add_counts(const RunningConfiguration& configuration, Totals& totals);

  ConfigurationTargets targets_;
  config::Model model_;
  std::unique_ptr<const RunningConfiguration> running_;
  std::vector<Retired> retired_;
  std::vector<TwinSettings> twins_;
  bool old_twins_left_ = false;
  std::vector<uint16_t> twin_ids_;
  Totals past_;     // of freed configurations
  Totals cleared_;  // set aside by clear_counters()
  uint32_t epoch_ = 0;
};

}  // namespace masugata::dataplane
