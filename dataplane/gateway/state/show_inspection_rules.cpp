// SPDX-License-Identifier: GPL-2.0-or-later
// What rules there are, what they have found and what they cost.
#include <algorithm>
#include <unordered_map>

#include "dataplane/gateway/state/inspection_slots.h"
#include "dataplane/gateway/state/show_inspection.h"
#include "dataplane/gateway/state/texts.h"
#include "dataplane/inspection/exception_hits.h"

namespace masugata::dataplane {
namespace {

// Of all profiles of the configuration.
RuleCounts all_counts(const InspectionManager& manager) {
  RuleCounts sum;
  for (const config::IpsProfile& profile : manager.settings().profiles) {
    const auto slot = slot_named(manager, profile.name);
    if (!slot) continue;
    for (const auto& [sid, count] : manager.rule_counts(*slot)) {
      RuleCount& total = sum[sid];
      total.matches += count.matches;
      total.alerts += count.alerts;
      total.last_match_us = std::max(total.last_match_us, count.last_match_us);
      total.checks += count.checks;
      total.checks_matched += count.checks_matched;
      total.cycles += count.cycles;
    }
  }
  return sum;
}

std::vector<const ids::DetectionPlan*> running_plans(const InspectionManager& manager) {
  std::vector<const ids::DetectionPlan*> plans;
  for (const config::IpsProfile& profile : manager.settings().profiles) {
    const auto slot = slot_named(manager, profile.name);
    if (!slot) continue;
    if (const ids::DetectionPlan* plan = plan_of(manager, *slot)) plans.push_back(plan);
  }
  return plans;
}

const ids::Rule* find_rule(const ids::DetectionPlan& plan, uint32_t sid) {
  const auto& rules = ids::rules_of(plan).rules;
  const auto found = std::find_if(rules.begin(), rules.end(),
                                  [sid](const ids::Rule& rule) { return rule.sid == sid; });
  return found == rules.end() ? nullptr : &*found;
}

// The rules with these sids; one walk for all of them.
template <class Entry>
std::unordered_map<uint32_t, const ids::Rule*> rules_of(const InspectionManager& manager,
                                                        const std::vector<Entry>& entries) {
  std::unordered_map<uint32_t, const ids::Rule*> found;
  for (const Entry& entry : entries) found.emplace(entry.sid, nullptr);
  for (const ids::DetectionPlan* plan : running_plans(manager)) {
    for (const ids::Rule& rule : ids::rules_of(*plan).rules) {
      const auto wanted = found.find(rule.sid);
      if (wanted != found.end() && wanted->second == nullptr) wanted->second = &rule;
    }
  }
  return found;
}

const char* action_text(ids::RuleAction action) {
  switch (action) {
    case ids::RuleAction::Alert:
      return "alert";
    case ids::RuleAction::Pass:
      return "pass";
    case ids::RuleAction::Drop:
      return "drop";
    case ids::RuleAction::RejectSource:
      return "rejectsrc";
    case ids::RuleAction::RejectDestination:
      return "rejectdst";
    case ids::RuleAction::RejectBoth:
      return "rejectboth";
  }
  return "alert";
}

std::optional<uint64_t> seconds_since(const RuleCount& count, int64_t now_s) {
  if (count.matches == 0 || count.last_match_us == 0) return std::nullopt;
  const auto last_s = static_cast<int64_t>(count.last_match_us / 1'000'000);
  return static_cast<uint64_t>(std::max<int64_t>(now_s - last_s, 0));
}

double ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

control::IpsRuleFiles ips_rule_files(const InspectionManager& manager, uint32_t limit,
                                     int64_t now_s) {
  const LoadedRules& loaded = manager.report().loaded;
  control::IpsRuleFiles answer;
  answer.load = load_status(manager, now_s);
  answer.files = loaded.files;
  for (const LoadedProfile& profile : loaded.profiles) {
    answer.left_out.emplace_back(profile.name, profile.disabled);
    answer.overridden.emplace_back(profile.name, profile.overridden);
  }
  answer.total_problems = loaded.problems.size();
  // Wrong rules can be put right; what is not supported cannot, so it comes after them.
  for (const bool unsupported : {false, true}) {
    for (const ids::RuleProblem& problem : loaded.problems) {
      if (problem.unsupported != unsupported) continue;
      if (answer.problems.size() >= limit) return answer;
      answer.problems.push_back({problem.file, problem.line, problem.sid, problem.keyword,
                                 problem.reason, problem.unsupported});
    }
  }
  return answer;
}

control::IpsHitList ips_hit_list(const InspectionManager& manager, uint32_t limit, int64_t now_s) {
  control::IpsHitList answer;
  for (const auto& [sid, count] : all_counts(manager)) {
    if (count.matches == 0) continue;
    control::IpsRuleHits hits;
    hits.sid = sid;
    hits.hits = count.matches;
    hits.alerts = count.alerts;
    hits.last_seconds_ago = seconds_since(count, now_s);
    answer.rules.push_back(std::move(hits));
  }
  answer.total = answer.rules.size();
  std::sort(answer.rules.begin(), answer.rules.end(), [](const auto& left, const auto& right) {
    if (left.alerts != right.alerts) return left.alerts > right.alerts;
    if (left.hits != right.hits) return left.hits > right.hits;
    return left.sid < right.sid;
  });
  if (answer.rules.size() > limit) answer.rules.resize(limit);
  const auto rules = rules_of(manager, answer.rules);
  for (control::IpsRuleHits& hits : answer.rules) {
    const ids::Rule* rule = rules.at(hits.sid);
    if (rule == nullptr) continue;
    hits.revision = rule->revision;
    hits.message = rule->message;
    hits.classtype = rule->classtype;
    hits.priority = rule->priority;
  }
  return answer;
}

control::IpsCostList ips_cost_list(const InspectionManager& manager, uint32_t limit) {
  control::IpsCostList answer;
  answer.profiling = manager.is_profiling();
  for (const auto& [sid, count] : all_counts(manager)) {
    if (count.checks == 0) continue;
    answer.cycles += count.cycles;
    control::IpsRuleCost cost;
    cost.sid = sid;
    cost.checks = count.checks;
    cost.matches = count.checks_matched;
    cost.cycles = count.cycles;
    cost.cycles_per_check = ratio(count.cycles, count.checks);
    answer.rules.push_back(std::move(cost));
  }
  answer.total = answer.rules.size();
  std::sort(answer.rules.begin(), answer.rules.end(), [](const auto& left, const auto& right) {
    return left.cycles != right.cycles ? left.cycles > right.cycles : left.sid < right.sid;
  });
  if (answer.rules.size() > limit) answer.rules.resize(limit);
  const auto rules = rules_of(manager, answer.rules);
  for (control::IpsRuleCost& cost : answer.rules) {
    cost.share_percent = 100 * ratio(cost.cycles, answer.cycles);
    if (const ids::Rule* rule = rules.at(cost.sid)) cost.message = rule->message;
  }
  return answer;
}

Result<control::IpsRuleDetail> ips_rule_detail(const InspectionManager& manager, uint32_t sid,
                                               int64_t now_s) {
  control::IpsRuleDetail answer;
  answer.sid = sid;
  bool known = false;
  for (const config::IpsProfile& profile : manager.settings().profiles) {
    control::IpsRuleInProfile in_profile;
    in_profile.profile = profile.name;
    const auto slot = slot_named(manager, profile.name);
    const ids::DetectionPlan* plan = slot ? plan_of(manager, *slot) : nullptr;
    const ids::Rule* rule = plan == nullptr ? nullptr : find_rule(*plan, sid);
    if (rule != nullptr) {
      in_profile.action = action_text(rule->action);
      const RuleCounts counts = manager.rule_counts(*slot);
      const auto count = counts.find(sid);
      if (count != counts.end()) {
        in_profile.hits = count->second.matches;
        in_profile.alerts = count->second.alerts;
        in_profile.last_seconds_ago = seconds_since(count->second, now_s);
        in_profile.checks = count->second.checks;
        in_profile.matches = count->second.checks_matched;
        in_profile.cycles = count->second.cycles;
      }
      const auto& files = ids::rules_of(*plan).files;
      if (!known && rule->file < files.size()) answer.file = files[rule->file];
    }
    if (rule != nullptr && !known) {
      known = true;
      answer.revision = rule->revision;
      answer.message = rule->message;
      answer.classtype = rule->classtype;
      answer.priority = rule->priority;
      answer.line = rule->line;
      answer.text = rule->text;
      for (const ids::Reference& reference : rule->references) {
        answer.references.push_back(reference.type + "," + reference.value);
      }
    }
    answer.profiles.push_back(std::move(in_profile));
  }
  if (!known) {
    return failure("rule " + std::to_string(sid),
                   "is in no profile: show ips rules says what did not load");
  }
  return answer;
}

control::IpsExceptionList ips_exception_list(const InspectionManager& manager, uint32_t limit,
                                             int64_t now_s) {
  control::IpsExceptionList list;
  for (ExceptionHits& exception : exception_hits(manager)) {
    if (++list.total > limit) continue;
    control::IpsExceptionStatus status;
    status.profile = std::move(exception.profile);
    status.name = std::move(exception.name);
    status.holds = exception.holds;
    status.hits = exception.hits;
    status.until = until_text(exception.until);
    if (exception.until) {
      const int64_t left_s = exception.until->time_since_epoch().count() - now_s;
      status.ends_in_seconds = static_cast<uint64_t>(std::max<int64_t>(left_s, 0));
    }
    list.exceptions.push_back(std::move(status));
  }
  return list;
}

}  // namespace masugata::dataplane
