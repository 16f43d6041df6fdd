// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/show_inspection.h"

#include <algorithm>
#include <array>

#include "dataplane/gateway/state/inspection_slots.h"
#include "ids/engine/engine_counters.h"

namespace masugata::dataplane {
namespace {

using control::NamedCounts;
using ids::EngineCounters;

struct EngineCounterName {
  const char* name;
  RelaxedCounter EngineCounters::*counter;
};
constexpr std::array<EngineCounterName, 20> kEngineCounters{{
    {"packets", &EngineCounters::packets},
    {"bytes", &EngineCounters::bytes},
    {"stream_bytes", &EngineCounters::stream_bytes},
    {"transactions", &EngineCounters::transactions},
    {"alerts", &EngineCounters::alerts},
    {"drops", &EngineCounters::drops},
    {"alerts_suppressed", &EngineCounters::alerts_suppressed},
    {"alerts_discarded", &EngineCounters::alerts_discarded},
    {"scans", &EngineCounters::scans},
    {"scanned_bytes", &EngineCounters::scanned_bytes},
    {"candidates", &EngineCounters::candidates},
    {"verified", &EngineCounters::verified},
    {"flows_refused", &EngineCounters::flows_refused},
    {"parsers_ended_by_memory", &EngineCounters::memory_exhausted},
    {"parsers_failed", &EngineCounters::parsers_failed},
    {"thresholds_lost", &EngineCounters::thresholds_lost},
    {"host_bits_lost", &EngineCounters::host_bits_lost},
    {"matches_lost", &EngineCounters::matches_lost},
    {"excepted", &EngineCounters::excepted},
    {"tagged_packets", &EngineCounters::tagged_packets},
}};

struct InspectionCounterName {
  const char* name;
  RelaxedCounter InspectionCounters::*counter;
};
constexpr std::array<InspectionCounterName, 11> kInspectionCounters{{
    {"packets", &InspectionCounters::packets},
    {"sessions", &InspectionCounters::sessions},
    {"segments_rewritten", &InspectionCounters::segments_rewritten},
    {"segments_refused", &InspectionCounters::segments_refused},
    {"urgent_cleared", &InspectionCounters::urgent_cleared},
    {"windows_lowered", &InspectionCounters::windows_lowered},
    {"passed_without_rules", &InspectionCounters::passed_without_rules},
    {"passed_memory", &InspectionCounters::passed_memory},
    {"passed_overload", &InspectionCounters::passed_overload},
    {"passed_midstream", &InspectionCounters::passed_midstream},
    {"passed_packets", &InspectionCounters::passed_packets},
}};

const char* choice_text(config::InspectionFailure choice) {
  return choice == config::InspectionFailure::Pass ? "pass" : "drop";
}

NamedCounts inspector_counts(const InspectionManager& manager) {
  NamedCounts counts;
  for (const InspectionCounterName& known : kInspectionCounters) {
    uint64_t sum = 0;
    for (const Inspector* inspector : manager.inspectors()) {
      sum += (inspector->counters().*known.counter).get();
    }
    counts.emplace_back(known.name, sum);
  }
  return counts;
}

uint64_t engine_sum(const InspectionManager& manager, InspectionSlotIndex slot,
                    RelaxedCounter EngineCounters::*counter) {
  uint64_t sum = 0;
  for (const Inspector* inspector : manager.inspectors()) {
    const ids::InspectionEngine* engine = inspector->engine(slot);
    if (engine != nullptr) sum += (engine->counters().*counter).get();
  }
  return sum;
}

NamedCounts engine_counts(const InspectionManager& manager, InspectionSlotIndex slot) {
  NamedCounts counts;
  for (const EngineCounterName& known : kEngineCounters) {
    counts.emplace_back(known.name, engine_sum(manager, slot, known.counter));
  }
  return counts;
}

// Since the engines run: not set aside by clearing counters.
std::vector<control::IpsProtocolCount> protocol_counts(const InspectionManager& manager,
                                                       InspectionSlotIndex slot) {
  std::vector<control::IpsProtocolCount> counts;
  for (size_t i = 0; i < static_cast<size_t>(ids::ApplicationProtocol::Count); ++i) {
    control::IpsProtocolCount count;
    count.name = ids::protocol_name(static_cast<ids::ApplicationProtocol>(i));
    for (const Inspector* inspector : manager.inspectors()) {
      const ids::InspectionEngine* engine = inspector->engine(slot);
      if (engine == nullptr) continue;
      count.sessions += engine->counters().protocol_flows[i].get();
      count.transactions += engine->counters().protocol_transactions[i].get();
    }
    if (count.sessions + count.transactions != 0) counts.push_back(std::move(count));
  }
  std::sort(counts.begin(), counts.end(),
            [](const auto& left, const auto& right) { return left.name < right.name; });
  return counts;
}

// Both have the same names in the same order, or `base` is empty.
NamedCounts since(NamedCounts counts, const NamedCounts& base) {
  for (size_t i = 0; i < counts.size() && i < base.size(); ++i) {
    counts[i].second -= base[i].second;
  }
  return counts;
}

uint64_t lines_lost(const InspectionManager& manager) {
  uint64_t lost = 0;
  if (manager.running() == nullptr) return lost;
  for (Inspector* inspector : manager.inspectors()) {
    if (const LineRing* ring = inspector->event_ring(); ring != nullptr) lost += ring->lost();
  }
  return lost;
}

control::IpsProfileStatus profile_status(const InspectionManager& manager,
                                         const config::IpsProfile& profile,
                                         const InspectionCounterBase& base) {
  control::IpsProfileStatus status;
  status.name = profile.name;
  status.prevent = profile.prevent;
  status.choices = {{"without-rules", choice_text(profile.without_rules)},
                    {"memory-full", choice_text(profile.memory_full)},
                    {"overload", choice_text(profile.overload)},
                    {"midstream", choice_text(profile.midstream)}};
  for (const LoadedProfile& loaded : manager.report().loaded.profiles) {
    if (loaded.name != profile.name) continue;
    status.left_out = loaded.disabled;
    status.overridden = loaded.overridden;
  }
  const auto slot = slot_named(manager, profile.name);
  if (!slot) return status;
  if (const ids::DetectionPlan* plan = plan_of(manager, *slot); plan != nullptr) {
    const ids::PlanFacts& facts = ids::facts_of(*plan);
    status.ready = true;
    status.rules = facts.rules;
    status.patterns = facts.patterns;
    status.databases = facts.databases;
    status.plan_bytes = facts.bytes;
    status.compile_seconds = facts.compile_seconds;
    status.from_cache = facts.from_cache;
  }
  status.flows = engine_sum(manager, *slot, &EngineCounters::flows);
  status.memory_bytes = engine_sum(manager, *slot, &EngineCounters::memory_bytes);
  status.memory_bound = manager.limits().engine_memory_bytes * manager.inspectors().size();
  const auto cleared = base.profiles.find(profile.name);
  status.counters = since(engine_counts(manager, *slot),
                          cleared == base.profiles.end() ? NamedCounts() : cleared->second);
  status.protocols = protocol_counts(manager, *slot);
  return status;
}

}  // namespace

std::optional<InspectionSlotIndex> slot_named(const InspectionManager& manager,
                                              const std::string& profile) {
  if (manager.running() == nullptr) return std::nullopt;
  const auto& slots = manager.running()->slots;
  for (size_t slot = 0; slot < slots.size(); ++slot) {
    if (slots[slot].name == profile) return static_cast<InspectionSlotIndex>(slot);
  }
  return std::nullopt;
}

const ids::DetectionPlan* plan_of(const InspectionManager& manager, InspectionSlotIndex slot) {
  return manager.running()->slots[slot].plan.get();
}

control::IpsLoadStatus load_status(const InspectionManager& manager, int64_t now_s) {
  const RuleLoadReport& report = manager.report();
  control::IpsLoadStatus status;
  switch (report.state) {
    case RuleLoadState::None:
      status.state = control::IpsLoadState::None;
      break;
    case RuleLoadState::Loading:
      status.state = control::IpsLoadState::Loading;
      break;
    case RuleLoadState::Ready:
      status.state = control::IpsLoadState::Ready;
      break;
    case RuleLoadState::Failed:
      status.state = control::IpsLoadState::Failed;
      status.failure = report.failure;
      break;
  }
  if (report.at_s != 0) {
    status.ready_seconds_ago = static_cast<uint64_t>(std::max<int64_t>(now_s - report.at_s, 0));
  }
  status.seconds = report.loaded.seconds;
  status.files = report.loaded.files.size();
  status.rules = report.loaded.rules;
  status.disabled = report.loaded.disabled;
  for (const ids::RuleProblem& problem : report.loaded.problems) {
    ++(problem.unsupported ? status.unsupported : status.wrong);
  }
  return status;
}

InspectionCounterBase inspection_counters_now(const InspectionManager& manager,
                                              const EventLog& log) {
  InspectionCounterBase base;
  base.inspectors = inspector_counts(manager);
  for (const config::IpsProfile& profile : manager.settings().profiles) {
    const auto slot = slot_named(manager, profile.name);
    if (slot) base.profiles[profile.name] = engine_counts(manager, *slot);
  }
  base.lines_written = log.lines();
  base.lines_lost = lines_lost(manager);
  base.lines_failed = log.failed();
  return base;
}

control::IpsStatus ips_status(const InspectionManager& manager, const EventLog& log,
                              const InspectionCounterBase& base, int64_t now_s) {
  control::IpsStatus status;
  status.load = load_status(manager, now_s);
  for (const config::IpsProfile& profile : manager.settings().profiles) {
    status.profiles.push_back(profile_status(manager, profile, base));
  }
  status.profiling = manager.is_profiling();
  for (const Inspector* inspector : manager.inspectors()) {
    status.sessions_now += inspector->counters().sessions_now.get();
  }
  status.counters = since(inspector_counts(manager), base.inspectors);
  status.log_file = manager.settings().log.file;
  status.lines_written = log.lines() - base.lines_written;
  status.lines_lost = lines_lost(manager) - base.lines_lost;
  status.lines_failed = log.failed() - base.lines_failed;
  return status;
}

}  // namespace masugata::dataplane
