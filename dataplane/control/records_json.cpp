// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/records_json.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace masugata::dataplane::control {

using nlohmann::json;

namespace {

struct NamedProtocol {
  net::Protocol protocol;
  const char* name;
};
constexpr std::array<NamedProtocol, 8> kProtocols{{
    {net::Protocol::Icmp, "icmp"},
    {net::Protocol::Tcp, "tcp"},
    {net::Protocol::Udp, "udp"},
    {net::Protocol::Gre, "gre"},
    {net::Protocol::Esp, "esp"},
    {net::Protocol::Ah, "ah"},
    {net::Protocol::Icmpv6, "icmpv6"},
    {net::Protocol::Sctp, "sctp"},
}};

json counters_json(const PacketCounters& counters) {
  return {{"packets", counters.packets},
          {"bytes", counters.bytes},
          {"errors", counters.errors},
          {"missed", counters.missed}};
}

json endpoint_json(const Endpoint& endpoint) {
  return {{"address", endpoint.address.to_string()}, {"port", endpoint.port}};
}

json session_json(const SessionRecord& session) {
  return {{"worker", session.worker},
          {"protocol", protocol_name(session.protocol)},
          {"source", endpoint_json(session.source)},
          {"destination", endpoint_json(session.destination)},
          {"translated_source", endpoint_json(session.translated_source)},
          {"translated_destination", endpoint_json(session.translated_destination)},
          {"from_zone", session.from_zone},
          {"to_zone", session.to_zone},
          {"ingress_interface", session.ingress_interface},
          {"egress_interface", session.egress_interface},
          {"rule", session.rule},
          {"state", session.state},
          {"application", session.application},
          {"carrier", session.carrier},
          {"age_seconds", session.age_seconds},
          {"expires_seconds", session.expires_seconds},
          {"packets_original", session.packets_original},
          {"bytes_original", session.bytes_original},
          {"packets_reply", session.packets_reply},
          {"bytes_reply", session.bytes_reply}};
}

const char* life_name(RuleLife life) {
  switch (life) {
    case RuleLife::Live:
      return "live";
    case RuleLife::OutsideSchedule:
      return "outside-schedule";
    case RuleLife::Expired:
      return "expired";
  }
  return "live";
}

json rule_json(const RuleStatus& rule) {
  return {{"name", rule.name},
          {"line", rule.line},
          {"source", rule.source},
          {"destination", rule.destination},
          {"service", rule.service},
          {"application", rule.application},
          {"domain", rule.domain},
          {"action", rule.action},
          {"log", rule.log},
          {"schedule", rule.schedule},
          {"until", rule.until},
          {"life", life_name(rule.life)},
          {"session_limit_per_source", rule.session_limit_per_source},
          {"ips", rule.ips},
          {"av", rule.av},
          {"hits", rule.hits},
          {"sessions", rule.sessions},
          {"last_hit_seconds_ago",
           rule.last_hit_seconds_ago ? json(*rule.last_hit_seconds_ago) : json(nullptr)},
          {"description", rule.description}};
}

const char* nat_kind_name(NatKind kind) {
  switch (kind) {
    case NatKind::Source:
      return "source";
    case NatKind::Destination:
      return "destination";
    case NatKind::Static:
      return "static";
  }
  return "source";
}

const char* outcome_name(ReloadOutcome outcome) {
  switch (outcome) {
    case ReloadOutcome::Never:
      return "never";
    case ReloadOutcome::Applied:
      return "applied";
    case ReloadOutcome::Refused:
      return "refused";
  }
  return "never";
}

json worker_json(const WorkerStatus& worker) {
  json stages = json::array();
  for (const StageStatus& stage : worker.stages) {
    stages.push_back({{"name", stage.name},
                      {"calls", stage.calls},
                      {"packets", stage.packets},
                      {"cycles", stage.cycles}});
  }
  return {{"index", worker.index},
          {"core", worker.core},
          {"busy_percent", worker.busy_percent},
          {"packets", worker.packets},
          {"stages", std::move(stages)}};
}

}  // namespace

std::string protocol_name(net::Protocol protocol) {
  for (const NamedProtocol& known : kProtocols) {
    if (known.protocol == protocol) return known.name;
  }
  return std::to_string(static_cast<unsigned>(protocol));
}

std::optional<net::Protocol> find_protocol(const std::string& name) {
  for (const NamedProtocol& known : kProtocols) {
    if (known.name == name) return known.protocol;
  }
  uint8_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return static_cast<net::Protocol>(number);
}

void to_json(json& out, const SystemStatus& status) {
  json workers = json::array();
  for (const WorkerStatus& worker : status.workers) workers.push_back(worker_json(worker));
  json memory = json::array();
  for (const MemoryStatus& table : status.memory) {
    memory.push_back({{"name", table.name},
                      {"in_use", table.in_use},
                      {"bound", table.bound},
                      {"bytes", table.bytes}});
  }
  out = {{"version", status.version},
         {"host_name", status.host_name},
         {"uptime_seconds", status.uptime_seconds},
         {"configuration_file", status.configuration_file},
         {"snapshot_generation", status.snapshot_generation},
         {"last_reload", outcome_name(status.last_reload)},
         {"last_reload_seconds_ago", status.last_reload_seconds_ago},
         {"last_reload_message", status.last_reload_message},
         {"hw_profile", status.hw_profile},
         {"idle_policy", status.idle_policy},
         {"hugepages", status.hugepages},
         {"workers", std::move(workers)},
         {"memory", std::move(memory)}};
}

void to_json(json& out, const InterfaceStatus& status) {
  out = {{"name", status.name},
         {"port", status.port},
         {"device", status.device},
         {"driver", status.driver},
         {"vlan", status.vlan},
         {"zone", status.zone},
         {"mac", status.mac},
         {"addresses", status.addresses},
         {"enabled", status.enabled},
         {"link_up", status.link_up},
         {"speed_mbps", status.speed_mbps},
         {"mtu", status.mtu},
         {"received", counters_json(status.received)},
         {"sent", counters_json(status.sent)},
         {"offloads", status.offloads},
         {"tap", status.tap},
         {"to_kernel", counters_json(status.to_kernel)},
         {"from_kernel", counters_json(status.from_kernel)}};
}

void to_json(json& out, const ZoneStatus& status) {
  out = {{"name", status.name},
         {"interfaces", status.interfaces},
         {"anti_spoofing", status.anti_spoofing},
         {"sessions_from", status.sessions_from},
         {"sessions_to", status.sessions_to},
         {"half_open_tcp", status.half_open_tcp},
         {"new_sessions_per_source_per_second", status.new_sessions_per_source_per_second},
         {"syn_cookie_threshold", status.syn_cookie_threshold},
         {"syn_cookies_active", status.syn_cookies_active}};
}

void to_json(json& out, const SessionList& list) {
  json sessions = json::array();
  for (const SessionRecord& session : list.sessions) sessions.push_back(session_json(session));
  out = {{"sessions", std::move(sessions)},
         {"matched", list.matched},
         {"in_table", list.in_table},
         {"bound", list.bound}};
}

void to_json(json& out, const PolicyStatus& status) {
  json sections = json::array();
  for (const PolicySectionStatus& section : status.sections) {
    json rules = json::array();
    for (const RuleStatus& rule : section.rules) rules.push_back(rule_json(rule));
    sections.push_back({{"from", section.from}, {"to", section.to}, {"rules", std::move(rules)}});
  }
  out = {{"sections", std::move(sections)}, {"default_denied", status.default_denied}};
}

void to_json(json& out, const NatStatus& status) {
  json rules = json::array();
  for (const NatRuleStatus& rule : status.rules) {
    rules.push_back({{"kind", nat_kind_name(rule.kind)},
                     {"name", rule.name},
                     {"line", rule.line},
                     {"from", rule.from},
                     {"to", rule.to},
                     {"match", rule.match},
                     {"translate", rule.translate},
                     {"hits", rule.hits}});
  }
  json pools = json::array();
  for (const NatPoolStatus& pool : status.pools) {
    pools.push_back({{"name", pool.name},
                     {"addresses", pool.addresses},
                     {"sessions", pool.sessions},
                     {"ports", pool.ports}});
  }
  out = {{"rules", std::move(rules)}, {"pools", std::move(pools)}, {"exhausted", status.exhausted}};
}

void to_json(json& out, const RouteList& list) {
  json routes = json::array();
  for (const RouteRecord& route : list.routes) {
    routes.push_back({{"destination", route.destination.to_string()},
                      {"kind", route.kind},
                      {"via", route.via},
                      {"interface", route.interface},
                      {"configured", route.configured}});
  }
  out = {{"routes", std::move(routes)}, {"total", list.total}};
}

void to_json(json& out, const NeighbourList& list) {
  json neighbours = json::array();
  for (const NeighbourRecord& neighbour : list.neighbours) {
    neighbours.push_back({{"address", neighbour.address.to_string()},
                          {"interface", neighbour.interface},
                          {"mac", neighbour.mac},
                          {"state", neighbour.state}});
  }
  out = {{"neighbours", std::move(neighbours)}, {"total", list.total}};
}

void to_json(json& out, const DropStatus& status) {
  json drops = json::array();
  for (const DropRecord& drop : status.drops) {
    json by_interface = json::object();
    for (const auto& [name, count] : drop.by_interface) by_interface[name] = count;
    drops.push_back({{"reason", drop.reason},
                     {"explanation", drop.explanation},
                     {"total", drop.total},
                     {"per_second", drop.per_second},
                     {"by_worker", drop.by_worker},
                     {"by_interface", std::move(by_interface)}});
  }
  out = {{"drops", std::move(drops)},
         {"interval_seconds", status.interval_seconds},
         {"received_packets", status.received_packets}};
}

void to_json(json& out, const TraceLine& line) {
  out = {{"packet", line.packet},
         {"worker", line.worker},
         {"time_us", line.time_us},
         {"stage", line.stage},
         {"flow", line.flow},
         {"decision", line.decision},
         {"lost_before", line.lost_before}};
}

void to_json(json& out, const Explanation& explanation) {
  json steps = json::array();
  for (const ExplanationStep& step : explanation.steps) {
    steps.push_back({{"stage", step.stage}, {"decision", step.decision}, {"passed", step.passed}});
  }
  out = {{"permitted", explanation.permitted},
         {"verdict", explanation.verdict},
         {"drop_reason", explanation.drop_reason},
         {"drop_explanation", explanation.drop_explanation},
         {"ingress_interface", explanation.ingress_interface},
         {"egress_interface", explanation.egress_interface},
         {"from_zone", explanation.from_zone},
         {"to_zone", explanation.to_zone},
         {"route", explanation.route},
         {"rule", explanation.rule},
         {"source_nat", explanation.source_nat},
         {"destination_nat", explanation.destination_nat},
         {"translated_source", endpoint_json(explanation.translated_source)},
         {"translated_destination", endpoint_json(explanation.translated_destination)},
         {"ips", explanation.ips},
         {"av", explanation.av},
         {"steps", std::move(steps)}};
}

void to_json(json& out, const ReloadReport& report) {
  json problems = json::array();
  for (const ReloadProblem& problem : report.problems) {
    problems.push_back({{"severity", problem.error ? "error" : "warning"},
                        {"file", problem.file},
                        {"line", problem.line},
                        {"column", problem.column},
                        {"path", problem.path},
                        {"what", problem.what},
                        {"accepted", problem.accepted}});
  }
  out = {{"applied", report.applied},
         {"file", report.file},
         {"generation", report.generation},
         {"duration_ms", report.duration_ms},
         {"problems", std::move(problems)}};
}

}  // namespace masugata::dataplane::control
