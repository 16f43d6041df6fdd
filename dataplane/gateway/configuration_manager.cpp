// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/configuration_manager.h"

#include <fmt/format.h>

#include "dataplane/snapshot/compile.h"

namespace masugata::dataplane {
namespace {

std::string zone_name(const Snapshot& snapshot, config::ZoneIndex zone) {
  return zone < snapshot.zones.size() ? snapshot.zones[zone].name : "any";
}

std::vector<TwinSettings> twins_of(const config::Model& model,
                                   const std::vector<PortFacts>& ports) {
  std::vector<TwinSettings> twins;
  for (const config::Interface& interface : model.interfaces) {
    TwinSettings twin;
    twin.name = interface.name;
    if (interface.kind == config::InterfaceKind::Port) {
      twin.mac = ports[interface.port].mac;
      twin.port = ports[interface.port].device;
    } else {
      twin.mac = kTunnelTwinMac;
      twin.port = kTunnelDevice;
    }
    twin.vlan = interface.kind == config::InterfaceKind::Port
                    ? interface.vlan
                    : VlanTable::tunnel_tag(static_cast<InterfaceIndex>(twins.size()));
    twins.push_back(std::move(twin));
  }
  return twins;
}

}  // namespace

ConfigurationManager::~ConfigurationManager() {
  if (targets_.publication != nullptr) targets_.publication->configuration.store(nullptr);
}

std::string ConfigurationManager::rule_title(const Snapshot& snapshot, RuleId rule) {
  if (rule == kDefaultDeny) return "default deny";
  if (rule == kDefaultSelfPermit) return "default permit from self";
  const auto& rules = snapshot.policy->rules();
  if (rule >= rules.size()) return fmt::format("rule {}", rule);
  const RuleRecord& record = rules[rule];
  return fmt::format("{} > {}: {}", zone_name(snapshot, record.from),
                     zone_name(snapshot, record.to), record.name);
}

std::string ConfigurationManager::nat_title(const Snapshot& snapshot, NatRuleId rule) {
  const auto& rules = snapshot.nat->rules();
  if (rule >= rules.size()) return fmt::format("nat rule {}", rule);
  constexpr const char* kKinds[] = {"none", "source", "destination", "static"};
  return fmt::format("nat {} {}", kKinds[static_cast<size_t>(rules[rule].kind)], rules[rule].name);
}

std::string ConfigurationManager::interface_title(const std::string& name) {
  return "interface " + name;
}

Result<std::vector<uint16_t>> ConfigurationManager::make_twins(const config::Model& model) {
  std::vector<TwinSettings> wanted = twins_of(model, targets_.ports);
  if (targets_.twins == nullptr) return std::vector<uint16_t>(wanted.size(), kNoTwin);
  // Old and new together: packets on their way still find the old ones.
  std::vector<TwinSettings> all = wanted;
  for (const TwinSettings& old : twins_) {
    if (std::find(all.begin(), all.end(), old) == all.end()) all.push_back(old);
  }
  Result<std::vector<TwinId>> ids = targets_.twins->set_twins(all);
  if (!ids) return tl::unexpected(ids.error());
  ids->resize(wanted.size());
  old_twins_left_ = all.size() != wanted.size();
  twins_ = std::move(wanted);
  return *ids;
}

void ConfigurationManager::drop_old_twins() {
  if (!old_twins_left_ || targets_.twins == nullptr) return;
  old_twins_left_ = false;
  (void)targets_.twins->set_twins(twins_);
}

Status ConfigurationManager::apply(config::Model model, std::vector<Fault>& warnings,
                                   bool reread_rules) {
  if (running_ != nullptr) {
    if (Status aligned = align_interfaces(model, model_); !aligned) return aligned;
  }
  auto snapshot = compile_snapshot(model, epoch_ + 1, seconds_of(targets_.wall_clock()),
                                   running_ == nullptr ? nullptr : running_->snapshot.get());
  if (!snapshot) return tl::unexpected(snapshot.error());
  if (targets_.inspection != nullptr) {
    if (Status possible = targets_.inspection->check(model.ips); !possible) return possible;
  }
  if (targets_.antivirus != nullptr) {
    if (Status possible = targets_.antivirus->check(model.antivirus); !possible) return possible;
  }
  std::vector<net::MacAddress> macs;
  for (const PortFacts& port : targets_.ports) macs.push_back(port.mac);
  const Result<KernelConfiguration> kernel = compile_kernel_configuration(model, macs);
  if (!kernel) return tl::unexpected(kernel.error());
  Result<std::vector<uint16_t>> twins = make_twins(model);
  if (!twins) return tl::unexpected(twins.error());

  if (targets_.inspection != nullptr) {
    const bool without_rules = !model.antivirus.profiles.empty();
    if (Status prepared = targets_.inspection->configure(model.ips, reread_rules, without_rules);
        !prepared) {
      return prepared;
    }
  }
  if (targets_.antivirus != nullptr) {
    if (Status prepared = targets_.antivirus->configure(model.antivirus); !prepared) {
      return prepared;
    }
  }
  if (targets_.ipsec != nullptr) {
    if (Status prepared = targets_.ipsec->configure(model.vpn); !prepared) return prepared;
  }

  if ((*snapshot)->policy->depends_on_content()) {
    for (ApplicationIdentifier* identifier : targets_.identifiers) {
      Status prepared =
          identifier->prepare(targets_.identifier_limits, *targets_.identifier_memory);
      if (!prepared) return prepared;
    }
  }

  if (!(*snapshot)->trusted_resolvers.empty()) {
    for (NameLearner* learner : targets_.learners) {
      Status prepared = learner->prepare({}, *targets_.identifier_memory, targets_.secret);
      if (!prepared) return prepared;
    }
  }

  ++epoch_;
  auto next = build_configuration(model, std::shared_ptr<const Snapshot>(std::move(*snapshot)),
                                  targets_.ports, *twins, targets_.workers, epoch_);
  assign_inspection(*next);
  publish(std::move(next));
  model_ = std::move(model);
  twin_ids_ = std::move(*twins);
  if (targets_.kernel != nullptr) {
    if (Status applied = targets_.kernel->apply(*kernel); !applied) {
      warnings.push_back(applied.error());
    }
  }
  return {};
}

void ConfigurationManager::assign_inspection(RunningConfiguration& configuration) const {
  if (targets_.inspection == nullptr) return;
  configuration.inspection_slots =
      targets_.inspection->slots_of(configuration.snapshot->policy->inspection_profiles());
  if (targets_.antivirus == nullptr) return;
  configuration.antivirus_slots =
      targets_.antivirus->slots_of(configuration.snapshot->policy->inspection_profiles());
}

void ConfigurationManager::publish(std::unique_ptr<RunningConfiguration> next) {
  targets_.publication->configuration.store(next.get(), std::memory_order_release);
  if (running_ != nullptr) {
    retired_.push_back({std::move(running_), targets_.quiescence->start()});
  }
  running_ = std::move(next);
}

void ConfigurationManager::free_retired() {
  while (!retired_.empty() && targets_.quiescence->passed(retired_.front().token)) {
    add_counts(*retired_.front().configuration, past_);
    retired_.erase(retired_.begin());
    if (retired_.empty()) drop_old_twins();
  }
}

void ConfigurationManager::tick() {
  free_retired();
  if (running_ == nullptr) return;
  const Snapshot& snapshot = *running_->snapshot;
  const std::time_t now = seconds_of(targets_.wall_clock());
  if (!snapshot.next_schedule_change || now < *snapshot.next_schedule_change) return;
  ++epoch_;
  std::shared_ptr<const Snapshot> next = with_schedules_at(snapshot, epoch_, now);
  auto configuration = build_configuration(model_, std::move(next), targets_.ports, twin_ids_,
                                           targets_.workers, epoch_);
  configuration->numbering_epoch = running_->numbering_epoch;
  assign_inspection(*configuration);
  publish(std::move(configuration));
}

void ConfigurationManager::add_counts(const RunningConfiguration& configuration, Totals& totals) {
  const Snapshot& snapshot = *configuration.snapshot;
  for (const ConfigurationCounters& counters : configuration.counters) {
    for (RuleId rule = 0; rule < counters.policy_rules.size(); ++rule) {
      const uint64_t hits = counters.policy_rules[rule].hits.get();
      if (hits != 0) totals[rule_title(snapshot, rule)].first += hits;
    }
    for (NatRuleId rule = 0; rule < counters.nat_rules.size(); ++rule) {
      const uint64_t hits = counters.nat_rules[rule].hits.get();
      if (hits != 0) totals[nat_title(snapshot, rule)].first += hits;
    }
    for (size_t i = 0; i < counters.interfaces.size(); ++i) {
      const InterfaceCounters& interface = counters.interfaces[i];
      CounterTotals& total = totals[interface_title(snapshot.interfaces[i].name)];
      total.first += interface.received_packets.get();
      total.second += interface.received_bytes.get();
      total.third += interface.sent_packets.get();
      total.fourth += interface.sent_bytes.get();
    }
  }
}

ConfigurationManager::Totals ConfigurationManager::totals() const {
  Totals totals = past_;
  for (const Retired& retired : retired_) add_counts(*retired.configuration, totals);
  add_counts(*running_, totals);
  for (const auto& [title, aside] : cleared_) {
    CounterTotals& total = totals[title];
    total.first -= aside.first;
    total.second -= aside.second;
    total.third -= aside.third;
    total.fourth -= aside.fourth;
  }
  return totals;
}

std::optional<uint32_t> ConfigurationManager::last_policy_hit_ms(RuleId rule) const {
  uint64_t latest = 0;
  for (const ConfigurationCounters& counters : running_->counters) {
    latest = std::max(latest, counters.policy_rules[rule].last_hit_ms.get());
  }
  if (latest == 0) return std::nullopt;
  return static_cast<uint32_t>(latest - 1);
}

void ConfigurationManager::clear_counters() {
  Totals totals = past_;
  for (const Retired& retired : retired_) add_counts(*retired.configuration, totals);
  add_counts(*running_, totals);
  cleared_ = std::move(totals);
}

}  // namespace masugata::dataplane
