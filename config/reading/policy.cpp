// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/checks/rule_checks.h"
#include "config/reading/readers.h"
#include "config/reading/values.h"

namespace masugata::config::reading {
namespace {

constexpr size_t kMaximumTrustedResolvers = 64;

Action read_action(DataNode leaf) {
  if (leaf.value() == "permit") return Action::Permit;
  if (leaf.value() == "reject") return Action::Reject;
  return Action::Deny;
}

// Services by name; nullopt after an error.
std::optional<std::vector<ServiceMatch>> read_named_services(Context& context, DataNode node) {
  std::vector<ServiceMatch> matches;
  bool right = true;
  for (const DataNode leaf : node.children("service")) {
    const auto found = context.names.services.find(std::string(leaf.value()));
    if (found == context.names.services.end()) {
      context.refuse_name(leaf, "service", context.names.services);
      right = false;
      continue;
    }
    found->second.used = true;
    const std::vector<ServiceMatch>& members = found->second.value;
    // A service without a match has been reported; here it must not turn into "any".
    right = context.count_services(leaf, members.size()) && !members.empty() && right;
    if (right) matches.insert(matches.end(), members.begin(), members.end());
  }
  if (!right) return std::nullopt;
  return matches;
}

// False after an error.
bool read_services_of_rule(Context& context, DataNode node, PolicyRule& rule) {
  const DataNode::Siblings ports = node.child("destination").children("port");
  const DataNode::Siblings source_ports = node.child("source").children("port");
  const bool in_place =
      node.has("protocol") || node.has("icmp-type") || !ports.empty() || !source_ports.empty();
  auto matches = read_service_match(context, {node, ports, source_ports});
  if (matches) rule.services = std::move(*matches);
  if (!node.has("service")) return matches.has_value();
  auto named = read_named_services(context, node);
  if (named && !in_place) rule.services = std::move(*named);
  if (in_place) {
    context.error(node.child("service"), "service cannot stand beside protocol, port or icmp-type",
                  "a service of its own in sets, or two rules");
  }
  return named && !in_place;
}

// False after an error.
bool read_lifetime(Context& context, DataNode node, PolicyRule& rule) {
  const bool named = node.has("schedule");
  if (const DataNode leaf = node.child("schedule")) {
    const auto found = context.names.schedules.find(std::string(leaf.value()));
    if (found == context.names.schedules.end()) {
      context.refuse_name(leaf, "schedule", context.names.schedules);
    } else {
      found->second.used = true;
      rule.schedule = found->second.value;
    }
  }
  if (const DataNode leaf = node.child("until")) {
    rule.until = parse_moment(leaf.value());
    if (!rule.until) {
      context.refuse(leaf);
    } else if (*rule.until <= context.now()) {
      context.warning(leaf, fmt::format("the rule has expired: until {} is past", leaf.value()));
    }
  }
  return named == rule.schedule.has_value() && node.has("until") == rule.until.has_value();
}

// False after an error.
bool read_macs(Context& context, DataNode source, PolicyRule& rule) {
  for (const DataNode leaf : source.children("mac")) {
    const auto mac = net::MacAddress::parse(leaf.value());
    if (!mac || mac->is_multicast() || mac->is_zero()) {
      context.error(leaf, fmt::format("'{}' is not the MAC address of a host", leaf.value()),
                    "a unicast MAC address");
    } else {
      rule.source_mac.push_back(*mac);
    }
  }
  return source.has("mac") != rule.source_mac.empty();
}

void use_profile(Context& context, DataNode leaf, const char* kind,
                 Definitions<uint16_t>& profiles) {
  if (!leaf) return;
  const auto found = profiles.find(std::string(leaf.value()));
  if (found == profiles.end()) {
    context.refuse_name(leaf, kind, profiles);
  } else {
    found->second.used = true;
  }
}

void read_inspection(Context& context, DataNode node, InspectionProfile& inspect) {
  inspect.ips = node.child("ips").value();
  inspect.av = node.child("av").value();
  use_profile(context, node.child("ips"), "IPS profile", context.names.ips_profiles);
  use_profile(context, node.child("av"), "anti-virus profile", context.names.av_profiles);
}

// False after an error: the rule then may match more than is written and is not compared with
// others.
bool read_rule(Context& context, DataNode node, PolicyRule& rule) {
  rule.name = node.child("name").value();
  rule.place = place_of(node);
  rule.description = node.child("description").value();
  rule.action = read_action(node.child("action"));
  rule.log = node.has("log");
  rule.session_limit_per_source = number_or<uint32_t>(node.child("session-limit-per-source"), 0);
  read_inspection(context, node.child("inspect"), rule.inspect);
  auto source = read_addresses(context, node.child("source"));
  auto destination = read_addresses(context, node.child("destination"));
  bool right = source && destination;
  if (source) rule.source = std::move(*source);
  if (destination) rule.destination = std::move(*destination);
  right = read_macs(context, node.child("source"), rule) && right;
  right = read_services_of_rule(context, node, rule) && right;
  right = read_lifetime(context, node, rule) && right;
  right = read_applications_of_rule(context, node, rule) && right;
  if (right) checks::check_rule_families(context, node, rule);
  checks::check_rule_effect(context, node, rule);
  return right;
}

void read_trusted_resolvers(Context& context) {
  std::vector<net::IpAddress>& resolvers = context.model.trusted_resolvers;
  for (const DataNode leaf : context.tree().top("policy").children("trusted-resolver")) {
    const auto address = net::IpAddress::parse(leaf.value());
    if (!address) {
      context.refuse(leaf);
      continue;
    }
    if (resolvers.size() == kMaximumTrustedResolvers) {
      context.error(leaf, fmt::format("more than {} trusted resolvers", kMaximumTrustedResolvers));
      return;
    }
    resolvers.push_back(*address);
  }
  std::sort(resolvers.begin(), resolvers.end());
  resolvers.erase(std::unique(resolvers.begin(), resolvers.end()), resolvers.end());
}

}  // namespace

void read_policy(Context& context) {
  read_trusted_resolvers(context);
  for (const DataNode node : context.tree().top("policy").children("section")) {
    PolicySection section;
    section.place = place_of(node);
    const auto from = read_zone(context, node.child("from"));
    const auto to = read_zone(context, node.child("to"));
    section.from = from.value_or(kAnyZone);
    section.to = to.value_or(kAnyZone);
    checks::ShadowCheck shadows(context);
    for (const DataNode rule_node : node.children("rule")) {
      PolicyRule rule;
      const bool right = read_rule(context, rule_node, rule);
      if (rule_node.has("disable")) continue;
      if (right) shadows.add(rule_node, rule);
      section.rules.push_back(std::move(rule));
    }
    context.model.policy.push_back(std::move(section));
  }
}

}  // namespace masugata::config::reading
