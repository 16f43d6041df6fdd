// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/nat/nat_tables.h"

#include <algorithm>

namespace masugata::dataplane {

namespace {

// The n-th address of one range becomes the n-th of another.
net::IpAddress moved(const net::IpAddress& address, const net::IpAddress& from,
                     const net::IpAddress& to) noexcept {
  return address_of(number_of(to) + (number_of(address) - number_of(from)));
}

}  // namespace

net::IpAddress CompiledPool::address_at(uint32_t index) const noexcept {
  const auto after = std::upper_bound(range_starts.begin(), range_starts.end(), index);
  const auto range = static_cast<size_t>(after - range_starts.begin()) - 1;
  return address_of(number_of(ranges[range].first) + (index - range_starts[range]));
}

uint16_t NatTables::translated_port(const DestinationRule& rule,
                                    const PacketFacts& facts) noexcept {
  const uint16_t port = facts.key.destination_port.host();
  if (!rule.sets_port) return port;
  if (rule.one_port) return rule.to_first_port;
  for (const config::ServiceMatch& service : rule.services) {
    if (service.protocol == facts.key.protocol && service.destination_port.first <= port &&
        port <= service.destination_port.last) {
      return static_cast<uint16_t>(rule.to_first_port + (port - service.destination_port.first));
    }
  }
  return port;
}

DestinationTranslation NatTables::translate_destination(config::ZoneIndex from,
                                                        const PacketFacts& facts) const noexcept {
  DestinationTranslation result;
  result.port = facts.key.destination_port;
  if (from >= zone_count_ || from == config::kSelfZone) return result;
  const uint32_t match = chains_[destination_chain_[from]].first_match(facts);
  if (match != kNoRule) {
    const DestinationRule& rule = destination_rules_[match];
    result.rule = rule.id;
    if (!rule.translate) return result;
    result.translated = true;
    result.hairpin = rule.hairpin;
    result.port = net::Be16::from_host(translated_port(rule, facts));
    result.address = rule.to_first;
    if (rule.one_address) return result;
    Address128 before = 0;  // addresses of the ranges in front
    for (const net::AddressRange& range : rule.matched) {
      if (range.contains(facts.key.destination)) {
        result.address = address_of(number_of(rule.to_first) + before +
                                    (number_of(facts.key.destination) - number_of(range.first)));
        break;
      }
      before += number_of(range.last) - number_of(range.first) + 1;
    }
    return result;
  }
  const uint32_t static_match = chains_[static_inbound_chain_].first_match(facts);
  if (static_match == kNoRule) return result;
  const StaticRule& rule = static_rules_[static_match];
  result.rule = rule.id;
  result.translated = true;
  result.hairpin = true;
  result.address = moved(facts.key.destination, rule.external.first, rule.internal.first);
  return result;
}

SourceTranslationPlan NatTables::plan_source(config::ZoneIndex from, config::ZoneIndex to,
                                             const PacketFacts& facts) const noexcept {
  SourceTranslationPlan plan;
  if (from >= zone_count_ || to >= zone_count_ || to == config::kSelfZone) return plan;
  const uint32_t static_match = chains_[static_chain_[to]].first_match(facts);
  if (static_match != kNoRule && from != config::kSelfZone) {
    const StaticRule& rule = static_rules_[static_match];
    plan.rule = rule.id;
    plan.kind = SourceTranslationKind::Static;
    plan.address = moved(facts.key.source, rule.internal.first, rule.external.first);
    return plan;
  }
  const uint32_t match = chains_[source_chain_[from * zone_count_ + to]].first_match(facts);
  if (match == kNoRule) return plan;
  const SourceRule& rule = source_rules_[match];
  plan.rule = rule.id;
  plan.kind = rule.kind;
  plan.pool = rule.pool;
  return plan;
}

size_t NatTables::memory_bytes() const noexcept {
  size_t bytes = sizeof *this + rules_.capacity() * sizeof(NatRuleRecord);
  for (const Chain& chain : chains_) {
    bytes += chain.classifier.memory_bytes() + chain.rules.capacity() * sizeof(uint32_t) +
             chain.all.words.capacity() * sizeof(uint64_t);
  }
  return bytes;
}

}  // namespace masugata::dataplane
