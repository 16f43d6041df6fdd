// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/checks/nat_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace masugata::config::checks {
namespace {

using reading::Context;
using schema::DataNode;

constexpr const char* kIpv4Only = "translation is for IPv4; IPv6 is forwarded as it is";

bool only_ipv6(const std::vector<net::AddressRange>& ranges) {
  return !ranges.empty() && std::none_of(ranges.begin(), ranges.end(),
                                         [](const auto& range) { return range.first.is_v4(); });
}

bool any_ipv6(const std::vector<net::AddressRange>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [](const auto& range) { return !range.first.is_v4(); });
}

uint32_t port_count(const PortRange& ports) { return ports.last - ports.first + 1U; }

void check_address_counts(Context& context, DataNode translate, const DestinationNatRule& rule) {
  const uint64_t to = address_count(rule.to_address);
  uint64_t matched = 0;
  for (const net::AddressRange& range : rule.destination) matched += address_count(range);
  if (to != 1 && to != matched) {
    context.error(translate.child("address"),
                  fmt::format("{} addresses cannot become {}", matched, to),
                  fmt::format("1 address or {}", matched));
  }
}

void check_ports(Context& context, DataNode node, const DestinationNatRule& rule) {
  if (!rule.to_ports) return;
  const DataNode leaf = node.child("translate").child("port");
  const DataNode matched_leaf = node.child("to").child("port");
  if (!matched_leaf) {
    context.error(leaf, "a port can only become another one when the rule matches ports",
                  "to { address ...; port ...; }");
    return;
  }
  const uint32_t count = port_count(*rule.to_ports);
  if (count == 1) return;
  const uint32_t matched = port_count(rule.services.front().destination_port);
  if (matched_leaf.next()) {
    context.error(leaf, "several port statements cannot become one range", "one port");
  } else if (matched != count) {
    context.error(leaf, fmt::format("{} ports cannot become {}", matched, count),
                  matched == 1 ? "1 port" : fmt::format("1 port or {}", matched));
  }
}

}  // namespace

uint64_t address_count(const net::AddressRange& range) {
  if (range.first.high_word() != range.last.high_word()) return UINT64_MAX;
  const uint64_t first = __builtin_bswap64(range.first.low_word());
  const uint64_t last = __builtin_bswap64(range.last.low_word());
  return last - first == UINT64_MAX ? UINT64_MAX : last - first + 1;
}

void check_source_nat_families(Context& context, DataNode node, const SourceNatRule& rule) {
  if (rule.translation == SourceTranslation::None) return;
  if (only_ipv6(rule.source)) {
    context.error(node.child("source"), kIpv4Only, "IPv4 addresses");
  } else if (only_ipv6(rule.destination)) {
    context.error(node.child("destination"), kIpv4Only, "IPv4 addresses");
  }
}

void check_destination_nat(Context& context, DataNode node, const DestinationNatRule& rule) {
  const DataNode translate = node.child("translate");
  if (any_ipv6(rule.destination)) {
    context.error(node.child("to"), kIpv4Only, "IPv4 addresses");
    return;
  }
  if (!rule.to_address.first.is_v4()) {
    context.error(translate.child("address"), kIpv4Only, "an IPv4 address");
    return;
  }
  if (only_ipv6(rule.source)) context.error(node.child("source"), kIpv4Only, "IPv4 addresses");
  check_address_counts(context, translate, rule);
  check_ports(context, node, rule);
}

void check_pools_are_apart(Context& context) {
  struct Share {
    net::AddressRange range;
    const NatPool* pool;
  };
  std::vector<Share> shares;
  for (const NatPool& pool : context.model.nat_pools) {
    for (const net::AddressRange& range : pool.addresses) shares.push_back({range, &pool});
  }
  std::sort(shares.begin(), shares.end(),
            [](const Share& left, const Share& right) { return left.range < right.range; });
  for (size_t index = 1; index < shares.size(); ++index) {
    const Share& left = shares[index - 1];
    const Share& right = shares[index];
    const bool ports_meet = left.pool->ports.first <= right.pool->ports.last &&
                            right.pool->ports.first <= left.pool->ports.last;
    if (left.pool == right.pool || left.range.last < right.range.first || !ports_meet) continue;
    const NatPool& later = *std::max(left.pool, right.pool);
    const NatPool& earlier = *std::min(left.pool, right.pool);
    const auto node = context.names.pools.find(later.name);
    context.error(node->second.node,
                  fmt::format("the pool shares addresses and ports with pool {}", earlier.name),
                  "pools that differ in their addresses or their ports");
  }
}

void StaticNatCheck::add(DataNode node, const StaticNatRule& rule) {
  if (!rule.external.first.is_v4() || !rule.internal.first.is_v4()) {
    context_.error(node.child(rule.external.first.is_v4() ? "internal" : "external"), kIpv4Only,
                   "an IPv4 address");
    return;
  }
  const uint64_t external = address_count(rule.external);
  const uint64_t internal = address_count(rule.internal);
  if (external != internal) {
    context_.error(node.child("internal"),
                   fmt::format("{} external addresses cannot become {}", external, internal),
                   fmt::format("{} addresses", external));
    return;
  }
  external_.push_back({rule.external, node, rule.external_zone});
  internal_.push_back({rule.internal, node, rule.external_zone});
}

void StaticNatCheck::check_apart(std::vector<Side>& sides, const char* leaf) {
  std::sort(sides.begin(), sides.end(), [](const Side& left, const Side& right) {
    return std::tie(left.zone, left.range) < std::tie(right.zone, right.range);
  });
  for (size_t index = 1; index < sides.size(); ++index) {
    const Side& left = sides[index - 1];
    const Side& right = sides[index];
    if (left.zone != right.zone || left.range.last < right.range.first) continue;
    context_.error(right.node.child(leaf),
                   fmt::format("rule {} translates some of these addresses already",
                               left.node.child("name").value()));
  }
}

void StaticNatCheck::finish() {
  check_apart(external_, "external");
  check_apart(internal_, "internal");
}

}  // namespace masugata::config::checks
