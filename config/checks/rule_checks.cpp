// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/checks/rule_checks.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace masugata::config::checks {
namespace {

using schema::DataNode;

struct Families {
  bool ipv4 = false;
  bool ipv6 = false;
  [[nodiscard]] bool none() const { return !ipv4 && !ipv6; }
  [[nodiscard]] Families with(const Families& other) const {
    return {ipv4 && other.ipv4, ipv6 && other.ipv6};
  }
};

Families families_of(const std::vector<net::AddressRange>& ranges) {
  if (ranges.empty()) return {true, true};
  Families families;
  for (const net::AddressRange& range : ranges) {
    (range.first.is_v4() ? families.ipv4 : families.ipv6) = true;
  }
  return families;
}

Families families_of(const std::vector<ServiceMatch>& services) {
  if (services.empty()) return {true, true};
  Families families;
  for (const ServiceMatch& service : services) {
    families.ipv4 = families.ipv4 || service.protocol != net::Protocol::Icmpv6;
    families.ipv6 = families.ipv6 || service.protocol != net::Protocol::Icmp;
  }
  return families;
}

template <class Value>
void append_bytes(std::string& text, const Value& value) {
  text.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Everything that a rule compares a session with, as a byte string to be used as a key.
std::string conditions_of(const PolicyRule& rule) {
  std::string text;
  for (const auto* ranges : {&rule.source, &rule.destination}) {
    append_bytes(text, ranges->size());
    for (const net::AddressRange& range : *ranges) {
      append_bytes(text, range.first.bytes);
      append_bytes(text, range.last.bytes);
    }
  }
  append_bytes(text, rule.source_mac.size());
  for (const net::MacAddress& mac : rule.source_mac) append_bytes(text, mac.bytes);
  for (const ServiceMatch& service : rule.services) {
    fmt::format_to(std::back_inserter(text), "{}.{}-{}.{}-{}.{}.{};",
                   static_cast<unsigned>(service.protocol), service.source_port.first,
                   service.source_port.last, service.destination_port.first,
                   service.destination_port.last,
                   service.icmp_type ? static_cast<int>(*service.icmp_type) : -1,
                   service.icmp_code ? static_cast<int>(*service.icmp_code) : -1);
  }
  return text;
}

bool matches_everything(const PolicyRule& rule) {
  return rule.source.empty() && rule.destination.empty() && rule.source_mac.empty() &&
         rule.services.empty();
}

}  // namespace

void check_rule_families(reading::Context& context, DataNode node, const PolicyRule& rule) {
  const Families addresses = families_of(rule.source).with(families_of(rule.destination));
  if (addresses.none()) {
    context.error(node.child("destination"),
                  "source and destination have no address family in common: the rule can never "
                  "match",
                  "addresses of one family, or of both on both sides");
  } else if (addresses.with(families_of(rule.services)).none()) {
    context.error(node,
                  "the addresses are not of the family of the protocol: the rule can never "
                  "match",
                  addresses.ipv4 ? "icmp for IPv4" : "icmpv6 for IPv6");
  }
}

void check_rule_effect(reading::Context& context, DataNode node, const PolicyRule& rule) {
  const bool inspected = !rule.inspect.ips.empty() || !rule.inspect.av.empty();
  if (rule.action == Action::Permit) return;
  if (inspected) {
    context.warning(node.child("inspect"), "only what is permitted is inspected");
  }
  if (rule.session_limit_per_source != 0) {
    context.warning(node.child("session-limit-per-source"),
                    "a limit on sessions that are not permitted has no effect");
  }
}

void ShadowCheck::add(DataNode node, const PolicyRule& rule) {
  if (!catch_all_.empty()) {
    context_.warning(node, fmt::format("the rule can never match: rule {} takes everything before "
                                       "it",
                                       catch_all_));
    return;
  }
  // A rule that is not always alive, or asks what a session carries, leaves sessions to later
  // ones.
  if (rule.schedule || rule.until || rule.depends_on_application()) return;
  std::string conditions = conditions_of(rule);
  const auto [found, added] = earlier_.try_emplace(std::move(conditions), rule.name);
  if (!added) {
    context_.warning(node, fmt::format("the rule can never match: it has the conditions of rule {}",
                                       found->second));
  }
  if (matches_everything(rule)) catch_all_ = rule.name;
}

}  // namespace masugata::config::checks
