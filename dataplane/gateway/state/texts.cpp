// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/texts.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "dataplane/control/records_json.h"
#include "dataplane/gateway/configuration_manager.h"

namespace masugata::dataplane {
namespace {

constexpr size_t kRangesShown = 4;

bool has_ports(net::Protocol protocol) {
  return protocol == net::Protocol::Tcp || protocol == net::Protocol::Udp ||
         protocol == net::Protocol::Sctp;
}

bool is_icmp(net::Protocol protocol) {
  return protocol == net::Protocol::Icmp || protocol == net::Protocol::Icmpv6;
}

bool is_every_port(const config::PortRange& ports) {
  return ports.first == 0 && ports.last == 65535;
}

// What one alternative says besides its protocol and destination ports.
std::string details_of(const config::ServiceMatch& service) {
  std::string text;
  if (is_icmp(service.protocol)) {
    if (service.icmp_type) text += fmt::format(" type {}", *service.icmp_type);
    if (service.icmp_code) text += fmt::format(" code {}", *service.icmp_code);
  } else if (!is_every_port(service.source_port)) {
    text += " from port " + ports_text(service.source_port);
  }
  return text;
}

std::string list_of(const std::set<std::string>& names) {
  return names.empty() ? "there is none" : fmt::format("there are: {}", fmt::join(names, ", "));
}

}  // namespace

std::string zone_text(const Snapshot& snapshot, config::ZoneIndex zone) {
  if (zone == config::kAnyZone) return "any";
  return zone < snapshot.zones.size() ? snapshot.zones[zone].name : "";
}

std::string interface_text(const Snapshot& snapshot, InterfaceIndex interface) {
  return interface < snapshot.interfaces.size() ? snapshot.interfaces[interface].name : "";
}

std::string ranges_text(const std::vector<net::AddressRange>& ranges) {
  if (ranges.empty()) return "any";
  std::vector<std::string> texts;
  for (const net::AddressRange& range : ranges) {
    if (texts.size() == kRangesShown) {
      texts.push_back(fmt::format("and {} more", ranges.size() - kRangesShown));
      break;
    }
    texts.push_back(range.to_string());
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string ports_text(const config::PortRange& ports) {
  if (ports.first == ports.last) return std::to_string(ports.first);
  return fmt::format("{}-{}", ports.first, ports.last);
}

std::string services_text(const std::vector<config::ServiceMatch>& services) {
  if (services.empty()) return "any";
  // Alternatives that differ in their destination ports only are told together.
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  for (const config::ServiceMatch& service : services) {
    const std::string name = control::protocol_name(service.protocol);
    const std::string key = name + "\n" + details_of(service);
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& known) { return known.first == key; });
    if (group == groups.end()) group = groups.insert(groups.end(), {key, {}});
    if (has_ports(service.protocol) && !is_every_port(service.destination_port)) {
      group->second.push_back(ports_text(service.destination_port));
    }
  }
  std::vector<std::string> texts;
  for (const auto& [key, ports] : groups) {
    const size_t end = key.find('\n');
    std::string text = key.substr(0, end);
    if (!ports.empty()) text += fmt::format("/{}", fmt::join(ports, ","));
    texts.push_back(text + key.substr(end + 1));
  }
  return fmt::format("{}", fmt::join(texts, "; "));
}

std::string endpoint_text(const control::Endpoint& endpoint) {
  const std::string address = endpoint.address.to_string();
  if (endpoint.port == 0) return address;
  return endpoint.address.is_v4() ? fmt::format("{}:{}", address, endpoint.port)
                                  : fmt::format("[{}]:{}", address, endpoint.port);
}

control::Endpoint source_of(const net::FlowKey& key) {
  return {key.source, key.source_port.host()};
}

control::Endpoint destination_of(const net::FlowKey& key) {
  return {key.destination, is_icmp(key.protocol) ? uint16_t{0} : key.destination_port.host()};
}

std::string state_text(ProtocolState state) {
  const std::string name = name_of(state);
  const size_t dash = name.find('-');
  return dash == std::string::npos ? name : name.substr(dash + 1);
}

Result<uint32_t> states_named(const std::string& text) {
  uint32_t states = 0;
  std::set<std::string> names;
  for (uint32_t number = 1; number < kProtocolStateCount; ++number) {
    const auto state = static_cast<ProtocolState>(number);
    names.insert(state_text(state));
    if (text == state_text(state) || text == name_of(state)) states |= 1U << number;
  }
  if (states == 0) return failure("state " + text, "is not known; " + list_of(names));
  return states;
}

Result<config::ApplicationId> application_named(const std::string& text) {
  if (const auto application = config::find_application(text)) return *application;
  constexpr size_t kShown = 5;
  return failure("application " + text,
                 fmt::format("is not one that is recognised; near ones: {}",
                             fmt::join(config::applications_like(text, kShown), ", ")));
}

std::string route_text(const Route& route, const std::optional<net::Prefix>& prefix,
                       const Snapshot& snapshot) {
  if (!prefix) return "no route";
  const std::string interface = interface_text(snapshot, route.interface);
  std::string text = prefix->to_string();
  if (route.kind == RouteKind::Gateway) {
    text += " via " + route.gateway.to_string();
  } else {
    text += " " + std::string(name_of(route.kind));
  }
  return interface.empty() ? text : text + " on " + interface;
}

std::optional<net::Prefix> prefix_for(const ForwardingPublisher& forwarding,
                                      const net::IpAddress& address) {
  for (int length = address.is_v4() ? 32 : 128; length >= 0; --length) {
    const net::Prefix prefix = net::Prefix{address, static_cast<uint8_t>(length)}.network();
    if (forwarding.find_route(prefix)) return prefix;
  }
  return std::nullopt;
}

std::string neighbour_state_text(NeighbourState state) {
  return state == NeighbourState::Incomplete ? "resolving" : std::string(name_of(state));
}

Result<config::ZoneIndex> zone_named(const Snapshot& snapshot, const std::string& name) {
  std::set<std::string> names;
  for (config::ZoneIndex zone = 0; zone < snapshot.zones.size(); ++zone) {
    if (snapshot.zones[zone].name == name) return zone;
    names.insert(snapshot.zones[zone].name);
  }
  return failure("zone " + name, "is not known; " + list_of(names));
}

Result<InterfaceIndex> interface_named(const Snapshot& snapshot, const std::string& name) {
  std::set<std::string> names;
  for (InterfaceIndex index = 0; index < snapshot.interfaces.size(); ++index) {
    if (snapshot.interfaces[index].name == name) return index;
    names.insert(snapshot.interfaces[index].name);
  }
  return failure("interface " + name, "is not known; " + list_of(names));
}

Result<std::vector<bool>> rules_named(const Snapshot& snapshot, const std::string& name) {
  const auto& rules = snapshot.policy->rules();
  std::vector<bool> wanted(rules.size(), false);
  for (RuleId rule = 0; rule < rules.size(); ++rule) {
    wanted[rule] =
        rules[rule].name == name || ConfigurationManager::rule_title(snapshot, rule) == name;
  }
  if (std::find(wanted.begin(), wanted.end(), true) == wanted.end()) {
    return failure("rule " + name, "is not known; `masugata show policy` lists the rules");
  }
  return wanted;
}

std::string until_text(const std::optional<std::chrono::sys_seconds>& until) {
  if (!until) return {};
  return fmt::format("{:%Y-%m-%d %H:%M}",
                     fmt::localtime(std::chrono::system_clock::to_time_t(*until)));
}

}  // namespace masugata::dataplane
