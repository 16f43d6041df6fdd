// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/inspection/inspection_manager.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace masugata::dataplane {
namespace {

constexpr std::chrono::seconds kDatasetPeriod{10};

void set_choices(const config::IpsProfile& profile, InspectionSlot& slot) {
  slot.name = profile.name;
  slot.prevent = profile.prevent;
  slot.without_rules = profile.without_rules;
  slot.memory_full = profile.memory_full;
  slot.overload = profile.overload;
  slot.midstream = profile.midstream;
}

// There, the antivirus profile alone says what may pass.
void set_choices_without_rules(const std::shared_ptr<const ids::DetectionPlan>& no_rules,
                               InspectionSlot& slot) {
  slot.name = kSlotWithoutRules;
  slot.plan = no_rules;
  slot.without_rules = config::InspectionFailure::Pass;
  slot.memory_full = config::InspectionFailure::Pass;
  slot.overload = config::InspectionFailure::Pass;
  slot.midstream = config::InspectionFailure::Pass;
}

ids::EveOptions events_of(const config::IpsLog& log) {
  const auto wanted = [&](const char* name, bool usually) {
    return log.events.empty()
               ? usually
               : std::find(log.events.begin(), log.events.end(), name) != log.events.end();
  };
  ids::EveOptions options;
  options.alert = wanted("alert", true);
  options.drop = wanted("drop", true);
  options.http = wanted("http", true);
  options.dns = wanted("dns", true);
  options.tls = wanted("tls", true);
  options.ssh = wanted("ssh", true);
  options.smtp = wanted("smtp", true);
  options.ftp = wanted("ftp", true);
  options.fileinfo = wanted("fileinfo", true);
  options.anomaly = wanted("anomaly", false);
  options.flow = wanted("flow", false);
  options.payload = log.payload;
  options.payload_printable = log.payload;
  options.packet = log.packet;
  options.community_id = true;
  return options;
}

bool same_ranges(const std::vector<config::SidRange>& left,
                 const std::vector<config::SidRange>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const config::SidRange& a, const config::SidRange& b) {
                      return a.first == b.first && a.last == b.last;
                    });
}

bool same_rules(const config::IpsProfile& left, const config::IpsProfile& right) {
  const auto same_override = [](const config::IpsOverride& a, const config::IpsOverride& b) {
    return a.sids.first == b.sids.first && a.sids.last == b.sids.last &&
           a.classtype == b.classtype && a.action == b.action;
  };
  const auto same_exception = [](const config::IpsException& a, const config::IpsException& b) {
    const auto same_addresses = [](const auto& c, const auto& d) {
      return std::equal(c.begin(), c.end(), d.begin(), d.end(), [](const auto& e, const auto& f) {
        return e.first == f.first && e.last == f.last;
      });
    };
    return same_ranges(a.sids, b.sids) && same_addresses(a.source, b.source) &&
           same_addresses(a.destination, b.destination) && a.until == b.until;
  };
  return left.name == right.name && left.prevent == right.prevent &&
         left.selection.classtypes == right.selection.classtypes &&
         left.selection.priority == right.selection.priority &&
         left.selection.metadata == right.selection.metadata &&
         same_ranges(left.selection.sids, right.selection.sids) &&
         std::equal(left.overrides.begin(), left.overrides.end(), right.overrides.begin(),
                    right.overrides.end(), same_override) &&
         std::equal(left.exceptions.begin(), left.exceptions.end(), right.exceptions.begin(),
                    right.exceptions.end(), same_exception);
}

bool same_variables(const std::vector<config::IpsVariable>& left,
                    const std::vector<config::IpsVariable>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const config::IpsVariable& a, const config::IpsVariable& b) {
                      return a.name == b.name && a.value == b.value;
                    });
}

// Whether the same files compile to the same plans; what stands in the files may have changed.
bool same_inputs(const config::IpsSettings& left, const config::IpsSettings& right) {
  return left.rule_files == right.rule_files && left.threshold_file == right.threshold_file &&
         left.classification_file == right.classification_file &&
         left.data_folder == right.data_folder && left.geoip_database == right.geoip_database &&
         left.reputation_categories == right.reputation_categories &&
         left.reputation_files == right.reputation_files &&
         same_variables(left.address_variables, right.address_variables) &&
         same_variables(left.port_variables, right.port_variables) &&
         std::equal(left.profiles.begin(), left.profiles.end(), right.profiles.begin(),
                    right.profiles.end(), same_rules);
}

}  // namespace

InspectionManager::InspectionManager(InspectionTargets targets)
    : targets_(std::move(targets)), published_(targets_.publication) {
  for (size_t worker = 0; worker < targets_.inspectors.size(); ++worker) {
    targets_.inspectors[worker]->set_place(worker);
  }
}

InspectionManager::~InspectionManager() {
  if (loader_.joinable()) loader_.join();
  (void)datasets_.follow_changes(true);
}

Status InspectionManager::check(const config::IpsSettings& settings) const {
  if (Status fits = slots_.check(settings.profiles); !fits) return fits;
  return check_rule_inputs(settings);
}

Status InspectionManager::add_slot_without_rules() {
  if (no_rules_ != nullptr) return {};
  if (slots_.full()) return slots_.too_many("av");
  auto plan = ids::compile_plan({}, {});
  if (!plan) return tl::unexpected(plan.error());
  no_rules_ = std::move(*plan);
  slots_.add(kSlotWithoutRules);
  return {};
}

Status InspectionManager::configure(const config::IpsSettings& settings, bool again,
                                    bool without_rules) {
  if (without_rules) {
    if (Status added = add_slot_without_rules(); !added) return added;
  }
  slots_.add_all(settings.profiles);
  for (Inspector* inspector : targets_.inspectors) {
    if (Status ready = inspector->prepare(targets_.limits, *targets_.memory, slots_.size());
        !ready) {
      return ready;
    }
  }
  if (slots_.size() == 0) return {};
  auto next = std::make_unique<InspectionSet>();
  if (running() != nullptr) next->slots = running()->slots;
  next->slots.resize(slots_.size());
  for (const config::IpsProfile& profile : settings.profiles) {
    set_choices(profile, next->slots[*slots_.find(profile.name)]);
  }
  if (const auto slot = slots_.find(kSlotWithoutRules)) {
    set_choices_without_rules(no_rules_, next->slots[*slot]);
  }
  next->events = events_of(settings.log);
  if (settings.rule_files.empty()) {
    for (InspectionSlot& slot : next->slots) {
      if (slot.name == kSlotWithoutRules) continue;
      slot.plan = nullptr;
      slot.costs = nullptr;
    }
    report_ = {};
  }
  published_.publish(std::move(next));
  const bool changed = !same_inputs(settings, settings_);
  settings_ = settings;
  const bool wanted = !settings.profiles.empty() && !settings.rule_files.empty();
  if (!wanted) next_expiry_.reset();
  if (wanted && (changed || again || report_.state != RuleLoadState::Ready)) {
    start_loading();
  }
  return {};
}

std::vector<InspectionSlotIndex> InspectionManager::slots_of(
    const std::vector<config::InspectionProfile>& profiles) const {
  std::vector<InspectionSlotIndex> slots;
  for (const config::InspectionProfile& profile : profiles) {
    const bool none = profile.ips.empty() && profile.av.empty();
    const auto found = none ? std::nullopt : slots_.find(profile.ips);
    slots.push_back(found ? static_cast<InspectionSlotIndex>(*found) : kNoInspectionSlot);
  }
  return slots;
}

void InspectionManager::start_loading() {
  if (loader_.joinable()) {
    load_again_ = true;
    return;
  }
  report_.state = RuleLoadState::Loading;
  const WallTime now = targets_.wall_clock();
  next_expiry_ = next_expiry(settings_, now);
  loader_done_.store(false, std::memory_order_relaxed);
  loader_ = std::thread([this, now, settings = settings_] {
    // Behind the packets, should there be no core to spare.
    static_cast<void>(setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 10));
    loader_result_.emplace(load_rules(settings, datasets_, now));
    loader_done_.store(true, std::memory_order_release);
  });
}

void InspectionManager::take_loaded(std::string& ended) {
  loader_.join();
  Result<LoadedRules> result = std::move(*loader_result_);
  loader_result_.reset();
  if (!result) {
    report_.state = RuleLoadState::Failed;
    report_.failure = result.error().message();
    ended = "ips: the rules that ran before go on: " + report_.failure;
  } else {
    auto next = std::make_unique<InspectionSet>(*running());
    for (LoadedProfile& profile : result->profiles) {
      for (InspectionSlot& slot : next->slots) {
        if (slot.name != profile.name) continue;
        slot.plan = profile.plan;
        slot.costs = std::make_shared<PlanCosts>(profile.plan, targets_.inspectors.size());
      }
    }
    published_.publish(std::move(next));
    report_.state = RuleLoadState::Ready;
    report_.failure.clear();
    report_.loaded = std::move(*result);
    report_.at_s = seconds_of(targets_.wall_clock());
    ended = fmt::format("ips: {} rules loaded in {:.1f} s, {} not loaded", report_.loaded.rules,
                        report_.loaded.seconds, report_.loaded.problems.size());
  }
  if (load_again_) {
    load_again_ = false;
    start_loading();
  }
}

bool InspectionManager::tick(std::string& ended) {
  // Engines give up their old plan only when they take the new one, so what counts is that each
  // worker has done so; a sleeping one does when it wakes.
  const size_t freed = published_.free_unread(
      targets_.inspectors, [this](const InspectionSet& last) { keep_counts(last); });
  // A plan is hundreds of megabytes in small pieces, which the heap would keep for ever.
  if (freed != 0) malloc_trim(0);
  if (next_expiry_ && targets_.wall_clock() >= *next_expiry_) {
    next_expiry_.reset();
    start_loading();
  }
  // The store is the loader's while one is at work.
  if (!loader_.joinable()) return tend_datasets(ended);
  if (!loader_done_.load(std::memory_order_acquire)) return false;
  take_loaded(ended);
  return true;
}

bool InspectionManager::tend_datasets(std::string& said) {
  const WallTime now = targets_.wall_clock();
  const bool due =
      !datasets_written_ || now - *datasets_written_ >= kDatasetPeriod || now < *datasets_written_;
  if (due) datasets_written_ = now;
  const Status status = datasets_.follow_changes(due);
  if (!due) return false;
  const std::string failure = status ? "" : status.error().message();
  const bool is_news = !failure.empty() && failure != dataset_failure_;
  dataset_failure_ = failure;
  if (is_news) said = "ips: data set not written: " + failure;
  return is_news;
}

void InspectionManager::keep_counts(const InspectionSet& last) {
  for (size_t slot = 0; slot < last.slots.size(); ++slot) {
    // Sets share the costs of a plan that outlives them. Those that only this set holds are final:
    // adopted() of every worker says that its engine has turned to others, and acquires what it
    // counted.
    const auto& costs = last.slots[slot].costs;
    if (costs.use_count() == 1) ledger_.keep(slot, *costs);
  }
}

std::vector<const PlanCosts*> InspectionManager::live_costs(size_t slot) const {
  std::vector<const PlanCosts*> live;
  const auto add = [&](const InspectionSet& set) {
    if (slot >= set.slots.size() || set.slots[slot].costs == nullptr) return;
    const PlanCosts* costs = set.slots[slot].costs.get();
    if (std::find(live.begin(), live.end(), costs) == live.end()) live.push_back(costs);
  };
  published_.each_live(add);
  return live;
}

RuleCounts InspectionManager::rule_counts(InspectionSlotIndex slot) const {
  return ledger_.counts(slot, live_costs(slot));
}

void InspectionManager::clear_rule_hits() {
  for (size_t slot = 0; slot < slots_.size(); ++slot) ledger_.clear_hits(slot, live_costs(slot));
}

void InspectionManager::set_profiling(bool on) {
  if (on && !profiling_) {
    for (size_t slot = 0; slot < slots_.size(); ++slot) {
      ledger_.clear_costs(slot, live_costs(slot));
    }
  }
  profiling_ = on;
  for (Inspector* inspector : targets_.inspectors) inspector->set_profiling(on);
}

Status InspectionManager::reread_rules() {
  if (settings_.profiles.empty() || settings_.rule_files.empty()) {
    return failure("ips", "the configuration names no rule files or no profile");
  }
  if (Status possible = check_rule_inputs(settings_); !possible) return possible;
  start_loading();
  return {};
}

void InspectionManager::finish_loading() {
  while (loader_.joinable()) {
    while (!loader_done_.load(std::memory_order_acquire)) std::this_thread::yield();
    std::string ended;
    take_loaded(ended);
  }
}

}  // namespace masugata::dataplane
