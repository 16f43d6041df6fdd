// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <utility>

#include "config/reading/readers.h"

namespace masugata::config::reading {
namespace {

constexpr uint16_t kMinimumIpv6Mtu = 1280;  // RFC 8200 section 5
constexpr size_t kMaximumInterfaces = 1024;
// Fits into 1500 bytes with every cipher, in UDP, over IPv6.
constexpr uint16_t kLargestUsualTunnelMtu = 1390;
constexpr uint16_t kIpv6HeaderExcess = 20;  // of the IPv6 header over the IPv4 header

void read_interface_address(Context& context, DataNode leaf, Interface& interface) {
  const auto prefix = net::Prefix::parse(leaf.value());
  if (!prefix || leaf.value().find('/') == std::string_view::npos) {
    context.refuse(leaf);
    return;
  }
  const net::IpAddress& address = prefix->address;
  if (address.is_multicast() || address.is_loopback() || address.is_unspecified() ||
      address.is_limited_broadcast()) {
    context.error(leaf, fmt::format("'{}' cannot be the address of an interface", leaf.value()),
                  "a unicast address");
    return;
  }
  const unsigned host_bits = (address.is_v4() ? 32U : 128U) - prefix->length;
  const net::AddressRange network = prefix->range();
  if (host_bits > 1 && address == network.first) {
    context.error(leaf,
                  fmt::format("'{}' is the network itself, not an address in it", leaf.value()),
                  fmt::format("for example {}/{}", address.next().to_string(), prefix->length));
    return;
  }
  if (address.is_v4() && host_bits > 1 && address == network.last) {
    context.error(leaf, fmt::format("'{}' is the broadcast address of its network", leaf.value()),
                  "another address of the network");
    return;
  }
  if (!address.is_v4() && interface.mtu < kMinimumIpv6Mtu) {
    context.error(leaf, fmt::format("IPv6 needs an MTU of {}, the interface has {}",
                                    kMinimumIpv6Mtu, interface.mtu));
  }
  interface.addresses.push_back(*prefix);
}

// What a port and a VLAN have in common.
void read_logical(Context& context, DataNode node, Interface& interface) {
  interface.place = place_of(node);
  interface.mtu = number_or(node.child("mtu"), interface.mtu);
  interface.clamp_mss = !node.has("no-mss-clamp");
  interface.tcp_mss_ipv4 = number_or<uint16_t>(node.child("tcp-mss"), 0);
  const auto mss_ipv6 = interface.tcp_mss_ipv4 == 0
                            ? uint16_t{0}
                            : static_cast<uint16_t>(interface.tcp_mss_ipv4 - kIpv6HeaderExcess);
  interface.tcp_mss_ipv6 = number_or(node.child("tcp-mss-ipv6"), mss_ipv6);
  interface.description = node.child("description").value();
  for (const DataNode address : node.children("address")) {
    read_interface_address(context, address, interface);
  }
}

void add_interface(Context& context, DataNode node, Interface interface) {
  if (context.model.interfaces.size() >= kMaximumInterfaces) {
    if (context.model.interfaces.size() == kMaximumInterfaces) {
      context.error(node, fmt::format("more than {} interfaces and VLANs", kMaximumInterfaces));
    }
    return;
  }
  const auto index = static_cast<uint16_t>(context.model.interfaces.size());
  context.names.interfaces.emplace(interface.name, index);
  context.model.interfaces.push_back(std::move(interface));
}

void read_vlan(Context& context, DataNode node, const Port& port, uint16_t port_index) {
  Interface interface;
  interface.port = port_index;
  interface.vlan = number_or<uint16_t>(node.child("id"), 0);
  interface.name = fmt::format("{}.{}", port.name, interface.vlan);
  interface.mtu = port.mtu;
  read_logical(context, node, interface);
  if (interface.mtu > port.mtu) {
    context.error(node.child("mtu"),
                  fmt::format("the VLAN's MTU {} is above the port's {}", interface.mtu, port.mtu),
                  fmt::format("at most {}", port.mtu));
  }
  add_interface(context, node, std::move(interface));
}

void read_port(Context& context, DataNode node,
               std::unordered_map<std::string, std::string>& port_of_device) {
  Port port;
  port.name = node.child("name").value();
  port.device = node.child("device").value();
  port.place = place_of(node);
  port.mtu = number_or(node.child("mtu"), port.mtu);
  port.enabled = !node.has("disable");
  // The device name decides which hardware it is; its arguments do not.
  const std::string device_name = port.device.substr(0, port.device.find(','));
  const auto [first, added] = port_of_device.try_emplace(device_name, port.name);
  if (!added && !device_name.empty()) {
    context.error(node.child("device"), fmt::format("device '{}' is used by interface {} already",
                                                    device_name, first->second));
  }

  const auto port_index = static_cast<uint16_t>(context.model.ports.size());
  Interface interface;
  interface.name = port.name;
  interface.port = port_index;
  read_logical(context, node, interface);
  context.model.ports.push_back(port);
  add_interface(context, node, std::move(interface));
  for (const DataNode vlan : node.children("vlan")) read_vlan(context, vlan, port, port_index);
}

void check_route_target(Context& context, DataNode node, StaticRoute& route) {
  const DataNode via = node.child("via");
  if (via) {
    route.via = net::IpAddress::parse(via.value());
    if (!route.via || route.via->is_multicast() || route.via->is_unspecified()) {
      context.refuse(via);
    } else if (route.via->family() != route.destination.family()) {
      context.error(
          via, "the gateway and the destination are of different families",
          route.destination.family() == net::Family::Ipv4 ? "an IPv4 address" : "an IPv6 address");
    }
  }
  if (const DataNode leaf = node.child("interface")) {
    const auto found = context.names.interfaces.find(std::string(leaf.value()));
    if (found == context.names.interfaces.end()) {
      context.refuse_name(leaf, "interface", context.names.interfaces);
    } else {
      route.interface = found->second;
    }
  }
  route.blackhole = node.has("blackhole");
}

// A gateway that no interface can reach makes a route that never comes up.
void check_reachable(Context& context, DataNode node, const StaticRoute& route) {
  if (!route.via || route.via->is_link_local()) return;
  if (route.via->family() != route.destination.family()) return;
  for (const Interface& interface : context.model.interfaces) {
    for (const net::Prefix& prefix : interface.addresses) {
      if (prefix.contains(*route.via)) return;
    }
  }
  context.warning(node.child("via"),
                  fmt::format("no interface has a network with {}", route.via->to_string()));
}

}  // namespace

void read_interfaces(Context& context) {
  std::unordered_map<std::string, std::string> port_of_device;
  const DataNode interfaces = context.tree().top("interfaces");
  for (const DataNode node : interfaces.children("interface")) {
    read_port(context, node, port_of_device);
  }
}

void read_tunnels(Context& context) {
  for (const DataNode node : context.tree().top("vpn").children("site")) {
    Interface interface;
    interface.kind = InterfaceKind::Tunnel;
    interface.name = node.child("name").value();
    interface.port = kNoPortIndex;
    interface.mtu = kLargestUsualTunnelMtu;
    read_logical(context, node, interface);
    VpnSite site;
    site.name = interface.name;
    site.interface = static_cast<uint16_t>(context.model.interfaces.size());
    context.model.vpn.sites.push_back(std::move(site));
    if (context.names.interfaces.contains(interface.name)) {
      context.error(node, fmt::format("interface '{}' has the same name", interface.name),
                    "a name that no interface has");
    }
    add_interface(context, node, std::move(interface));
  }
}

void read_routes(Context& context) {
  for (const DataNode node : context.tree().top("routes").children("route")) {
    const DataNode destination = node.child("destination");
    const auto prefix = net::Prefix::parse(destination.value());
    if (!prefix) {
      context.error(node, fmt::format("'{}' is not a route destination", destination.value()),
                    "network/length, for example 10.9.0.0/16 or 2001:db8::/32");
      continue;
    }
    if (prefix->network() != *prefix) {
      context.error(node, fmt::format("'{}' has bits set behind its length", destination.value()),
                    prefix->network().to_string());
    }
    StaticRoute route;
    route.destination = prefix->network();
    route.place = place_of(node);
    check_route_target(context, node, route);
    check_reachable(context, node, route);
    context.model.routes.push_back(route);
  }
}

}  // namespace masugata::config::reading
