// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/configuration_builder.h"

#include <fmt/format.h>
#include <rte_config.h>

#include <algorithm>

#include "dataplane/kernel/kernel_interface.h"

namespace masugata::dataplane {
namespace {

EgressInterface egress_of(const SnapshotInterface& interface, const std::vector<PortFacts>& ports) {
  EgressInterface egress;
  egress.vlan = interface.vlan;
  egress.mtu = interface.mtu;
  egress.mss_ipv4 = interface.mss_clamp_ipv4;
  egress.mss_ipv6 = interface.mss_clamp_ipv6;
  egress.zone = interface.enabled ? interface.zone : kNoZone;
  egress.tunnel = interface.port == config::kNoPortIndex;
  if (egress.tunnel) {
    egress.mac = kTunnelTwinMac;
    egress.mtu = 0;
    egress.tunnel_mtu = interface.mtu;
    egress.tunnel_mtu_configured = !interface.mtu_from_path;
  }
  if (interface.port < ports.size() && interface.enabled) {
    egress.port = ports[interface.port].device;
    egress.mac = ports[interface.port].mac;
    egress.port_sums_tcp = ports[interface.port].sums_tcp;
  }
  return egress;
}

// The kernel knows nothing of a site in transport mode: to it, packets come by the interface below.
void stand_on(const config::VpnSite& site, std::vector<EgressInterface>& interfaces) {
  if (!site.local_interface || *site.local_interface >= interfaces.size()) return;
  if (site.interface >= interfaces.size()) return;
  const EgressInterface& below = interfaces[*site.local_interface];
  EgressInterface& own = interfaces[site.interface];
  own.transport = true;
  own.twin = below.twin;
  own.mac = below.mac;
}

// new index of each interface of `model`, so that it agrees with `running`.
std::vector<uint16_t> aligned_indexes(const config::Model& model, const config::Model& running) {
  std::vector<uint16_t> indexes(model.interfaces.size());
  auto next = static_cast<uint16_t>(running.interfaces.size());
  for (size_t i = 0; i < model.interfaces.size(); ++i) {
    const auto same = running.find_interface(model.interfaces[i].name);
    indexes[i] = same.has_value() ? *same : next++;
  }
  return indexes;
}

Status check_ports(const config::Model& model, const config::Model& running) {
  for (const config::Port& port : model.ports) {
    const auto same = std::find_if(running.ports.begin(), running.ports.end(),
                                   [&](const auto& known) { return known.name == port.name; });
    if (same == running.ports.end() || same->device != port.device) {
      return failure(fmt::format("line {}: interfaces interface {}", port.place.line, port.name),
                     same == running.ports.end()
                         ? "a new port needs a restart of masugatad"
                         : "another device for a running port needs a restart of masugatad");
    }
  }
  if (model.ports.size() != running.ports.size()) {
    return failure("interfaces",
                   "removing a port needs a restart of masugatad (disable it instead)");
  }
  return {};
}

}  // namespace

std::unique_ptr<RunningConfiguration> build_configuration(const config::Model& model,
                                                          std::shared_ptr<const Snapshot> snapshot,
                                                          const std::vector<PortFacts>& ports,
                                                          const std::vector<uint16_t>& twins,
                                                          uint16_t worker_count, uint32_t epoch) {
  auto configuration = std::make_unique<RunningConfiguration>();
  configuration->epoch = epoch;
  configuration->numbering_epoch = epoch;
  configuration->tracking = compile_tracking_settings(model.sessions);
  for (size_t i = 0; i < snapshot->interfaces.size(); ++i) {
    configuration->interfaces.push_back(egress_of(snapshot->interfaces[i], ports));
    if (i < twins.size()) configuration->interfaces.back().twin = twins[i];
  }
  for (const config::VpnSite& site : model.vpn.sites) {
    if (site.transport_mode) stand_on(site, configuration->interfaces);
  }
  configuration->counters = std::vector<ConfigurationCounters>(worker_count);
  for (ConfigurationCounters& counters : configuration->counters) {
    counters.interfaces = std::vector<InterfaceCounters>(snapshot->interfaces.size());
    counters.policy_rules = std::vector<RuleCounters>(snapshot->rule_count());
    counters.nat_rules = std::vector<RuleCounters>(snapshot->nat_rule_count());
  }
  configuration->snapshot = std::move(snapshot);
  return configuration;
}

Status align_interfaces(config::Model& model, const config::Model& running) {
  if (Status ports = check_ports(model, running); !ports) return ports;
  // Ports by name, in the order that runs.
  std::vector<config::Port> ordered_ports;
  std::vector<uint16_t> port_indexes(model.ports.size());
  for (const config::Port& port : running.ports) {
    const auto found = std::find_if(model.ports.begin(), model.ports.end(),
                                    [&](const auto& other) { return other.name == port.name; });
    port_indexes[static_cast<size_t>(found - model.ports.begin())] =
        static_cast<uint16_t>(ordered_ports.size());
    ordered_ports.push_back(*found);
  }
  const std::vector<uint16_t> indexes = aligned_indexes(model, running);
  size_t count = running.interfaces.size();
  for (const uint16_t index : indexes) count = std::max<size_t>(count, index + 1U);
  // What is gone keeps its place until the next restart, without addresses and in no zone.
  std::vector<config::Interface> aligned = running.interfaces;
  for (config::Interface& gone : aligned) gone.addresses.clear();
  aligned.resize(count);
  for (size_t i = 0; i < indexes.size(); ++i) {
    aligned[indexes[i]] = model.interfaces[i];
    uint16_t& port = aligned[indexes[i]].port;
    if (port != config::kNoPortIndex) port = port_indexes[port];
  }
  for (config::VpnSite& site : model.vpn.sites) {
    site.interface = indexes[site.interface];
    if (site.local_interface.has_value()) site.local_interface = indexes[*site.local_interface];
  }
  model.interfaces = std::move(aligned);
  model.ports = std::move(ordered_ports);
  for (config::Zone& zone : model.zones) {
    for (uint16_t& interface : zone.interfaces) interface = indexes[interface];
  }
  for (config::StaticRoute& route : model.routes) {
    if (route.interface.has_value()) route.interface = indexes[*route.interface];
  }
  return {};
}

}  // namespace masugata::dataplane
