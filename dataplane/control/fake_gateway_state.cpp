// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/fake_gateway_state.h"

#include <algorithm>

namespace masugata::dataplane::control {
namespace {

net::IpAddress address(const char* text) { return net::IpAddress::parse(text).value(); }

SystemStatus example_system() {
  SystemStatus system;
  system.version = "0.1.0";
  system.host_name = "gate";
  system.uptime_seconds = 93784;
  system.configuration_file = "/etc/masugata/gateway.conf";
  system.snapshot_generation = 3;
  system.last_reload = ReloadOutcome::Applied;
  system.last_reload_seconds_ago = 3600;
  system.last_reload_message = "12 rules";
  system.hw_profile = "lab";
  system.idle_policy = "yield";
  system.workers = {{0,
                     1,
                     12.5,
                     1234567,
                     {{"decode", 40000, 1234567, 37037010}, {"track", 40000, 1234000, 61700000}}}};
  system.memory = {{"sessions", 1234, 65536, 16777216}, {"packet buffers", 300, 16384, 37748736}};
  return system;
}

std::vector<InterfaceStatus> example_interfaces() {
  InterfaceStatus wan;
  wan.name = "wan0";
  wan.port = "wan0";
  wan.device = "0000:03:00.0";
  wan.driver = "net_virtio";
  wan.zone = "wan";
  wan.mac = "02:00:00:00:00:01";
  wan.addresses = {"203.0.113.2/24", "2001:db8:1::2/64"};
  wan.link_up = true;
  wan.speed_mbps = 10000;
  wan.mtu = 1500;
  wan.received = {1234567, 987654321, 0, 2};
  wan.sent = {765432, 123456789, 0, 0};
  wan.offloads = {"ipv4-checksum-rx"};
  wan.tap = "mg-wan0";
  InterfaceStatus lan;
  lan.name = "lan0.10";
  lan.port = "lan0";
  lan.device = "net_af_packet0,iface=lan";
  lan.driver = "net_af_packet";
  lan.vlan = 10;
  lan.zone = "lan";
  lan.mac = "02:00:00:00:00:02";
  lan.addresses = {"10.0.1.1/24"};
  lan.mtu = 1500;
  return {wan, lan};
}

SessionRecord example_session() {
  SessionRecord session;
  session.source = {address("10.0.1.10"), 40000};
  session.destination = {address("198.51.100.2"), 443};
  session.translated_source = {address("203.0.113.2"), 1025};
  session.translated_destination = session.destination;
  session.from_zone = "lan";
  session.to_zone = "wan";
  session.ingress_interface = "lan0.10";
  session.egress_interface = "wan0";
  session.rule = "lan > wan: web";
  session.state = "established";
  session.age_seconds = 75;
  session.expires_seconds = 7439;
  session.packets_original = 12;
  session.bytes_original = 1500;
  session.packets_reply = 20;
  session.bytes_reply = 24000;
  return session;
}

PolicyStatus example_policy() {
  RuleStatus web;
  web.name = "web";
  web.line = 12;
  web.source = "any";
  web.destination = "any";
  web.service = "tcp/80,443";
  web.action = "permit";
  web.hits = 1234;
  web.sessions = 17;
  web.last_hit_seconds_ago = 3;
  RuleStatus night;
  night.name = "backup";
  night.line = 13;
  night.source = "10.0.1.20";
  night.destination = "any";
  night.service = "any";
  night.action = "permit";
  night.log = true;
  night.schedule = "night";
  night.life = RuleLife::OutsideSchedule;
  return {{{"lan", "wan", {web, night}}}, 99};
}

Explanation example_explanation() {
  Explanation explanation;
  explanation.permitted = true;
  explanation.verdict = "permit";
  explanation.ingress_interface = "lan0.10";
  explanation.egress_interface = "wan0";
  explanation.from_zone = "lan";
  explanation.to_zone = "wan";
  explanation.route = "0.0.0.0/0 via 203.0.113.1 on wan0";
  explanation.rule = "lan > wan: web";
  explanation.source_nat = "out";
  explanation.translated_source = {address("203.0.113.2"), 40000};
  explanation.translated_destination = {address("198.51.100.2"), 443};
  explanation.steps = {{"anti-spoofing", "10.0.1.10 belongs behind lan0.10", true},
                       {"route", "0.0.0.0/0 via 203.0.113.1 on wan0", true},
                       {"policy", "rule web (line 12) permits", true}};
  return explanation;
}

}  // namespace

FakeGatewayState::FakeGatewayState()
    : system_answer(example_system()),
      interfaces_answer(example_interfaces()),
      policy_answer(example_policy()),
      explanation_answer(example_explanation()) {
  zones_answer = {{"self", {}, "off", 0, 2, 0, 0, 0, false},
                  {"lan", {"lan0.10"}, "strict", 17, 0, 1, 200, 0, false},
                  {"wan", {"wan0"}, "strict", 4, 17, 300, 0, 256, true}};
  nat_answer.rules = {
      {NatKind::Destination, "www", 20, "wan", "", "any > 203.0.113.2 tcp/443", "10.0.2.80", 12},
      {NatKind::Source, "out", 25, "lan", "wan", "any > any", "interface", 1222}};
  nat_answer.pools = {{"interface wan0", "203.0.113.2", 17, 64512}};
  routes_answer.routes = {
      {*net::Prefix::parse("0.0.0.0/0"), "gateway", "203.0.113.1", "wan0", true},
      {*net::Prefix::parse("10.0.1.0/24"), "connected", "", "lan0.10", false},
      {*net::Prefix::parse("2001:db8:1::/64"), "connected", "", "wan0", false}};
  routes_answer.total = 3;
  neighbours_answer.neighbours = {
      {address("203.0.113.1"), "wan0", "02:00:00:00:00:fe", "reachable"},
      {address("10.0.1.99"), "lan0.10", "", "resolving"}};
  neighbours_answer.total = 2;
  drops_answer.drops = {
      {"policy-default-denied", "no rule permits it", 1234, 2.5, {1234}, {{"wan0", 1234}}},
      {"ttl-expired", "TTL or hop limit reached zero; ICMP time exceeded was sent", 1, 0, {1}, {}}};
  drops_answer.interval_seconds = 10;
  drops_answer.received_packets = 1234567;
  sessions_answer.sessions = {example_session()};
  sessions_answer.matched = 1234;
  sessions_answer.in_table = 1234;
  sessions_answer.bound = 65536;
  reload_answer = {true, "/etc/masugata/gateway.conf", 4, 12, {}};
  fill_inspection();
}

RouteList FakeGatewayState::routes(uint32_t limit) {
  RouteList list = routes_answer;
  list.routes.resize(std::min<size_t>(limit, list.routes.size()));
  return list;
}

NeighbourList FakeGatewayState::neighbours(uint32_t limit) {
  NeighbourList list = neighbours_answer;
  list.neighbours.resize(std::min<size_t>(limit, list.neighbours.size()));
  return list;
}

void FakeGatewayState::sessions(const SessionFilter& filter, SessionsCallback done) {
  session_filters.push_back(filter);
  if (answer_sessions_later) {
    waiting_sessions.push_back(std::move(done));
  } else if (fault) {
    done(tl::unexpected(*fault));
  } else {
    done(sessions_answer);
  }
}

void FakeGatewayState::reload(const std::string& path, ReloadCallback done) {
  reloaded_paths.push_back(path);
  done(reload_answer);
}

Result<Explanation> FakeGatewayState::explain(const ExplainRequest& request) {
  explain_requests.push_back(request);
  if (fault) return tl::unexpected(*fault);
  return explanation_answer;
}

Result<TraceId> FakeGatewayState::start_trace(const TraceRequest& request, TraceListener listener) {
  if (fault) return tl::unexpected(*fault);
  trace_requests.push_back(request);
  const auto id = static_cast<TraceId>(trace_requests.size());
  running_traces.emplace_back(id, std::move(listener));
  return id;
}

void FakeGatewayState::stop_trace(TraceId id) {
  std::erase_if(running_traces, [id](const auto& trace) { return trace.first == id; });
}

Status FakeGatewayState::clear_counters() {
  if (fault) return tl::unexpected(*fault);
  ++cleared_counters;
  return {};
}

}  // namespace masugata::dataplane::control
