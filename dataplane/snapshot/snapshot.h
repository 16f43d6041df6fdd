// SPDX-License-Identifier: GPL-2.0-or-later
// The configuration as packets see it: immutable, published by one pointer, read by all workers.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/model.h"
#include "dataplane/identifiers.h"
#include "dataplane/nat/nat_tables.h"
#include "dataplane/policy/policy.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

inline constexpr uint16_t kNoZone = 0xffff;

struct SnapshotInterface {
  std::string name;
  uint16_t port = 0;
  uint16_t vlan = 0;  // 0 = untagged
  uint16_t zone = kNoZone;
  uint16_t mtu = 1500;         // bytes of the IP packet
  bool mtu_from_path = false;  // a tunnel's, which is what its cipher leaves of the way to the peer
  // Largest MSS that a SYN leaving here may announce; 0 = leave it alone.
  uint16_t mss_clamp_ipv4 = 0;
  uint16_t mss_clamp_ipv6 = 0;
  bool enabled = true;  // its port is enabled
  // Only the gateway itself sends here: what routes would send of others goes into this tunnel
  // (closed-network). kNoInterface: open.
  InterfaceIndex closed_by = kNoInterface;
  std::vector<net::Prefix> addresses;
  // The address that stands for the gateway towards `peer`: the one in whose network `peer` lies,
  // else the first of the family (IPv6: link-local addresses last); nullopt without any.
  [[nodiscard]] std::optional<net::IpAddress> address_towards(
      const net::IpAddress& peer) const noexcept;
};

// What the gateway itself and `peer` send each other is protected by a site in transport mode.
struct ProtectedPeer {
  net::IpAddress peer;
  InterfaceIndex site = kNoInterface;
};

struct SnapshotZone {
  std::string name;
  config::AntiSpoofing anti_spoofing = config::AntiSpoofing::Strict;
  uint32_t new_sessions_per_source_per_second = 0;  // 0 = no limit
  uint32_t syn_cookie_threshold = 0;                // 0 = never, 1 = always
};

// Milliseconds.
struct SnapshotTimeouts {
  uint32_t tcp_syn_ms = 0;
  uint32_t tcp_handshake_ms = 0;
  uint32_t tcp_established_ms = 0;
  uint32_t tcp_half_closed_ms = 0;
  uint32_t tcp_closing_ms = 0;
  uint32_t tcp_time_wait_ms = 0;
  uint32_t tcp_reset_ms = 0;
  uint32_t udp_new_ms = 0;
  uint32_t udp_replied_ms = 0;
  uint32_t icmp_ms = 0;
  uint32_t other_ms = 0;
};

struct SnapshotSessions {
  uint32_t maximum = 0;  // over all workers
  SnapshotTimeouts timeouts;
  bool tcp_strict = true;
  bool tcp_midstream = false;
  bool ftp_helper = true;
};

struct SnapshotFragments {
  uint32_t maximum_datagrams = 0;  // over all workers
  uint32_t maximum_per_source = 0;
  uint32_t maximum_fragments_per_datagram = 0;
  uint32_t timeout_ms = 0;
};

// (port, VLAN) -> interface in two loads.
class VlanTable {
 public:
  static constexpr uint16_t kNone = 0xffff;
  // Frames that the kernel sends by a tunnel's twin come as of this port, tagged by the number that
  // tunnel_tag() gives.
  static constexpr uint16_t kTunnelPort = 0xfffe;
  // `vlan` 0 = untagged; kNone when nothing is configured.
  [[nodiscard]] InterfaceIndex find(uint16_t port, uint16_t vlan) const noexcept {
    if (port >= rows_.size() || vlan >= kVlans) [[unlikely]] {
      return port == kTunnelPort && vlan > 0 && vlan <= tunnels_ ? tunnel_of(vlan) : kNone;
    }
    return rows_[port][vlan];
  }
  // False when the place is taken or does not exist.
  [[nodiscard]] bool insert(uint16_t port, uint16_t vlan, InterfaceIndex interface);
  void resize(size_t ports);
  // Interfaces below this many may be tunnels.
  void resize_tunnels(uint16_t interfaces) noexcept { tunnels_ = interfaces; }
  [[nodiscard]] static constexpr uint16_t tunnel_tag(InterfaceIndex interface) noexcept {
    return static_cast<uint16_t>(interface + 1);
  }

 private:
  static constexpr size_t kVlans = 4096;
  static constexpr InterfaceIndex tunnel_of(uint16_t tag) noexcept {
    return static_cast<InterfaceIndex>(tag - 1);
  }
  std::vector<std::array<uint16_t, kVlans>> rows_;
  uint16_t tunnels_ = 0;
};

struct Snapshot {
  uint32_t generation = 0;
  std::vector<SnapshotInterface> interfaces;  // as config::Model::interfaces
  std::vector<SnapshotZone> zones;            // [0] is `self`
  VlanTable vlans;
  // Shared with the snapshots before and after that differ only in what schedules allow. Workers
  // never copy these pointers, only read through them.
  std::shared_ptr<const PolicyTables> policy;
  std::shared_ptr<const NatTables> nat;
  PolicyMasks policy_masks;
  // When the control thread must publish with_schedules_at(); nullopt when never.
  std::optional<std::time_t> next_schedule_change;
  SnapshotSessions sessions;
  SnapshotFragments fragments;
  bool log_denied = false;
  bool closes_interfaces = false;              // some interface is closed_by a tunnel
  std::vector<ProtectedPeer> protected_peers;  // few; usually none
  // Sorted; empty when no rule asks for domains, so that nothing is learnt for nobody.
  std::vector<net::IpAddress> trusted_resolvers;

  // Packet path. Do answers of a server teach by which names addresses are known?
  [[nodiscard]] bool is_trusted_resolver(const net::IpAddress& server) const noexcept {
    return !trusted_resolvers.empty() &&
           std::binary_search(trusted_resolvers.begin(), trusted_resolvers.end(), server);
  }
  [[nodiscard]] size_t rule_count() const noexcept { return policy->rules().size(); }
  [[nodiscard]] size_t nat_rule_count() const noexcept { return nat->rules().size(); }
};

}  // namespace masugata::dataplane
