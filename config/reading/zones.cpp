// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <utility>

#include "config/reading/readers.h"

namespace masugata::config::reading {
namespace {

AntiSpoofing read_anti_spoofing(DataNode leaf) {
  if (leaf.value() == "loose") return AntiSpoofing::Loose;
  if (leaf.value() == "off") return AntiSpoofing::Off;
  return AntiSpoofing::Strict;
}

void read_members(Context& context, DataNode node, Zone& zone,
                  std::vector<std::string>& zone_of_interface) {
  for (const DataNode leaf : node.children("interface")) {
    const auto found = context.names.interfaces.find(std::string(leaf.value()));
    if (found == context.names.interfaces.end()) {
      context.refuse_name(leaf, "interface", context.names.interfaces);
      continue;
    }
    std::string& owner = zone_of_interface[found->second];
    if (!owner.empty()) {
      context.error(leaf, fmt::format("interface '{}' is in zone {} already", leaf.value(), owner),
                    "at most one zone per interface");
      continue;
    }
    owner = zone.name;
    zone.interfaces.push_back(found->second);
  }
}

// Sites say themselves which zone they are in, and are read later.
bool has_site(const Context& context, std::string_view zone) {
  for (const DataNode site : context.tree().top("vpn").children("site")) {
    if (site.child("zone").value() == zone) return true;
  }
  return false;
}

}  // namespace

void read_zones(Context& context) {
  Zone self;
  self.name = "self";
  self.anti_spoofing = AntiSpoofing::Off;
  context.names.zones.emplace(self.name, kSelfZone);
  context.model.zones.push_back(std::move(self));

  constexpr uint32_t kDefaultSynCookieThreshold = 1000;
  std::vector<std::string> zone_of_interface(context.model.interfaces.size());
  for (const DataNode node : context.tree().top("zones").children("zone")) {
    Zone zone;
    zone.name = node.child("name").value();
    zone.place = place_of(node);
    zone.anti_spoofing = read_anti_spoofing(node.child("anti-spoofing"));
    zone.new_sessions_per_source_per_second =
        number_or<uint32_t>(node.child("new-sessions-per-source"), 0);
    if (const DataNode cookies = node.child("syn-cookies")) {
      zone.syn_cookie_threshold = number_or(cookies.child("threshold"), kDefaultSynCookieThreshold);
    }
    read_members(context, node, zone, zone_of_interface);
    if (zone.interfaces.empty() && !has_site(context, zone.name) && !context.has_errors()) {
      context.warning(node, "the zone has no interface");
    }
    context.names.zones.emplace(zone.name, static_cast<ZoneIndex>(context.model.zones.size()));
    context.model.zones.push_back(std::move(zone));
  }
}

std::optional<ZoneIndex> read_zone(Context& context, DataNode leaf) {
  if (leaf.value() == "any") return kAnyZone;
  const auto found = context.names.zones.find(std::string(leaf.value()));
  if (found != context.names.zones.end()) return found->second;
  context.refuse_name(leaf, "zone", context.names.zones);
  return std::nullopt;
}

}  // namespace masugata::config::reading
