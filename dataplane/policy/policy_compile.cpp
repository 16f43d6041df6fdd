// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/policy/policy_compile.h"

#include <algorithm>
#include <map>
#include <string>

#include "dataplane/policy/classifier_compile.h"

namespace masugata::dataplane {

namespace {

bool covers(config::ZoneIndex named, config::ZoneIndex zone) {
  return named == zone || (named == config::kAnyZone && zone != config::kSelfZone);
}

std::string zone_name(const config::Model& model, config::ZoneIndex zone) {
  return zone == config::kAnyZone ? "any" : model.zones[zone].name;
}

std::string section_name(const config::Model& model, const config::PolicySection& section) {
  return "line " + std::to_string(section.place.line) + ", policy from " +
         zone_name(model, section.from) + " to " + zone_name(model, section.to);
}

}  // namespace

class PolicyCompiler {
 public:
  PolicyCompiler(const config::Model& model, const std::vector<config::InspectionProfile>& known)
      : model_(model) {
    for (const config::InspectionProfile& profile : known) {
      if (tables_.inspection_profiles_.empty()) {
        tables_.inspection_profiles_.emplace_back();  // number 0 is none
        continue;
      }
      inspections_.try_emplace({profile.ips, profile.av},
                               static_cast<uint16_t>(tables_.inspection_profiles_.size()));
      tables_.inspection_profiles_.push_back(profile);
    }
  }

  Result<PolicyTables> run() {
    tables_.zone_count_ = model_.zones.size();
    if (tables_.inspection_profiles_.empty()) tables_.inspection_profiles_.emplace_back();
    add_defaults();
    if (Status loaded = load_domains(); !loaded) return tl::unexpected(loaded.error());
    for (uint16_t section = 0; section < model_.policy.size(); ++section) {
      first_rule_of_section_.push_back(static_cast<RuleId>(tables_.rules_.size()));
      for (const config::PolicyRule& rule : model_.policy[section].rules) {
        if (!add_rule(section, rule)) {
          return failure(section_name(model_, model_.policy[section]),
                         "more than 65535 different inspection profiles");
        }
      }
    }
    fill_decisions();
    for (config::ZoneIndex from = 0; from < tables_.zone_count_; ++from) {
      for (config::ZoneIndex to = 0; to < tables_.zone_count_; ++to) {
        const auto chain = chain_for(from, to);
        if (!chain) return tl::unexpected(chain.error());
        tables_.chain_of_pair_.push_back(*chain);
      }
    }
    return std::move(tables_);
  }

 private:
  using SectionList = std::vector<uint16_t>;

  void add_defaults() {
    RuleRecord deny;
    deny.name = "default deny";
    deny.log = model_.system.log_denied;
    deny.section = 0xffff;
    RuleRecord permit;
    permit.name = "default permit from self";
    permit.from = config::kSelfZone;
    permit.action = config::Action::Permit;
    permit.section = 0xffff;
    tables_.rules_ = {deny, permit};
  }

  bool add_rule(uint16_t section, const config::PolicyRule& rule) {
    const auto inspection = inspection_index(rule.inspect);
    if (!inspection) return false;
    RuleRecord record;
    record.name = rule.name;
    record.place = rule.place;
    record.from = model_.policy[section].from;
    record.to = model_.policy[section].to;
    record.action = rule.action;
    record.log = rule.log;
    record.inspection = *inspection;
    record.section = section;
    record.session_limit_per_source = rule.session_limit_per_source;
    record.schedule = rule.schedule;
    record.until = rule.until;
    tables_.rules_.push_back(std::move(record));
    condition_of_rule_.resize(tables_.rules_.size(), kNoRule);
    if (rule.depends_on_application()) {
      condition_of_rule_.back() = static_cast<uint32_t>(tables_.conditions_.size());
      tables_.conditions_.emplace_back(rule, domains_);
      for (const auto& set : tables_.conditions_.back().domains()) {
        auto& known = tables_.domains_;
        if (std::find(known.begin(), known.end(), set) == known.end()) known.push_back(set);
      }
    }
    return true;
  }

  Status load_domains() {
    auto loaded = load_domain_sets(model_.domain_sets);
    if (!loaded) return tl::unexpected(loaded.error());
    domains_ = std::move(*loaded);
    return {};
  }

  std::optional<uint16_t> inspection_index(const config::InspectionProfile& profile) {
    const auto [entry, is_new] = inspections_.try_emplace({profile.ips, profile.av}, 0);
    if (!is_new) return entry->second;
    if (profile.ips.empty() && profile.av.empty()) return entry->second;  // index 0
    if (tables_.inspection_profiles_.size() > 0xffff) return std::nullopt;
    entry->second = static_cast<uint16_t>(tables_.inspection_profiles_.size());
    tables_.inspection_profiles_.push_back(profile);
    return entry->second;
  }

  void fill_decisions() {
    for (RuleId id = 0; id < tables_.rules_.size(); ++id) {
      const RuleRecord& rule = tables_.rules_[id];
      tables_.decisions_.push_back({id, rule.action, rule.log, rule.inspection, rule.section,
                                    rule.session_limit_per_source});
    }
  }

  Result<uint32_t> chain_for(config::ZoneIndex from, config::ZoneIndex to) {
    SectionList sections;
    for (uint16_t index = 0; index < model_.policy.size(); ++index) {
      const config::PolicySection& section = model_.policy[index];
      if (covers(section.from, from) && covers(section.to, to)) sections.push_back(index);
    }
    if (sections.empty()) return PolicyTables::kNoChain;
    const auto [entry, is_new] =
        chain_of_sections_.try_emplace(sections, static_cast<uint32_t>(tables_.chains_.size()));
    if (!is_new) return entry->second;
    return compile_chain(sections, entry->second);
  }

  Result<uint32_t> compile_chain(const SectionList& sections, uint32_t index) {
    PolicyChain chain;
    std::vector<ClassifierRule> matches;
    for (const uint16_t section : sections) {
      RuleId id = first_rule_of_section_[section];
      for (const config::PolicyRule& rule : model_.policy[section].rules) {
        matches.push_back({rule.source, rule.destination, rule.source_mac, rule.services});
        chain.rules.push_back(id++);
      }
    }
    auto classifier = compile_classifier(matches);
    if (!classifier) {
      return failure(section_name(model_, model_.policy[sections.front()]),
                     classifier.error().what);
    }
    chain.classifier = std::move(*classifier);
    note_conditions(chain);
    tables_.chains_.push_back(std::move(chain));
    return index;
  }

  void note_conditions(PolicyChain& chain) const {
    std::vector<bool> conditional;
    bool any = false;
    for (const RuleId id : chain.rules) {
      chain.conditions.push_back(condition_of_rule_[id]);
      conditional.push_back(condition_of_rule_[id] != kNoRule);
      any = any || conditional.back();
      if (conditional.back()) {
        const ContentCondition& condition = tables_.conditions_[condition_of_rule_[id]];
        chain.asks_domains = chain.asks_domains || condition.asks_domains();
      }
    }
    if (any) {
      chain.conditional = chain.classifier.live_mask(conditional);
    } else {
      chain.conditions = {};
    }
  }

  const config::Model& model_;
  PolicyTables tables_;
  std::vector<std::shared_ptr<const net::DomainSet>> domains_;  // as Model::domain_sets
  std::vector<uint32_t> condition_of_rule_;                     // by RuleId
  std::vector<RuleId> first_rule_of_section_;
  std::map<SectionList, uint32_t> chain_of_sections_;
  std::map<std::pair<std::string, std::string>, uint16_t> inspections_;
};

Result<PolicyTables> compile_policy(const config::Model& model,
                                    const std::vector<config::InspectionProfile>& known) {
  return PolicyCompiler(model, known).run();
}

}  // namespace masugata::dataplane
