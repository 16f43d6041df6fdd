// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/snapshot/compile.h"

#include <algorithm>

#include <limits>
#include <string>

#include "dataplane/nat/nat_compile.h"
#include "dataplane/policy/policy_compile.h"

namespace masugata::dataplane {

namespace {

constexpr uint16_t kIpv4TcpHeaderBytes = 40;
constexpr uint16_t kIpv6TcpHeaderBytes = 60;

uint16_t mss_for(uint16_t configured, uint16_t mtu, uint16_t header_bytes) {
  if (configured != 0) return configured;
  return mtu > header_bytes ? static_cast<uint16_t>(mtu - header_bytes) : uint16_t{0};
}

// Timeouts are compared as signed differences of a 32-bit millisecond clock.
uint32_t to_ms(uint32_t seconds) {
  constexpr uint32_t kLongest = std::numeric_limits<int32_t>::max() / 2;
  return seconds > kLongest / 1000 ? kLongest : seconds * 1000;
}

// Tunnels' twins tell their frames apart by a tag of 12 bits.
constexpr size_t kMostTaggedInterfaces = 4094;

bool mtu_is_from_path(const config::Model& model, const config::Interface& tunnel) {
  return std::none_of(model.vpn.sites.begin(), model.vpn.sites.end(), [&](const auto& site) {
    return site.interface < model.interfaces.size() &&
           &model.interfaces[site.interface] == &tunnel && site.mtu != 0;
  });
}

SnapshotInterface make_interface(const config::Model& model, const config::Interface& source) {
  SnapshotInterface result;
  result.name = source.name;
  result.port = source.port;
  result.vlan = source.vlan;
  result.mtu = source.mtu;
  if (source.kind == config::InterfaceKind::Tunnel) {
    result.mtu_from_path = mtu_is_from_path(model, source);
    result.mss_clamp_ipv4 = source.tcp_mss_ipv4;
    result.mss_clamp_ipv6 = source.tcp_mss_ipv6;
  } else if (source.clamp_mss) {
    result.mss_clamp_ipv4 = mss_for(source.tcp_mss_ipv4, source.mtu, kIpv4TcpHeaderBytes);
    result.mss_clamp_ipv6 = mss_for(source.tcp_mss_ipv6, source.mtu, kIpv6TcpHeaderBytes);
  }
  result.enabled = source.kind == config::InterfaceKind::Tunnel || model.ports[source.port].enabled;
  result.addresses = source.addresses;
  return result;
}

bool is_of_site(const config::VpnSite& site, const net::IpAddress& address) {
  return site.local_networks.empty() ||
         std::any_of(site.local_networks.begin(), site.local_networks.end(),
                     [&](const net::AddressRange& range) { return range.contains(address); });
}

// A tunnel without an address answers senders behind it with one of the networks that it is for.
void lend_addresses(const config::Model& model, const config::VpnSite& site, Snapshot& snapshot) {
  if (site.interface >= snapshot.interfaces.size()) return;
  std::vector<net::Prefix>& own = snapshot.interfaces[site.interface].addresses;
  if (site.transport_mode) {
    // The SA is for no other.
    own.clear();
    if (!site.local_address) return;
    const uint8_t whole = site.local_address->is_v4() ? 32 : 128;
    own.push_back({*site.local_address, whole});
    return;
  }
  const std::vector<net::Prefix> configured = own;
  for (size_t i = 0; i < model.interfaces.size(); ++i) {
    const config::Interface& other = model.interfaces[i];
    if (other.kind == config::InterfaceKind::Tunnel || site.local_interface == i) continue;
    for (const net::Prefix& address : other.addresses) {
      const bool lacks_family =
          std::none_of(configured.begin(), configured.end(),
                       [&](const net::Prefix& one) { return one.family() == address.family(); });
      if (lacks_family && is_of_site(site, address.address)) own.push_back(address);
    }
  }
}

Status add_interfaces(const config::Model& model, Snapshot& snapshot) {
  snapshot.vlans.resize(model.ports.size());
  snapshot.vlans.resize_tunnels(
      static_cast<uint16_t>(std::min<size_t>(model.interfaces.size(), kMostTaggedInterfaces)));
  for (const config::Interface& source : model.interfaces) {
    const std::string where =
        "line " + std::to_string(source.place.line) + ", interface " + source.name;
    const bool tunnel = source.kind == config::InterfaceKind::Tunnel;
    if (!tunnel && source.port >= model.ports.size())
      return failure(where, "is on an unknown port");
    const auto index = static_cast<InterfaceIndex>(snapshot.interfaces.size());
    if (index == VlanTable::kNone) return failure(where, "more than 65535 interfaces");
    if (tunnel && index >= kMostTaggedInterfaces) {
      return failure(where, "more than 4094 interfaces before a tunnel");
    }
    if (!tunnel && !snapshot.vlans.insert(source.port, source.vlan, index)) {
      return failure(where, "VLAN " + std::to_string(source.vlan) + " of this port is taken");
    }
    snapshot.interfaces.push_back(make_interface(model, source));
  }
  for (const config::VpnSite& site : model.vpn.sites) lend_addresses(model, site, snapshot);
  return {};
}

Status add_zones(const config::Model& model, Snapshot& snapshot) {
  if (model.zones.empty()) return failure("zones", "the zone self is missing");
  for (uint16_t zone = 0; zone < model.zones.size(); ++zone) {
    const config::Zone& source = model.zones[zone];
    snapshot.zones.push_back({source.name, source.anti_spoofing,
                              source.new_sessions_per_source_per_second,
                              source.syn_cookie_threshold});
    for (const uint16_t interface : source.interfaces) {
      const std::string where =
          "line " + std::to_string(source.place.line) + ", zone " + source.name;
      if (interface >= snapshot.interfaces.size())
        return failure(where, "names an unknown interface");
      uint16_t& owner = snapshot.interfaces[interface].zone;
      if (owner != kNoZone) {
        return failure(where, "interface " + snapshot.interfaces[interface].name +
                                  " is already in zone " + snapshot.zones[owner].name);
      }
      owner = zone;
    }
  }
  return {};
}

// The whole zone of the interface that the tunnel runs over is the way out that is closed.
void close_interfaces(const config::Model& model, Snapshot& snapshot) {
  for (const config::VpnSite& site : model.vpn.sites) {
    if (!site.closed_network || !site.local_interface) continue;
    if (*site.local_interface >= snapshot.interfaces.size()) continue;
    const uint16_t outside = snapshot.interfaces[*site.local_interface].zone;
    for (size_t i = 0; i < snapshot.interfaces.size(); ++i) {
      SnapshotInterface& interface = snapshot.interfaces[i];
      const bool below = i == *site.local_interface;
      const bool beside = outside != kNoZone && interface.zone == outside;
      if (interface.port == config::kNoPortIndex || (!below && !beside)) continue;
      // A tunnel that is disabled keeps the network closed, unless another one is there for it.
      if (interface.closed_by == kNoInterface || site.enabled) interface.closed_by = site.interface;
      snapshot.closes_interfaces = true;
    }
  }
}

// Also of sites that are disabled: nothing is in clear then, either.
void add_protected_peers(const config::Model& model, Snapshot& snapshot) {
  for (const config::VpnSite& site : model.vpn.sites) {
    if (!site.transport_mode || !site.peer_address) continue;
    snapshot.protected_peers.push_back({*site.peer_address, site.interface});
  }
}

SnapshotSessions make_sessions(const config::SessionSettings& source) {
  SnapshotSessions result;
  result.maximum = source.maximum;
  result.tcp_strict = source.tcp_strict;
  result.tcp_midstream = source.tcp_midstream;
  result.ftp_helper = source.ftp_helper;
  SnapshotTimeouts& to = result.timeouts;
  const config::SessionTimeouts& from = source.timeouts;
  to.tcp_syn_ms = to_ms(from.tcp_syn);
  to.tcp_handshake_ms = to_ms(from.tcp_handshake);
  to.tcp_established_ms = to_ms(from.tcp_established);
  to.tcp_half_closed_ms = to_ms(from.tcp_half_closed);
  to.tcp_closing_ms = to_ms(from.tcp_closing);
  to.tcp_time_wait_ms = to_ms(from.tcp_time_wait);
  to.tcp_reset_ms = to_ms(from.tcp_reset);
  to.udp_new_ms = to_ms(from.udp_new);
  to.udp_replied_ms = to_ms(from.udp_replied);
  to.icmp_ms = to_ms(from.icmp);
  to.other_ms = to_ms(from.other);
  return result;
}

SnapshotFragments make_fragments(const config::FragmentSettings& source) {
  return {source.maximum_datagrams, source.maximum_per_source,
          source.maximum_fragments_per_datagram, to_ms(source.timeout_seconds)};
}

void set_schedules(Snapshot& snapshot, std::time_t now) {
  snapshot.policy_masks = snapshot.policy->masks_at(now);
  snapshot.next_schedule_change = snapshot.policy->next_change(now);
}

}  // namespace

Result<std::unique_ptr<const Snapshot>> compile_snapshot(const config::Model& model,
                                                         uint32_t generation, std::time_t now,
                                                         const Snapshot* before) {
  auto snapshot = std::make_unique<Snapshot>();
  snapshot->generation = generation;
  Status status = add_interfaces(model, *snapshot);
  if (status) status = add_zones(model, *snapshot);
  if (status) close_interfaces(model, *snapshot);
  if (status) add_protected_peers(model, *snapshot);
  if (!status) return tl::unexpected(status.error());
  auto policy = before == nullptr ? compile_policy(model)
                                  : compile_policy(model, before->policy->inspection_profiles());
  if (!policy) return tl::unexpected(policy.error());
  auto nat = compile_nat(model);
  if (!nat) return tl::unexpected(nat.error());
  snapshot->policy = std::make_shared<const PolicyTables>(std::move(*policy));
  snapshot->nat = std::make_shared<const NatTables>(std::move(*nat));
  snapshot->sessions = make_sessions(model.sessions);
  snapshot->fragments = make_fragments(model.fragments);
  snapshot->log_denied = model.system.log_denied;
  if (snapshot->policy->asks_domains()) snapshot->trusted_resolvers = model.trusted_resolvers;
  set_schedules(*snapshot, now);
  return std::unique_ptr<const Snapshot>(std::move(snapshot));
}

std::unique_ptr<const Snapshot> with_schedules_at(const Snapshot& snapshot, uint32_t generation,
                                                  std::time_t now) {
  auto result = std::make_unique<Snapshot>(snapshot);
  result->generation = generation;
  set_schedules(*result, now);
  return result;
}

}  // namespace masugata::dataplane
