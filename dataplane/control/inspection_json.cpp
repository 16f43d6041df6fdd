// SPDX-License-Identifier: GPL-2.0-or-later
// The records of inspection_records.h as JSON.
#include "dataplane/control/records_json.h"

namespace masugata::dataplane::control {

using nlohmann::json;

namespace {

const char* load_state_name(IpsLoadState state) {
  switch (state) {
    case IpsLoadState::None:
      return "none";
    case IpsLoadState::Loading:
      return "loading";
    case IpsLoadState::Ready:
      return "ready";
    case IpsLoadState::Failed:
      return "failed";
  }
  return "none";
}

json maybe(const std::optional<uint64_t>& value) { return value ? json(*value) : json(nullptr); }

template <class Pairs>
json object_of(const Pairs& pairs) {
  json object = json::object();
  for (const auto& [name, value] : pairs) object[name] = value;
  return object;
}

json load_json(const IpsLoadStatus& load) {
  return {{"state", load_state_name(load.state)},
          {"failure", load.failure},
          {"ready_seconds_ago", maybe(load.ready_seconds_ago)},
          {"seconds", load.seconds},
          {"files", load.files},
          {"rules", load.rules},
          {"disabled", load.disabled},
          {"unsupported", load.unsupported},
          {"wrong", load.wrong}};
}

json protocols_json(const std::vector<IpsProtocolCount>& protocols) {
  json array = json::array();
  for (const IpsProtocolCount& protocol : protocols) {
    array.push_back({{"name", protocol.name},
                     {"sessions", protocol.sessions},
                     {"transactions", protocol.transactions}});
  }
  return array;
}

json profile_json(const IpsProfileStatus& profile) {
  return {{"name", profile.name},
          {"mode", profile.prevent ? "prevent" : "detect"},
          {"choices", object_of(profile.choices)},
          {"ready", profile.ready},
          {"rules", profile.rules},
          {"left_out", profile.left_out},
          {"overridden", profile.overridden},
          {"patterns", profile.patterns},
          {"databases", profile.databases},
          {"plan_bytes", profile.plan_bytes},
          {"compile_seconds", profile.compile_seconds},
          {"from_cache", profile.from_cache},
          {"flows", profile.flows},
          {"memory_bytes", profile.memory_bytes},
          {"memory_bound", profile.memory_bound},
          {"counters", object_of(profile.counters)},
          {"protocols", protocols_json(profile.protocols)}};
}

}  // namespace

void to_json(json& out, const IpsStatus& status) {
  json profiles = json::array();
  for (const IpsProfileStatus& profile : status.profiles) profiles.push_back(profile_json(profile));
  out = {{"load", load_json(status.load)},         {"profiles", std::move(profiles)},
         {"profiling", status.profiling},          {"sessions_now", status.sessions_now},
         {"counters", object_of(status.counters)}, {"log_file", status.log_file},
         {"lines_written", status.lines_written},  {"lines_lost", status.lines_lost},
         {"lines_failed", status.lines_failed}};
}

void to_json(json& out, const IpsRuleFiles& status) {
  json problems = json::array();
  for (const IpsRuleProblem& problem : status.problems) {
    problems.push_back({{"file", problem.file},
                        {"line", problem.line},
                        {"sid", problem.sid},
                        {"keyword", problem.keyword},
                        {"reason", problem.reason},
                        {"unsupported", problem.unsupported}});
  }
  out = {{"load", load_json(status.load)},         {"files", status.files},
         {"left_out", object_of(status.left_out)}, {"overridden", object_of(status.overridden)},
         {"problems", std::move(problems)},        {"total_problems", status.total_problems}};
}

void to_json(json& out, const IpsHitList& list) {
  json rules = json::array();
  for (const IpsRuleHits& rule : list.rules) {
    rules.push_back({{"sid", rule.sid},
                     {"revision", rule.revision},
                     {"message", rule.message},
                     {"classtype", rule.classtype},
                     {"priority", rule.priority},
                     {"hits", rule.hits},
                     {"alerts", rule.alerts},
                     {"last_seconds_ago", maybe(rule.last_seconds_ago)}});
  }
  out = {{"rules", std::move(rules)}, {"total", list.total}};
}

void to_json(json& out, const IpsExceptionList& list) {
  json exceptions = json::array();
  for (const IpsExceptionStatus& exception : list.exceptions) {
    exceptions.push_back({{"profile", exception.profile},
                          {"name", exception.name},
                          {"holds", exception.holds},
                          {"hits", exception.hits},
                          {"until", exception.until},
                          {"ends_in_seconds", maybe(exception.ends_in_seconds)}});
  }
  out = {{"exceptions", std::move(exceptions)}, {"total", list.total}};
}

void to_json(json& out, const ApplicationStatus& status) {
  out = {{"counters", object_of(status.counters)},   {"flows", status.flows},
         {"flows_bound", status.flows_bound},        {"hosts", status.hosts},
         {"hosts_bound", status.hosts_bound},        {"resolvers", status.resolvers},
         {"names", object_of(status.names)},         {"addresses", status.addresses},
         {"addresses_bound", status.addresses_bound}};
}

void to_json(json& out, const IpsCostList& list) {
  json rules = json::array();
  for (const IpsRuleCost& rule : list.rules) {
    rules.push_back({{"sid", rule.sid},
                     {"message", rule.message},
                     {"checks", rule.checks},
                     {"matches", rule.matches},
                     {"cycles", rule.cycles},
                     {"cycles_per_check", rule.cycles_per_check},
                     {"share_percent", rule.share_percent}});
  }
  out = {{"profiling", list.profiling},
         {"rules", std::move(rules)},
         {"total", list.total},
         {"cycles", list.cycles}};
}

void to_json(json& out, const IpsRuleDetail& rule) {
  json profiles = json::array();
  for (const IpsRuleInProfile& profile : rule.profiles) {
    profiles.push_back({{"profile", profile.profile},
                        {"action", profile.action},
                        {"hits", profile.hits},
                        {"alerts", profile.alerts},
                        {"last_seconds_ago", maybe(profile.last_seconds_ago)},
                        {"checks", profile.checks},
                        {"matches", profile.matches},
                        {"cycles", profile.cycles}});
  }
  out = {{"sid", rule.sid},
         {"revision", rule.revision},
         {"message", rule.message},
         {"classtype", rule.classtype},
         {"priority", rule.priority},
         {"file", rule.file},
         {"line", rule.line},
         {"text", rule.text},
         {"references", rule.references},
         {"profiles", std::move(profiles)}};
}

}  // namespace masugata::dataplane::control
