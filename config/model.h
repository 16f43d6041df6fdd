// SPDX-License-Identifier: GPL-2.0-or-later
// What a valid configuration says, typed and resolved: the only form that compile steps read.
// A Model is built by config::load_*() after every check has passed and never changes afterwards.
// Names of sets, services, schedules and zones are resolved here; ids are indexes into the vectors.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/antivirus_settings.h"
#include "config/applications.h"
#include "config/vpn_settings.h"
#include "net/address.h"
#include "net/domain_set.h"
#include "net/flow_key.h"

namespace masugata::config {

// Where a statement stands in the text, for messages of later steps and for `show policy`.
struct Place {
  uint32_t line = 0;    // 1-based; 0 when the statement is a default
  uint32_t column = 0;  // 1-based, in bytes
};

struct PortRange {
  uint16_t first = 0;  // host order, inclusive, first <= last
  uint16_t last = 65535;
  friend bool operator==(const PortRange&, const PortRange&) = default;
};

// One alternative of what a service is. ICMP fields count only for Icmp and Icmpv6.
struct ServiceMatch {
  net::Protocol protocol = net::Protocol::Tcp;
  PortRange source_port;
  PortRange destination_port;
  std::optional<uint8_t> icmp_type;
  std::optional<uint8_t> icmp_code;
};

// When a rule is alive. Local time of the box. An empty `weekdays` means every day.
struct Schedule {
  std::string name;
  uint8_t weekdays = 0x7f;       // bit 0 = Sunday .. bit 6 = Saturday
  uint16_t from_minute = 0;      // minutes since midnight, inclusive
  uint16_t to_minute = 24 * 60;  // exclusive; from > to runs past midnight into the next day
};

enum class Action : uint8_t { Permit, Deny, Reject };

struct InspectionProfile {
  std::string ips;  // profile name, empty for none
  std::string av;
};

struct PolicyRule {
  std::string name;
  Place place;
  std::vector<net::AddressRange> source;       // resolved sets; empty = any
  std::vector<net::AddressRange> destination;  // empty = any
  std::vector<net::MacAddress> source_mac;     // empty = any
  std::vector<ServiceMatch> services;          // empty = any protocol
  std::optional<Schedule> schedule;
  std::optional<std::chrono::sys_seconds> until;  // not alive from this moment on
  Action action = Action::Deny;
  bool log = false;
  uint32_t session_limit_per_source = 0;  // 0 = no limit
  InspectionProfile inspect;
  std::string description;
  // What a session turns out to carry. Applications and categories are alternatives; domains must
  // match besides. Empty = any.
  std::vector<ApplicationId> applications;
  std::vector<ApplicationCategory> categories;
  std::vector<net::DomainPattern> domains;  // named in the rule itself
  std::vector<uint16_t> domain_sets;        // indexes into Model::domain_sets
  [[nodiscard]] bool depends_on_application() const {
    return !applications.empty() || !categories.empty() || !domains.empty() || !domain_sets.empty();
  }
};

// `from A to B { ... }` in the order written. kAnyZone stands for `any`.
using ZoneIndex = uint16_t;
inline constexpr ZoneIndex kSelfZone = 0;  // zones[0] is always `self`
inline constexpr ZoneIndex kAnyZone = 0xffff;

struct PolicySection {
  ZoneIndex from = kAnyZone;
  ZoneIndex to = kAnyZone;
  Place place;
  std::vector<PolicyRule> rules;
};

enum class AntiSpoofing : uint8_t { Strict, Loose, Off };

struct Zone {
  std::string name;
  Place place;
  std::vector<uint16_t> interfaces;  // indexes into Model::interfaces
  AntiSpoofing anti_spoofing = AntiSpoofing::Strict;
  uint32_t new_sessions_per_source_per_second = 0;  // 0 = no limit
  // Half-open TCP sessions opened from this zone above which SYNs are answered by SYN cookies;
  // 0 = never, 1 = always.
  uint32_t syn_cookie_threshold = 0;
};

// What stands for the port of an interface that has none.
inline constexpr uint16_t kNoPortIndex = 0xffff;

enum class InterfaceKind : uint8_t {
  Port,    // a port, or a VLAN on one
  Tunnel,  // of a VpnSite; `port` is kNoPortIndex
};

// A logical interface: a port, an 802.1Q VLAN on one ("lan0" or "lan0.10"), or the tunnel to a
// site.
struct Interface {
  std::string name;
  InterfaceKind kind = InterfaceKind::Port;
  Place place;
  uint16_t port = 0;    // index into Model::ports
  uint16_t vlan = 0;    // 0 = untagged
  uint16_t mtu = 1500;  // bytes of the IP packet
  std::vector<net::Prefix> addresses;
  uint16_t tcp_mss_ipv4 = 0;  // clamp for SYNs that leave here; 0 = from the MTU (mtu-40, mtu-60)
  uint16_t tcp_mss_ipv6 = 0;
  bool clamp_mss = true;
  std::string description;
};

// A DPDK port. `device` is a PCI address or a vdev name with its arguments, as DPDK takes it.
struct Port {
  std::string name;
  std::string device;
  Place place;
  uint16_t mtu = 1500;
  bool enabled = true;
};

struct StaticRoute {
  net::Prefix destination;
  std::optional<net::IpAddress> via;
  std::optional<uint16_t> interface;  // index into Model::interfaces
  bool blackhole = false;
  Place place;
};

struct NatPool {
  std::string name;
  Place place;
  std::vector<net::AddressRange> addresses;  // IPv4
  PortRange ports{1024, 65535};
};

enum class SourceTranslation : uint8_t { None, Interface, Pool };  // None = exception, stop here

struct SourceNatRule {
  std::string name;
  Place place;
  ZoneIndex from = kAnyZone;
  ZoneIndex to = kAnyZone;
  std::vector<net::AddressRange> source;
  std::vector<net::AddressRange> destination;
  std::vector<ServiceMatch> services;
  SourceTranslation translation = SourceTranslation::None;
  uint16_t pool = 0;  // index into Model::nat_pools for Pool
};

// Matches on the packet as it comes in, before any translation.
struct DestinationNatRule {
  std::string name;
  Place place;
  ZoneIndex from = kAnyZone;
  std::vector<net::AddressRange> source;
  std::vector<net::AddressRange> destination;  // never empty
  std::vector<ServiceMatch> services;          // empty = every protocol and port (1:1)
  bool translate = true;                       // false = exception, stop here
  // The range that replaces `destination`: one address, or as many as `destination` holds
  // (the n-th maps to the n-th).
  net::AddressRange to_address;
  std::optional<PortRange> to_ports;  // one port, or as many as the matched range (n-th to n-th)
  // Sessions that would come back to the zone of the client (hairpin) get their source translated
  // to the egress interface's address.
  bool hairpin = true;
};

// 1:1, both ways: `internal` <-> `external`, address by address.
struct StaticNatRule {
  std::string name;
  Place place;
  ZoneIndex external_zone = kAnyZone;
  net::AddressRange internal;
  net::AddressRange external;
};

// Seconds. Defaults: RFC 5382 REQ-5, RFC 4787 REQ-5, RFC 5508 REQ-2.
struct SessionTimeouts {
  uint32_t tcp_syn = 30;            // SYN seen, no answer
  uint32_t tcp_handshake = 30;      // SYN-ACK seen
  uint32_t tcp_established = 7440;  // 2 h 4 min
  uint32_t tcp_half_closed = 240;
  uint32_t tcp_closing = 60;
  uint32_t tcp_time_wait = 30;
  uint32_t tcp_reset = 10;
  uint32_t udp_new = 30;
  uint32_t udp_replied = 300;
  uint32_t icmp = 60;
  uint32_t other = 600;
};

struct SessionSettings {
  uint32_t maximum = 262144;  // over all workers
  SessionTimeouts timeouts;
  bool tcp_strict = true;      // out-of-window segments are dropped, not only counted
  bool tcp_midstream = false;  // pick up TCP sessions whose SYN was not seen
  bool ftp_helper = true;
};

struct FragmentSettings {
  uint32_t maximum_datagrams = 4096;  // being reassembled at once, over all workers
  uint32_t maximum_per_source = 64;
  uint32_t timeout_seconds = 30;
  uint32_t maximum_fragments_per_datagram = 64;
  friend bool operator==(const FragmentSettings&, const FragmentSettings&) = default;
};

// What happens to traffic that cannot be inspected.
enum class InspectionFailure : uint8_t { Pass, Drop };

struct SidRange {
  uint32_t first = 0;
  uint32_t last = 0;  // inclusive
};

enum class IpsAction : uint8_t { Alert, Drop, Reject, Pass, Disable };

struct IpsOverride {
  Place place;
  SidRange sids;          // meant when `classtype` is empty
  std::string classtype;  // short name
  IpsAction action = IpsAction::Alert;
};

// Traffic for which some rules do not count.
struct IpsException {
  std::string name;
  Place place;
  std::vector<SidRange> sids;                  // empty = every rule
  std::vector<net::AddressRange> source;       // empty = any
  std::vector<net::AddressRange> destination;  // empty = any
  std::optional<std::chrono::sys_seconds> until;
};

// Which rules a profile takes: those that fit everything that is said here.
struct IpsSelection {
  std::vector<std::string> classtypes;
  std::optional<uint8_t> priority;    // at most this number
  std::vector<std::string> metadata;  // "key" or "key value"
  std::vector<SidRange> sids;
};

struct IpsProfile {
  std::string name;
  Place place;
  bool prevent = true;
  IpsSelection selection;
  std::vector<IpsOverride> overrides;  // the last that fits decides
  std::vector<IpsException> exceptions;
  InspectionFailure without_rules = InspectionFailure::Drop;
  InspectionFailure memory_full = InspectionFailure::Drop;
  InspectionFailure overload = InspectionFailure::Drop;
  InspectionFailure midstream = InspectionFailure::Drop;
};

struct IpsVariable {
  std::string name;   // without $
  std::string value;  // as rules write it; checked when the rules are read
};

struct IpsLog {
  std::string file = "/var/log/masugata/eve.json";
  uint32_t maximum_megabytes = 256;
  std::vector<std::string> events;  // EVE's names; empty = the usual ones
  bool payload = false;
  bool packet = false;
};

struct IpsSettings {
  std::vector<std::string> rule_files;  // absolute; the last part may hold * and ?
  std::string threshold_file;           // empty = none
  std::string classification_file;      // empty = built in
  std::string data_folder;
  std::string geoip_database;         // empty = rules about countries do not match
  std::string reputation_categories;  // empty = rules about reputations do not match
  std::vector<std::string> reputation_files;
  std::string cache_folder = "/var/cache/masugata/ips";
  std::vector<IpsVariable> address_variables;
  std::vector<IpsVariable> port_variables;
  std::vector<IpsProfile> profiles;
  IpsLog log;
};

struct SystemSettings {
  std::string host_name = "masugata";
  std::string hw_profile = "generic";  // a file in hw-profiles/, without its ending
  bool log_denied = false;             // log what the default deny drops
};

struct DomainSet {
  std::string name;
  Place place;
  std::vector<net::DomainPattern> domains;
  std::string file;  // absolute; read when the configuration is compiled; empty = none
};

struct Model {
  SystemSettings system;
  std::vector<Port> ports;
  std::vector<Interface> interfaces;
  std::vector<StaticRoute> routes;
  std::vector<Zone> zones;  // [0] is `self`
  std::vector<Schedule> schedules;
  std::vector<DomainSet> domain_sets;
  std::vector<net::IpAddress> trusted_resolvers;  // sorted, each once
  std::vector<PolicySection> policy;
  std::vector<NatPool> nat_pools;
  std::vector<SourceNatRule> source_nat;
  std::vector<DestinationNatRule> destination_nat;
  std::vector<StaticNatRule> static_nat;
  SessionSettings sessions;
  FragmentSettings fragments;
  IpsSettings ips;
  AntivirusSettings antivirus;
  VpnSettings vpn;

  [[nodiscard]] std::optional<ZoneIndex> find_zone(const std::string& name) const;
  [[nodiscard]] std::optional<uint16_t> find_interface(const std::string& name) const;
};

}  // namespace masugata::config
