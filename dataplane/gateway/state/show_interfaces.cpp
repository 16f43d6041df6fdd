// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/show_machine.h"
#include "dataplane/gateway/state/texts.h"

namespace masugata::dataplane {
namespace {

using control::PacketCounters;

PacketCounters less(const PacketCounters& now, const PacketCounters& base) {
  return {now.packets - base.packets, now.bytes - base.bytes, now.errors - base.errors,
          now.missed - base.missed};
}

void fill_port_counters(control::InterfaceStatus& status, const PortStatistics& now,
                        const PortStatistics& base) {
  status.received = less(
      {now.received_packets, now.received_bytes, now.received_errors, now.received_missed},
      {base.received_packets, base.received_bytes, base.received_errors, base.received_missed});
  status.sent = less({now.sent_packets, now.sent_bytes, now.sent_errors, 0},
                     {base.sent_packets, base.sent_bytes, base.sent_errors, 0});
}

void fill_twin_counters(control::InterfaceStatus& status,
                        const std::map<std::string, TwinCounters>& twins, const CounterBase& base) {
  const auto now = twins.find(status.name);
  if (now == twins.end()) return;
  status.tap = status.name;
  // A twin that was made again since counts from zero.
  const auto before = base.twins.find(status.name);
  const bool grew = before != base.twins.end() &&
                    before->second.to_kernel.packets <= now->second.to_kernel.packets &&
                    before->second.from_kernel.packets <= now->second.from_kernel.packets;
  const TwinCounters aside = grew ? before->second : TwinCounters{};
  status.to_kernel = less(now->second.to_kernel, aside.to_kernel);
  status.from_kernel = less(now->second.from_kernel, aside.from_kernel);
}

void fill_vlan_counters(control::InterfaceStatus& status,
                        const ConfigurationManager::Totals& totals) {
  const auto found = totals.find(ConfigurationManager::interface_title(status.name));
  if (found == totals.end()) return;
  status.received = {found->second.first, found->second.second, 0, 0};
  status.sent = {found->second.third, found->second.fourth, 0, 0};
}

}  // namespace

std::vector<control::InterfaceStatus> interface_statuses(
    const config::Model& model, const RunningConfiguration& configuration,
    const std::vector<PortView>& ports, const ConfigurationManager::Totals& totals,
    const std::map<std::string, TwinCounters>& twins, const CounterBase& base) {
  const Snapshot& snapshot = *configuration.snapshot;
  std::vector<control::InterfaceStatus> statuses;
  for (size_t i = 0; i < model.interfaces.size(); ++i) {
    const config::Interface& interface = model.interfaces[i];
    static const config::Port kTunnel{"", "tunnel", {}, 0, true};
    const bool tunnel = interface.kind == config::InterfaceKind::Tunnel;
    const config::Port& port = tunnel ? kTunnel : model.ports[interface.port];
    const PortView view = interface.port < ports.size() ? ports[interface.port] : PortView{};
    control::InterfaceStatus status;
    status.name = interface.name;
    status.port = port.name;
    status.device = port.device;
    status.driver = view.driver;
    status.vlan = interface.vlan;
    status.zone = zone_text(snapshot, snapshot.interfaces[i].zone);
    if (snapshot.interfaces[i].zone == kNoZone) status.zone.clear();
    status.mac = view.mac.to_string();
    for (const net::Prefix& address : interface.addresses) {
      status.addresses.push_back(address.to_string());
    }
    status.enabled = port.enabled;
    status.link_up = view.link.up;
    status.speed_mbps = view.link.speed_mbps;
    status.mtu = interface.mtu;
    status.offloads = view.offloads;
    if (interface.vlan == 0 && !tunnel) {
      fill_port_counters(
          status, view.statistics,
          interface.port < base.ports.size() ? base.ports[interface.port] : PortStatistics{});
    } else {
      fill_vlan_counters(status, totals);
    }
    fill_twin_counters(status, twins, base);
    statuses.push_back(std::move(status));
  }
  return statuses;
}

control::RouteList route_list(const ForwardingPublisher& forwarding, const config::Model& model,
                              const Snapshot& snapshot, uint32_t limit) {
  control::RouteList list;
  for (const RouteEntry& entry : forwarding.routes()) {
    for (const RoutePath& path : entry.paths) {
      ++list.total;
      if (list.routes.size() == limit) continue;
      control::RouteRecord record;
      record.destination = entry.prefix;
      record.kind = std::string(name_of(path.route.kind));
      if (path.route.kind == RouteKind::Gateway) record.via = path.route.gateway.to_string();
      record.interface = interface_text(snapshot, path.route.interface);
      for (const config::StaticRoute& configured : model.routes) {
        if (configured.destination.network() == entry.prefix) record.configured = true;
      }
      list.routes.push_back(std::move(record));
    }
  }
  return list;
}

control::NeighbourList neighbour_list(ForwardingPublisher& forwarding, const Snapshot& snapshot,
                                      uint32_t limit) {
  control::NeighbourList list;
  for (const NeighbourRow& row : forwarding.neighbours().rows()) {
    if (row.state == NeighbourState::Vacant) continue;
    ++list.total;
    if (list.neighbours.size() == limit) continue;
    const bool resolved =
        row.state == NeighbourState::Reachable || row.state == NeighbourState::Stale;
    list.neighbours.push_back({row.address, interface_text(snapshot, row.interface),
                               resolved ? row.mac.to_string() : "",
                               neighbour_state_text(row.state)});
  }
  return list;
}

}  // namespace masugata::dataplane
