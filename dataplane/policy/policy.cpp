// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/policy/policy.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "dataplane/policy/schedule.h"

namespace masugata::dataplane {

PolicyDecision PolicyTables::decide(config::ZoneIndex from, config::ZoneIndex to,
                                    const PacketFacts& facts,
                                    const PolicyMasks& masks) const noexcept {
  if (from >= zone_count_ || to >= zone_count_) return decisions_[kDefaultDeny];
  const uint32_t chain = chain_of_pair_[from * zone_count_ + to];
  if (chain == kNoChain) {
    return decisions_[from == config::kSelfZone ? kDefaultSelfPermit : kDefaultDeny];
  }
  const uint32_t match = chains_[chain].classifier.first_match(facts, masks.chains[chain]);
  return decisions_[match == kNoRule ? kDefaultDeny : chains_[chain].rules[match]];
}

PolicyMasks PolicyTables::masks_at(std::time_t now) const {
  PolicyMasks masks;
  masks.chains.reserve(chains_.size());
  for (const PolicyChain& chain : chains_) {
    std::vector<bool> alive(chain.rules.size());
    for (size_t index = 0; index < alive.size(); ++index) {
      const RuleRecord& rule = rules_[chain.rules[index]];
      alive[index] = is_alive(rule.schedule, rule.until, now);
    }
    masks.chains.push_back(chain.classifier.live_mask(alive));
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
