// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway that the tests of this folder configure: lan 10.0.0.1/24, wan 203.0.113.1/24,
// dmz 10.0.2.1/24, each with an IPv6 network, and a routing table to match.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/forwarding/route.h"
#include "dataplane/snapshot/compile.h"
#include "dataplane/snapshot/snapshot.h"

namespace masugata::dataplane::test {

inline constexpr uint16_t kLan0 = 0, kWan0 = 1, kDmz0 = 2, kSpare0 = 3;
inline constexpr config::ZoneIndex kLan = 1, kWan = 2, kDmz = 3;

inline net::IpAddress ip(const char* text) { return *net::IpAddress::parse(text); }
inline net::AddressRange range(const char* text) { return *net::AddressRange::parse(text); }

inline config::ServiceMatch service(net::Protocol protocol, uint16_t first, uint16_t last) {
  return {protocol, {}, {first, last}, {}, {}};
}

inline config::Model make_model() {
  config::Model model;
  const auto add = [&](const char* name, std::vector<const char*> addresses) {
    config::Port port;
    port.name = name;
    config::Interface interface;
    interface.name = name;
    interface.port = static_cast<uint16_t>(model.ports.size());
    for (const char* address : addresses) {
      interface.addresses.push_back(*net::Prefix::parse(address));
    }
    model.ports.push_back(std::move(port));
    model.interfaces.push_back(std::move(interface));
  };
  add("lan0", {"10.0.0.1/24", "2001:db8:1::1/64"});
  add("wan0", {"203.0.113.1/24", "2001:db8:2::1/64"});
  add("dmz0", {"10.0.2.1/24", "2001:db8:3::1/64"});
  add("spare0", {"10.0.9.1/24"});
  const std::pair<const char*, std::vector<uint16_t>> zones[] = {
      {"self", {}}, {"lan", {kLan0}}, {"wan", {kWan0}}, {"dmz", {kDmz0}}};
  for (const auto& [name, interfaces] : zones) {
    config::Zone zone;
    zone.name = name;
    zone.interfaces = interfaces;
    model.zones.push_back(std::move(zone));
  }
  return model;
}

// Appends a section with one rule that matches everything; the caller narrows it.
inline config::PolicyRule& add_rule(config::Model& model, config::ZoneIndex from,
                                    config::ZoneIndex to, const char* name,
                                    config::Action action = config::Action::Permit) {
  config::PolicySection section;
  section.from = from;
  section.to = to;
  section.rules.emplace_back();
  section.rules.back().name = name;
  section.rules.back().action = action;
  model.policy.push_back(std::move(section));
  return model.policy.back().rules.back();
}

// Longest prefix wins; counts nothing, caches nothing.
class RouteTable {
 public:
  RouteTable() {
    for (const auto& [prefix, interface] :
         {std::pair{"10.0.0.0/24", kLan0}, std::pair{"203.0.113.0/24", kWan0},
          std::pair{"10.0.2.0/24", kDmz0}, std::pair{"10.0.9.0/24", kSpare0},
          std::pair{"2001:db8:1::/64", kLan0}, std::pair{"2001:db8:2::/64", kWan0},
          std::pair{"2001:db8:3::/64", kDmz0}}) {
      add(prefix, RouteKind::Connected, interface);
    }
    for (const auto& [prefix, interface] :
         {std::pair{"10.0.0.1/32", kLan0}, std::pair{"203.0.113.1/32", kWan0},
          std::pair{"10.0.2.1/32", kDmz0}, std::pair{"2001:db8:2::1/128", kWan0}}) {
      add(prefix, RouteKind::Local, interface);
    }
    add("10.0.0.255/32", RouteKind::Broadcast, kLan0);
    add("0.0.0.0/0", RouteKind::Gateway, kWan0, "203.0.113.254");
    add("::/0", RouteKind::Gateway, kWan0, "2001:db8:2::fe");
    add("10.0.5.0/24", RouteKind::Gateway, kLan0, "10.0.0.2");
    add("192.0.2.0/28", RouteKind::Blackhole);
    add("192.0.2.16/28", RouteKind::Prohibit);
    add("192.0.2.32/28", RouteKind::Unreachable);
  }
  void add(const char* prefix, RouteKind kind, uint16_t interface = kNoInterface,
           const char* gateway = nullptr) {
    Route route;
    route.kind = kind;
    route.interface = interface;
    if (gateway != nullptr) route.gateway = ip(gateway);
    entries_.emplace_back(*net::Prefix::parse(prefix), route);
  }
  [[nodiscard]] const Route& lookup(const net::IpAddress& address, uint32_t) const noexcept {
    const std::pair<net::Prefix, Route>* best = nullptr;
    for (const auto& entry : entries_) {
      if (!entry.first.contains(address)) continue;
      if (best == nullptr || entry.first.length > best->first.length) best = &entry;
    }
    return best == nullptr ? none_ : best->second;
  }

 private:
  std::vector<std::pair<net::Prefix, Route>> entries_;
  Route none_;
};

struct FunctionProbe {
  std::function<bool(const net::FlowKey&)> rule = [](const net::FlowKey&) { return true; };
  bool is_free(const net::FlowKey& reply_key) noexcept { return rule(reply_key); }
};

}  // namespace masugata::dataplane::test
