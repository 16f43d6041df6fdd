// SPDX-License-Identifier: GPL-2.0-or-later
// The running gateway in plain records of text and numbers: what `show`, `explain` and
// `monitor` answer. No record refers to dataplane memory. Counters count since the start or the
// last `clear counters`. Empty text means "not applicable".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/address.h"
#include "net/flow_key.h"

namespace masugata::dataplane::control {

// --- system ---

struct StageStatus {
  std::string name;  // as the stage calls itself: "decode", "track"...
  uint64_t calls = 0;
  uint64_t packets = 0;
  uint64_t cycles = 0;
};

struct WorkerStatus {
  uint32_t index = 0;
  uint32_t core = 0;
  double busy_percent = 0;  // share of cycles spent on packets in the last second, 0..100
  uint64_t packets = 0;
  std::vector<StageStatus> stages;  // in stage order
};

// One bounded table or pool, over all workers.
struct MemoryStatus {
  std::string name;  // "sessions", "packet buffers", "fragments"...
  uint64_t in_use = 0;
  uint64_t bound = 0;
  uint64_t bytes = 0;  // reserved, used or not; 0 = not known
};

enum class ReloadOutcome : uint8_t { Never, Applied, Refused };

struct SystemStatus {
  std::string version;
  std::string host_name;
  uint64_t uptime_seconds = 0;
  std::string configuration_file;
  uint64_t snapshot_generation = 0;
  ReloadOutcome last_reload = ReloadOutcome::Never;
  uint64_t last_reload_seconds_ago = 0;  // meaningless when Never
  std::string last_reload_message;       // one line
  std::string hw_profile;
  std::string idle_policy;  // "busy", "yield", "sleep 50 us"
  bool hugepages = false;
  std::vector<WorkerStatus> workers;
  std::vector<MemoryStatus> memory;
};

// --- interfaces and zones ---

struct PacketCounters {
  uint64_t packets = 0;
  uint64_t bytes = 0;
  uint64_t errors = 0;
  uint64_t missed = 0;  // received: no descriptor free; sent: the queue was full
};

struct InterfaceStatus {
  std::string name;
  std::string port;
  std::string device;  // PCI address or vdev name, as configured
  std::string driver;
  uint16_t vlan = 0;  // 0 = untagged
  std::string zone;   // empty: in no zone
  std::string mac;
  std::vector<std::string> addresses;  // "192.0.2.1/24"
  bool enabled = true;
  bool link_up = false;
  uint32_t speed_mbps = 0;  // 0 = unknown
  uint16_t mtu = 0;         // bytes of the IP packet
  PacketCounters received;  // of the port for untagged interfaces, of the VLAN otherwise
  PacketCounters sent;
  std::vector<std::string> offloads;  // in use: "ipv4-checksum-rx"...
  std::string tap;                    // name of the kernel twin
  PacketCounters to_kernel;
  PacketCounters from_kernel;
};

struct ZoneStatus {
  std::string name;
  std::vector<std::string> interfaces;
  std::string anti_spoofing;   // "strict", "loose", "off"
  uint64_t sessions_from = 0;  // live sessions opened from this zone
  uint64_t sessions_to = 0;
  uint64_t half_open_tcp = 0;
  uint32_t new_sessions_per_source_per_second = 0;  // 0 = no limit
  uint32_t syn_cookie_threshold = 0;                // 0 = never
  bool syn_cookies_active = false;
};

// --- sessions ---

// All given fields must match. Addresses match the original direction before or after
// translation; so do ports.
struct SessionFilter {
  std::optional<net::AddressRange> source;
  std::optional<net::AddressRange> destination;
  std::optional<uint16_t> source_port;  // host order
  std::optional<uint16_t> destination_port;
  std::optional<net::Protocol> protocol;
  std::string zone;         // either side
  std::string interface;    // either side
  std::string rule;         // "web" (in any section) or "lan > wan: web"
  std::string state;        // as SessionRecord::state; "new" and "replied" of any protocol
  std::string application;  // "youtube"; also what carries it: "tls"
  uint32_t limit = 50;      // 1..kMaximumListed
};

struct Endpoint {
  net::IpAddress address;
  uint16_t port = 0;  // host order; ICMP echo: the identifier; 0 where there is none
};

struct SessionRecord {
  uint32_t worker = 0;
  net::Protocol protocol = net::Protocol::Tcp;
  Endpoint source;  // as the first packet came in
  Endpoint destination;
  Endpoint translated_source;  // as it leaves; equal to the above without translation
  Endpoint translated_destination;
  std::string from_zone;
  std::string to_zone;
  std::string ingress_interface;
  std::string egress_interface;
  std::string rule;         // "lan > wan: web"; empty: no packet since a reload, so not asked again
  std::string state;        // "established", "syn-sent", "replied"...
  std::string application;  // "youtube", "unknown"; empty: not looked for, or not known yet
  std::string carrier;      // of the application: "tls"; empty when nothing carries it
  uint64_t age_seconds = 0;
  uint64_t expires_seconds = 0;  // when nothing more comes
  uint64_t packets_original = 0;
  uint64_t bytes_original = 0;
  uint64_t packets_reply = 0;
  uint64_t bytes_reply = 0;
};

struct SessionList {
  std::vector<SessionRecord> sessions;
  uint64_t matched = 0;  // how many match the filter; >= sessions.size()
  uint64_t in_table = 0;
  uint64_t bound = 0;
};

// --- policy and NAT ---

enum class RuleLife : uint8_t { Live, OutsideSchedule, Expired };

struct RuleStatus {
  std::string name;
  uint32_t line = 0;   // in the configuration file
  std::string source;  // as written or "any"
  std::string destination;
  std::string service;  // "tcp/80,443", "any"
  // What it asks of the contents: "bittorrent category games", "forbidden *.example.org"; empty:
  // nothing.
  std::string application;
  std::string domain;
  std::string action;  // "permit", "deny", "reject"
  bool log = false;
  std::string schedule;  // name
  std::string until;     // "2026-12-01 18:00"
  RuleLife life = RuleLife::Live;
  uint32_t session_limit_per_source = 0;  // 0 = none
  std::string ips;
  std::string av;
  uint64_t hits = 0;      // new sessions that it decided
  uint64_t sessions = 0;  // live
  std::optional<uint64_t> last_hit_seconds_ago;
  std::string description;
};

struct PolicySectionStatus {
  std::string from;  // zone or "any"
  std::string to;
  std::vector<RuleStatus> rules;  // as written
};

struct PolicyStatus {
  std::vector<PolicySectionStatus> sections;
  uint64_t default_denied = 0;
};

enum class NatKind : uint8_t { Source, Destination, Static };

struct NatRuleStatus {
  NatKind kind = NatKind::Source;
  std::string name;
  uint32_t line = 0;
  std::string from;  // zone or "any"; for Static the external zone
  std::string to;
  std::string match;      // "10.0.1.0/24 > any", "any > 203.0.113.2 tcp/443"
  std::string translate;  // "interface", "pool office", "10.0.2.80:8443", "none"
  uint64_t hits = 0;
};

// One pool, or the addresses of an interface that are used like one. A port serves one session per
// destination, so there may be more sessions than ports.
struct NatPoolStatus {
  std::string name;       // pool name or "interface wan0"
  std::string addresses;  // "203.0.113.8-203.0.113.15"
  uint64_t sessions = 0;  // live ones whose source is translated to these addresses
  uint64_t ports = 0;     // sessions that can be open to one destination address and port
};

struct NatStatus {
  std::vector<NatRuleStatus> rules;  // in the order in which they are tried
  std::vector<NatPoolStatus> pools;
  uint64_t exhausted = 0;  // new sessions that found no port
};

// --- routes and neighbours ---

inline constexpr uint32_t kMaximumListed = 10000;

// One way; a route with several equal ones has a record for each.
struct RouteRecord {
  net::Prefix destination;
  std::string kind;  // "gateway", "connected", "local", "broadcast", "blackhole", "unreachable"...
  std::string via;   // address; empty when directly connected
  std::string interface;
  bool configured = false;  // static, of the configuration; else from the kernel
};

struct RouteList {
  std::vector<RouteRecord> routes;
  uint64_t total = 0;  // records
};

struct NeighbourRecord {
  net::IpAddress address;
  std::string interface;
  std::string mac;    // empty while unresolved
  std::string state;  // "reachable" (also permanent ones), "stale", "resolving", "failed"
};

struct NeighbourList {
  std::vector<NeighbourRecord> neighbours;
  uint64_t total = 0;
};

// --- drops ---

struct DropRecord {
  std::string reason;  // drop_reason_name()
  std::string explanation;
  uint64_t total = 0;
  double per_second = 0;                                       // over `interval_seconds`
  std::vector<uint64_t> by_worker;                             // empty: not known
  std::vector<std::pair<std::string, uint64_t>> by_interface;  // empty: not known
};

struct DropStatus {
  std::vector<DropRecord> drops;
  double interval_seconds = 0;
  uint64_t received_packets = 0;  // to set the drops in relation
};

// --- trace ---

using TraceId = uint32_t;

struct TraceRequest {
  // On packets: `rule` and `state` stay empty, `limit` is not read; `zone` and `interface` are
  // those that the packet comes in by.
  SessionFilter filter;
  bool both_directions = true;
  uint32_t packet_limit = 100;  // 1..kMaximumListed
};

struct TraceLine {
  uint64_t packet = 0;  // counts matching packets from 1; one packet has a line per stage
  uint32_t worker = 0;
  uint64_t time_us = 0;  // since the trace began
  std::string stage;
  std::string flow;          // "tcp 10.0.1.10:40000 > 198.51.100.2:80", on the first line at least
  std::string decision;      // "session 17 established", "drop policy-denied"...
  uint64_t lost_before = 0;  // lines that did not fit since the last one
};

// --- explain ---

struct ExplainRequest {
  net::Protocol protocol = net::Protocol::Tcp;
  Endpoint source;
  Endpoint destination;
  std::string from_zone;  // at most one of the two; both empty: by the route to the source
  std::string interface;
  // What the connection turns out to carry; both empty: what is decided before that is known.
  std::string application;  // "youtube"
  std::string domain;       // host name
};

struct ExplanationStep {
  std::string stage;     // "ingress", "anti-spoofing", "destination nat", "route", "policy"...
  std::string decision;  // "rule web (line 12) permits"
  bool passed = true;
};

struct Explanation {
  bool permitted = false;
  std::string verdict;      // "permit", "deny", "reject", "drop"
  std::string drop_reason;  // name, when not permitted
  std::string drop_explanation;
  std::string ingress_interface;
  std::string egress_interface;
  std::string from_zone;
  std::string to_zone;
  std::string route;       // "0.0.0.0/0 via 203.0.113.1 on wan0"
  std::string rule;        // "lan > wan: web", "default deny"
  std::string source_nat;  // rule name
  std::string destination_nat;
  Endpoint translated_source;
  Endpoint translated_destination;
  std::string ips;
  std::string av;
  std::vector<ExplanationStep> steps;  // in the order in which packets meet them
};

// --- reload ---

struct ReloadProblem {
  bool error = true;  // false: a warning
  std::string file;
  uint32_t line = 0;  // 1-based; 0 = unknown
  uint32_t column = 0;
  std::string path;  // "policy from lan to wan rule web"
  std::string what;
  std::string accepted;  // what would be right; may be empty
};

struct ReloadReport {
  bool applied = false;
  std::string file;
  uint64_t generation = 0;  // the one that runs now
  uint32_t duration_ms = 0;
  std::vector<ReloadProblem> problems;  // not empty when not applied
};

}  // namespace masugata::dataplane::control
