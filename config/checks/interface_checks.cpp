// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/checks/interface_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace masugata::config::checks {
namespace {

using schema::DataNode;

struct Network {
  net::AddressRange range;
  net::Prefix prefix;
  size_t interface;
  DataNode node;
};

// The statements of the logical interfaces, in the order of Model::interfaces.
std::vector<DataNode> interface_nodes(const schema::DataTree& tree) {
  std::vector<DataNode> nodes;
  for (const DataNode port : tree.top("interfaces").children("interface")) {
    nodes.push_back(port);
    for (const DataNode vlan : port.children("vlan")) nodes.push_back(vlan);
  }
  for (const DataNode site : tree.top("vpn").children("site")) nodes.push_back(site);
  return nodes;
}

}  // namespace

void check_networks_are_apart(reading::Context& context) {
  const std::vector<DataNode> nodes = interface_nodes(context.tree());
  const std::vector<Interface>& interfaces = context.model.interfaces;
  std::vector<Network> networks;
  for (size_t index = 0; index < interfaces.size() && index < nodes.size(); ++index) {
    for (const DataNode leaf : nodes[index].children("address")) {
      const auto prefix = net::Prefix::parse(leaf.value());
      if (prefix) networks.push_back({prefix->range(), *prefix, index, leaf});
    }
  }
  std::stable_sort(networks.begin(), networks.end(), [](const Network& left, const Network& right) {
    return left.range.first < right.range.first;
  });
  // The network that reaches farthest so far is the one that a later one can lie in.
  size_t farthest = 0;
  for (size_t index = 1; index < networks.size(); ++index) {
    const Network& before = networks[farthest];
    const Network& network = networks[index];
    const bool overlaps = network.range.first <= before.range.last &&
                          network.prefix.family() == before.prefix.family();
    if (overlaps && network.interface != before.interface) {
      const bool later = before.interface < network.interface;
      context.error(later ? network.node : before.node,
                    fmt::format("{} overlaps {} of interface {}",
                                (later ? network : before).prefix.to_string(),
                                (later ? before : network).prefix.to_string(),
                                interfaces[(later ? before : network).interface].name),
                    "networks that do not overlap");
    }
    if (!overlaps || network.range.last > before.range.last) farthest = index;
  }
}

void check_interfaces_have_zones(reading::Context& context) {
  const std::vector<Interface>& interfaces = context.model.interfaces;
  std::vector<bool> has_zone(interfaces.size());
  for (const Zone& zone : context.model.zones) {
    for (const uint16_t index : zone.interfaces) has_zone[index] = true;
  }
  const std::vector<DataNode> nodes = interface_nodes(context.tree());
  for (size_t index = 0; index < interfaces.size() && index < nodes.size(); ++index) {
    // A port without addresses that carries VLANs is used through them.
    const bool carrier = interfaces[index].addresses.empty() && nodes[index].has("vlan");
    const bool tunnel = interfaces[index].kind == InterfaceKind::Tunnel;
    const bool enabled =
        tunnel ? !nodes[index].has("disable") : context.model.ports[interfaces[index].port].enabled;
    if (has_zone[index] || carrier || !enabled) continue;
    context.warning(nodes[index], fmt::format("interface {} is in no zone: nothing passes it",
                                              interfaces[index].name));
  }
}

}  // namespace masugata::config::checks
