// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "dataplane/gateway/state/show_policy.h"
#include "dataplane/gateway/state/texts.h"
#include "dataplane/nat/source_allocation.h"

namespace masugata::dataplane {
namespace {

using control::NatKind;
using control::NatRuleStatus;

uint64_t port_count(const config::PortRange& ports) {
  return uint64_t{ports.last} - ports.first + 1;
}

std::string match_text(const std::vector<net::AddressRange>& source,
                       const std::vector<net::AddressRange>& destination,
                       const std::vector<config::ServiceMatch>& services) {
  std::string text = ranges_text(source) + " > " + ranges_text(destination);
  return services.empty() ? text : text + " " + services_text(services);
}

// A rule for several zones is one rule for the administrator and several in the model.
void add_or_merge(std::vector<NatRuleStatus>& rules, NatRuleStatus rule) {
  const auto same = std::find_if(rules.begin(), rules.end(), [&](const NatRuleStatus& known) {
    return known.kind == rule.kind && known.name == rule.name && known.line == rule.line;
  });
  if (same == rules.end()) {
    rules.push_back(std::move(rule));
    return;
  }
  const auto add_zone = [](std::string& zones, const std::string& zone) {
    if ((", " + zones + ",").find(", " + zone + ",") == std::string::npos) zones += ", " + zone;
  };
  add_zone(same->from, rule.from);
  add_zone(same->to, rule.to);
}

uint64_t hits_of(const PolicyView& view, const char* kind, const std::string& name) {
  const auto found = view.totals.find(fmt::format("nat {} {}", kind, name));
  return found == view.totals.end() ? 0 : found->second.first;
}

NatRuleStatus status_of(const PolicyView& view, const config::DestinationNatRule& rule) {
  NatRuleStatus status;
  status.kind = NatKind::Destination;
  status.name = rule.name;
  status.line = rule.place.line;
  status.from = zone_text(*view.configuration.snapshot, rule.from);
  status.match = match_text(rule.source, rule.destination, rule.services);
  if (rule.translate) {
    status.translate = rule.to_address.to_string();
    if (rule.to_ports) status.translate += " port " + ports_text(*rule.to_ports);
  } else {
    status.translate = "none";
  }
  status.hits = hits_of(view, "destination", rule.name);
  return status;
}

NatRuleStatus status_of(const PolicyView& view, const config::StaticNatRule& rule) {
  NatRuleStatus status;
  status.kind = NatKind::Static;
  status.name = rule.name;
  status.line = rule.place.line;
  status.from = zone_text(*view.configuration.snapshot, rule.external_zone);
  status.match = rule.external.to_string();
  status.translate = rule.internal.to_string();
  status.hits = hits_of(view, "static", rule.name);
  return status;
}

NatRuleStatus status_of(const PolicyView& view, const config::SourceNatRule& rule) {
  NatRuleStatus status;
  status.kind = NatKind::Source;
  status.name = rule.name;
  status.line = rule.place.line;
  status.from = zone_text(*view.configuration.snapshot, rule.from);
  status.to = zone_text(*view.configuration.snapshot, rule.to);
  status.match = match_text(rule.source, rule.destination, rule.services);
  switch (rule.translation) {
    case config::SourceTranslation::None:
      status.translate = "none";
      break;
    case config::SourceTranslation::Interface:
      status.translate = "interface";
      break;
    case config::SourceTranslation::Pool:
      status.translate = "pool " + view.model.nat_pools[rule.pool].name;
      break;
  }
  status.hits = hits_of(view, "source", rule.name);
  return status;
}

// Interfaces by which sessions of `translate interface` rules may leave.
std::set<uint16_t> translating_interfaces(const config::Model& model) {
  std::set<uint16_t> interfaces;
  for (const config::SourceNatRule& rule : model.source_nat) {
    if (rule.translation != config::SourceTranslation::Interface) continue;
    for (config::ZoneIndex zone = 0; zone < model.zones.size(); ++zone) {
      const bool meant =
          rule.to == zone || (rule.to == config::kAnyZone && zone != config::kSelfZone);
      if (meant)
        interfaces.insert(model.zones[zone].interfaces.begin(), model.zones[zone].interfaces.end());
    }
  }
  return interfaces;
}

}  // namespace

std::vector<TranslationPool> translation_pools(const config::Model& model,
                                               const Snapshot& snapshot) {
  std::vector<TranslationPool> pools;
  for (const CompiledPool& pool : snapshot.nat->pools()) {
    pools.push_back({pool.name, pool.ranges, pool.address_count * port_count(pool.ports)});
  }
  for (const uint16_t index : translating_interfaces(model)) {
    const config::Interface& interface = model.interfaces[index];
    TranslationPool pool{"interface " + interface.name, {}, port_count(kInterfacePorts)};
    for (const net::Prefix& prefix : interface.addresses) {
      pool.addresses.push_back({prefix.address, prefix.address});
    }
    // A session keeps to one of the addresses, chosen by its next hop: their ports do not add up.
    if (!pool.addresses.empty()) pools.push_back(std::move(pool));
  }
  return pools;
}

std::vector<net::AddressRange> translated_ranges(const std::vector<TranslationPool>& pools) {
  std::vector<net::AddressRange> ranges;
  for (const TranslationPool& pool : pools) {
    ranges.insert(ranges.end(), pool.addresses.begin(), pool.addresses.end());
  }
  return ranges;
}

control::NatStatus nat_status(const PolicyView& view, const SessionAnswer& answer,
                              uint64_t exhausted) {
  control::NatStatus status;
  status.exhausted = exhausted;
  for (const auto& rule : view.model.destination_nat)
    add_or_merge(status.rules, status_of(view, rule));
  for (const auto& rule : view.model.static_nat) add_or_merge(status.rules, status_of(view, rule));
  for (const auto& rule : view.model.source_nat) add_or_merge(status.rules, status_of(view, rule));
  size_t range = 0;
  for (const TranslationPool& pool : translation_pools(view.model, *view.configuration.snapshot)) {
    control::NatPoolStatus shown;
    shown.name = pool.name;
    shown.addresses = ranges_text(pool.addresses);
    shown.ports = pool.ports;
    for (size_t i = 0; i < pool.addresses.size(); ++i, ++range) {
      for (const auto& query : answer.workers) {
        if (range < query->per_translated.size()) shown.sessions += query->per_translated[range];
      }
    }
    status.pools.push_back(std::move(shown));
  }
  return status;
}

}  // namespace masugata::dataplane
