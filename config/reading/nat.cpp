// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <utility>

#include "config/checks/nat_checks.h"
#include "config/reading/readers.h"
#include "config/reading/values.h"

namespace masugata::config::reading {
namespace {

// A rule for every pair of zones: lists multiply.
constexpr size_t kMaximumNatRules = 100'000;

// False after an error.
bool check_rule_count(Context& context, DataNode node, size_t present, size_t added) {
  if (present + added <= kMaximumNatRules) return true;
  context.error(
      node,
      fmt::format("the rules up to here expand to more than {} pairs of zones", kMaximumNatRules),
      "fewer rules or shorter lists of zones");
  return false;
}

void read_pool(Context& context, DataNode node) {
  NatPool pool;
  pool.name = node.child("name").value();
  pool.place = place_of(node);
  for (const DataNode leaf : node.children("address")) {
    const auto range = net::AddressRange::parse(leaf.value());
    if (!range) {
      context.refuse(leaf);
    } else if (!range->first.is_v4()) {
      context.error(leaf, fmt::format("'{}' is not IPv4: pools translate IPv4 only", leaf.value()),
                    "IPv4 addresses, networks and ranges");
    } else {
      pool.addresses.push_back(*range);
    }
  }
  merge_ranges(pool.addresses);
  if (const DataNode leaf = node.child("ports")) {
    if (const auto ports = parse_ports(leaf.value())) {
      pool.ports = *ports;
    } else {
      context.refuse(leaf);
    }
  }
  const auto index = static_cast<uint16_t>(context.model.nat_pools.size());
  context.names.pools[pool.name] = {index, node, false};
  context.model.nat_pools.push_back(std::move(pool));
}

// The zones of a list; {any} when nothing is written.
std::vector<ZoneIndex> read_zone_list(Context& context, DataNode node, const char* name) {
  std::vector<ZoneIndex> zones;
  for (const DataNode leaf : node.children(name)) {
    const auto zone = read_zone(context, leaf);
    if (!zone) continue;
    if (*zone == kSelfZone) {
      context.error(leaf, "sessions of the gateway itself are not translated",
                    "another zone, or any");
      continue;
    }
    // One rule for all zones says what the list says, and does not match twice.
    if (*zone == kAnyZone) return {kAnyZone};
    zones.push_back(*zone);
  }
  if (zones.empty()) zones.push_back(kAnyZone);
  return zones;
}

void read_source_translation(Context& context, DataNode translate, SourceNatRule& rule) {
  if (translate.has("interface")) rule.translation = SourceTranslation::Interface;
  const DataNode pool = translate.child("pool");
  if (!pool) return;
  rule.translation = SourceTranslation::Pool;
  const auto found = context.names.pools.find(std::string(pool.value()));
  if (found == context.names.pools.end()) {
    context.refuse_name(pool, "pool", context.names.pools);
    return;
  }
  found->second.used = true;
  rule.pool = found->second.value;
}

void read_source_rule(Context& context, DataNode node) {
  SourceNatRule rule;
  rule.name = node.child("name").value();
  rule.place = place_of(node);
  if (auto source = read_addresses(context, node.child("source"))) rule.source = std::move(*source);
  if (auto destination = read_addresses(context, node.child("destination"))) {
    rule.destination = std::move(*destination);
  }
  if (auto services = read_service_match(
          context, {node, node.children("port"), DataNode::Siblings(DataNode())})) {
    rule.services = std::move(*services);
  }
  read_source_translation(context, node.child("translate"), rule);
  checks::check_source_nat_families(context, node, rule);
  const std::vector<ZoneIndex> from = read_zone_list(context, node, "from");
  const std::vector<ZoneIndex> to = read_zone_list(context, node, "to");
  if (node.has("disable")) return;
  const size_t pairs = from.size() * to.size();
  if (!check_rule_count(context, node, context.model.source_nat.size(), pairs)) return;
  for (const ZoneIndex from_zone : from) {
    for (const ZoneIndex to_zone : to) {
      rule.from = from_zone;
      rule.to = to_zone;
      context.model.source_nat.push_back(rule);
    }
  }
}

// False after an error.
bool read_aim(Context& context, DataNode to, DestinationNatRule& rule) {
  auto destination = read_addresses(context, to);
  auto services =
      read_service_match(context, {to, to.children("port"), DataNode::Siblings(DataNode())});
  if (!destination || !services || !to.has("address")) return false;
  if (destination->empty()) {
    context.error(to.child("address"), "'any' would take every session for this server",
                  "the public address of the server");
    return false;
  }
  rule.destination = std::move(*destination);
  rule.services = std::move(*services);
  return true;
}

// False after an error.
bool read_server(Context& context, DataNode translate, DestinationNatRule& rule) {
  rule.translate = !translate.has("none");
  const DataNode address = translate.child("address");
  if (!address) return !rule.translate;
  const auto range = net::AddressRange::parse(address.value());
  if (!range) {
    context.refuse(address);
    return false;
  }
  rule.to_address = *range;
  const DataNode port = translate.child("port");
  if (!port) return true;
  rule.to_ports = parse_ports(port.value());
  if (!rule.to_ports) context.refuse(port);
  return rule.to_ports.has_value();
}

void read_destination_rule(Context& context, DataNode node) {
  DestinationNatRule rule;
  rule.name = node.child("name").value();
  rule.place = place_of(node);
  rule.hairpin = !node.has("no-hairpin");
  if (auto source = read_addresses(context, node.child("source"))) rule.source = std::move(*source);
  const bool aimed = read_aim(context, node.child("to"), rule);
  const bool served = read_server(context, node.child("translate"), rule);
  if (aimed && served && rule.translate) checks::check_destination_nat(context, node, rule);
  const std::vector<ZoneIndex> from = read_zone_list(context, node, "from");
  if (node.has("disable")) return;
  if (!check_rule_count(context, node, context.model.destination_nat.size(), from.size())) return;
  for (const ZoneIndex zone : from) {
    rule.from = zone;
    context.model.destination_nat.push_back(rule);
  }
}

std::optional<net::AddressRange> read_range(Context& context, DataNode leaf) {
  if (!leaf) return std::nullopt;
  const auto range = net::AddressRange::parse(leaf.value());
  if (!range) context.refuse(leaf);
  return range;
}

void read_static_rule(Context& context, DataNode node, checks::StaticNatCheck& check) {
  StaticNatRule rule;
  rule.name = node.child("name").value();
  rule.place = place_of(node);
  if (const DataNode leaf = node.child("zone")) {
    const auto zone = read_zone(context, leaf);
    rule.external_zone = zone.value_or(kAnyZone);
    if (zone && (*zone == kAnyZone || *zone == kSelfZone)) {
      context.error(leaf, fmt::format("'{}' is not a zone with interfaces", leaf.value()),
                    "the zone in which the external addresses are seen");
    }
  }
  const auto external = read_range(context, node.child("external"));
  const auto internal = read_range(context, node.child("internal"));
  if (!external || !internal) return;
  rule.external = *external;
  rule.internal = *internal;
  if (node.has("disable")) return;
  check.add(node, rule);
  context.model.static_nat.push_back(std::move(rule));
}

}  // namespace

void read_nat(Context& context) {
  const DataNode nat = context.tree().top("nat");
  for (const DataNode node : nat.children("pool")) read_pool(context, node);
  for (const DataNode node : nat.child("source").children("rule")) {
    read_source_rule(context, node);
  }
  for (const DataNode node : nat.child("destination").children("rule")) {
    read_destination_rule(context, node);
  }
  checks::StaticNatCheck static_check(context);
  for (const DataNode node : nat.child("static").children("rule")) {
    read_static_rule(context, node, static_check);
  }
  static_check.finish();
  checks::check_pools_are_apart(context);
}

void report_unused(Context& context) {
  const auto report = [&context](const auto& definitions, const char* thing) {
    for (const auto& [name, definition] : definitions) {
      if (definition.used || !definition.node) continue;
      context.warning(definition.node, fmt::format("nothing uses the {} '{}'", thing, name));
    }
  };
  report(context.names.address_sets, "address set");
  report(context.names.services, "service");
  report(context.names.schedules, "schedule");
  report(context.names.domain_sets, "domain set");
  report(context.names.pools, "pool");
  report(context.names.ips_profiles, "IPS profile");
}

}  // namespace masugata::config::reading
