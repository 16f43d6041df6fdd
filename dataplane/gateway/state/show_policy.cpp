// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/show_policy.h"

#include "dataplane/gateway/state/texts.h"
#include "dataplane/policy/schedule.h"

namespace masugata::dataplane {
namespace {

std::string action_text(config::Action action) {
  switch (action) {
    case config::Action::Permit:
      return "permit";
    case config::Action::Deny:
      return "deny";
    case config::Action::Reject:
      return "reject";
  }
  return "";
}

control::RuleLife life_of(const config::PolicyRule& rule, std::time_t now) {
  if (!is_alive(std::nullopt, rule.until, now)) return control::RuleLife::Expired;
  return is_alive(rule.schedule, std::nullopt, now) ? control::RuleLife::Live
                                                    : control::RuleLife::OutsideSchedule;
}

std::string source_text(const config::PolicyRule& rule) {
  if (rule.source_mac.empty()) return ranges_text(rule.source);
  std::string text = rule.source.empty() ? "" : ranges_text(rule.source) + " ";
  text += "mac";
  for (const net::MacAddress& mac : rule.source_mac) text += " " + mac.to_string();
  return text;
}

void add_word(std::string& text, std::string_view word) {
  if (!text.empty()) text += ' ';
  text += word;
}

std::string application_text(const config::PolicyRule& rule) {
  std::string text;
  for (const config::ApplicationId id : rule.applications) {
    add_word(text, config::application_name(id));
  }
  for (const config::ApplicationCategory category : rule.categories) {
    add_word(text, "category " + std::string(config::category_name(category)));
  }
  return text;
}

// Sets by name, as written.
std::string domain_text(const config::Model& model, const config::PolicyRule& rule) {
  std::string text;
  for (const uint16_t set : rule.domain_sets) add_word(text, model.domain_sets[set].name);
  for (const net::DomainPattern& pattern : rule.domains) {
    add_word(text, (pattern.below_only ? "*." : "") + pattern.name);
  }
  return text;
}

uint64_t hits_of(const PolicyView& view, RuleId rule) {
  const auto title = ConfigurationManager::rule_title(*view.configuration.snapshot, rule);
  const auto found = view.totals.find(title);
  return found == view.totals.end() ? 0 : found->second.first;
}

uint64_t sessions_of(const SessionAnswer& answer, RuleId rule) {
  uint64_t sum = 0;
  for (const auto& query : answer.workers) {
    if (rule < query->per_rule.size()) sum += query->per_rule[rule];
  }
  return sum;
}

control::RuleStatus rule_status(const PolicyView& view, const config::PolicyRule& rule, RuleId id,
                                const SessionAnswer& answer) {
  control::RuleStatus status;
  status.name = rule.name;
  status.line = rule.place.line;
  status.source = source_text(rule);
  status.destination = ranges_text(rule.destination);
  status.service = services_text(rule.services);
  status.action = action_text(rule.action);
  status.log = rule.log;
  if (rule.schedule) status.schedule = rule.schedule->name;
  status.until = until_text(rule.until);
  status.life = life_of(rule, view.now);
  status.session_limit_per_source = rule.session_limit_per_source;
  status.application = application_text(rule);
  status.domain = domain_text(view.model, rule);
  status.ips = rule.inspect.ips;
  status.av = rule.inspect.av;
  status.hits = hits_of(view, id);
  status.sessions = sessions_of(answer, id);
  status.last_hit_seconds_ago = view.seconds_since_hit(id);
  status.description = rule.description;
  return status;
}

}  // namespace

control::PolicyStatus policy_status(const PolicyView& view, const SessionAnswer& answer) {
  control::PolicyStatus status;
  const Snapshot& snapshot = *view.configuration.snapshot;
  RuleId id = kFirstConfiguredRule;  // rules are numbered in the order in which they are written
  for (const config::PolicySection& section : view.model.policy) {
    control::PolicySectionStatus shown;
    shown.from = zone_text(snapshot, section.from);
    shown.to = zone_text(snapshot, section.to);
    for (const config::PolicyRule& rule : section.rules) {
      shown.rules.push_back(rule_status(view, rule, id++, answer));
    }
    status.sections.push_back(std::move(shown));
  }
  status.default_denied = hits_of(view, kDefaultDeny);
  return status;
}

std::vector<control::ZoneStatus> zone_statuses(const Snapshot& snapshot,
                                               const SessionAnswer& answer) {
  constexpr const char* kModes[] = {"strict", "loose", "off"};
  std::vector<control::ZoneStatus> statuses;
  for (config::ZoneIndex zone = 0; zone < snapshot.zones.size(); ++zone) {
    const SnapshotZone& configured = snapshot.zones[zone];
    control::ZoneStatus status;
    status.name = configured.name;
    for (const SnapshotInterface& interface : snapshot.interfaces) {
      if (interface.zone == zone) status.interfaces.push_back(interface.name);
    }
    if (zone != config::kSelfZone) {
      status.anti_spoofing = kModes[static_cast<size_t>(configured.anti_spoofing)];
    }
    status.new_sessions_per_source_per_second = configured.new_sessions_per_source_per_second;
    status.syn_cookie_threshold = configured.syn_cookie_threshold;
    // Each worker decides by its own share, as wants_cookie() does.
    status.syn_cookies_active = configured.syn_cookie_threshold == 1;
    for (const auto& query : answer.workers) {
      if (zone >= SessionQuery::kZones) continue;
      status.sessions_from += query->per_zone_from[zone];
      status.sessions_to += query->per_zone_to[zone];
      const uint64_t half_open = query->half_open_from[zone];
      status.half_open_tcp += half_open;
      if (configured.syn_cookie_threshold > 1 &&
          half_open * answer.workers.size() >= configured.syn_cookie_threshold) {
        status.syn_cookies_active = true;
      }
    }
    statuses.push_back(std::move(status));
  }
  return statuses;
}

}  // namespace masugata::dataplane
