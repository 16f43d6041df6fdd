// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/policy/policy.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "dataplane/policy/schedule.h"

namespace masugata::dataplane {
namespace {

AddressNames names_for(const PolicyChain& chain, const PacketFacts& facts) noexcept {
  if (!chain.asks_domains || facts.names == nullptr) return {};
  return facts.names->names_of(facts.key.destination);
}

}  // namespace

PolicyDecision PolicyTables::decide(config::ZoneIndex from, config::ZoneIndex to,
                                    const PacketFacts& facts,
                                    const PolicyMasks& masks) const noexcept {
  if (from >= zone_count_ || to >= zone_count_) return decisions_[kDefaultDeny];
  const uint32_t chain = chain_of_pair_[from * zone_count_ + to];
  if (chain == kNoChain) {
    return decisions_[from == config::kSelfZone ? kDefaultSelfPermit : kDefaultDeny];
  }
  if (!chains_[chain].conditions.empty()) [[unlikely]] {
    return facts.content.known ? decide_by_content(chain, facts, masks)
                               : decide_before_content(chain, facts, masks);
  }
  const uint32_t match = chains_[chain].classifier.first_match(facts, masks.chains[chain]);
  return decisions_[match == kNoRule ? kDefaultDeny : chains_[chain].rules[match]];
}

PolicyDecision PolicyTables::decide_by_content(uint32_t index, const PacketFacts& facts,
                                               const PolicyMasks& masks) const noexcept {
  struct Question {
    const PolicyChain& chain;
    const std::vector<ContentCondition>& conditions;
    const ApplicationFacts& content;
    AddressNames names;
  };
  const PolicyChain& chain = chains_[index];
  const Question question{chain, conditions_, facts.content, names_for(chain, facts)};
  RuleFilter filter;
  filter.self = &question;
  filter.accepts = [](const void* self, uint32_t rule) noexcept {
    const auto& asked = *static_cast<const Question*>(self);
    const uint32_t condition = asked.chain.conditions[rule];
    return condition == kNoRule || asked.conditions[condition].matches(asked.content, asked.names);
  };
  const uint32_t match = chain.classifier.first_match(facts, masks.chains[index], &filter);
  PolicyDecision decision = decisions_[match == kNoRule ? kDefaultDeny : chain.rules[match]];
  // It may turn to something else.
  decision.depends_on_content = chain.classifier.first_match(facts, chain.conditional) != kNoRule;
  return decision;
}

uint32_t PolicyTables::first_certain(uint32_t index, const PacketFacts& facts,
                                     const PolicyMasks& masks) const noexcept {
  struct Question {
    const PolicyChain& chain;
    const std::vector<ContentCondition>& conditions;
    AddressNames names;
  };
  const PolicyChain& chain = chains_[index];
  const Question question{chain, conditions_, names_for(chain, facts)};
  if (question.names.count == 0) {
    return chain.classifier.first_match(facts, masks.unconditional[index]);
  }
  RuleFilter filter;
  filter.self = &question;
  filter.accepts = [](const void* self, uint32_t rule) noexcept {
    const auto& asked = *static_cast<const Question*>(self);
    const uint32_t condition = asked.chain.conditions[rule];
    return condition == kNoRule || asked.conditions[condition].matches_address(asked.names);
  };
  return chain.classifier.first_match(facts, masks.chains[index], &filter);
}

PolicyDecision PolicyTables::decide_before_content(uint32_t index, const PacketFacts& facts,
                                                   const PolicyMasks& masks) const noexcept {
  const PolicyChain& chain = chains_[index];
  const uint32_t certain = first_certain(index, facts, masks);
  PolicyDecision decision = decisions_[certain == kNoRule ? kDefaultDeny : chain.rules[certain]];
  // Rules that sleep count here too: they may wake during the session.
  const bool may_change = chain.classifier.first_match(facts, chain.conditional) != kNoRule;
  if (!may_change) return decision;
  const uint32_t permit = chain.classifier.first_match(facts, masks.conditional_permits[index]);
  const bool stands_before = permit < certain;  // kNoRule is the largest number
  if (decision.action == config::Action::Permit) {
    decision.depends_on_content = true;
    // What a rule about contents wants inspected is inspected from its first packet on.
    if (stands_before && decision.inspection == kNoInspection) {
      decision.inspection = decisions_[chain.rules[permit]].inspection;
    }
    return decision;
  }
  if (!stands_before) return decision;
  decision = decisions_[chain.rules[permit]];
  decision.depends_on_content = true;
  decision.provisional = true;
  return decision;
}

bool PolicyTables::mentions(std::string_view name) const noexcept {
  return std::any_of(domains_.begin(), domains_.end(),
                     [name](const auto& set) noexcept { return set->matches(name); });
}

PolicyMasks PolicyTables::masks_at(std::time_t now) const {
  PolicyMasks masks;
  masks.chains.reserve(chains_.size());
  for (const PolicyChain& chain : chains_) {
    std::vector<bool> alive(chain.rules.size());
    std::vector<bool> unconditional(chain.rules.size());
    std::vector<bool> permits(chain.rules.size());
    for (size_t index = 0; index < alive.size(); ++index) {
      const RuleRecord& rule = rules_[chain.rules[index]];
      alive[index] = is_alive(rule.schedule, rule.until, now);
      const bool conditional = !chain.conditions.empty() && chain.conditions[index] != kNoRule;
      unconditional[index] = alive[index] && !conditional;
      permits[index] = alive[index] && conditional && rule.action == config::Action::Permit;
    }
    masks.chains.push_back(chain.classifier.live_mask(alive));
    const bool asks = !chain.conditions.empty();
    masks.unconditional.push_back(asks ? chain.classifier.live_mask(unconditional) : LiveMask{});
    masks.conditional_permits.push_back(asks ? chain.classifier.live_mask(permits) : LiveMask{});
  }
  return masks;
}

std::optional<std::time_t> PolicyTables::next_change(std::time_t now) const {
  std::optional<std::time_t> next;
  const auto consider = [&](const std::optional<std::time_t>& change) {
    if (change && (!next || *change < *next)) next = change;
  };
  // Thousands of rules share a few schedules: each is worked out once.
  std::map<std::tuple<uint8_t, uint16_t, uint16_t>, std::optional<std::time_t>> known;
  for (const RuleRecord& rule : rules_) {
    if (rule.until && now >= rule.until->time_since_epoch().count()) continue;
    consider(dataplane::next_change(std::nullopt, rule.until, now));
    if (!rule.schedule) continue;
    const auto& schedule = *rule.schedule;
    const auto [entry, is_new] =
        known.try_emplace({schedule.weekdays, schedule.from_minute, schedule.to_minute});
    if (is_new) entry->second = dataplane::next_change(rule.schedule, std::nullopt, now);
    consider(entry->second);
  }
  return next;
}

size_t PolicyTables::memory_bytes() const noexcept {
  size_t bytes = sizeof *this + chain_of_pair_.capacity() * sizeof(uint32_t) +
                 rules_.capacity() * sizeof(RuleRecord) +
                 decisions_.capacity() * sizeof(PolicyDecision);
  for (const PolicyChain& chain : chains_) {
    bytes += chain.classifier.memory_bytes() + chain.rules.capacity() * sizeof(RuleId);
  }
  return bytes;
}

}  // namespace masugata::dataplane
