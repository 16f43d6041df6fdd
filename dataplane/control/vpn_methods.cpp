// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/vpn_methods.h"

#include <string>

#include "dataplane/control/answering.h"

namespace masugata::dataplane::control {
namespace {

Json seconds_json(const std::optional<uint64_t>& seconds) {
  return seconds ? Json(*seconds) : Json(nullptr);
}

Json child_json(const ipsec::ChildStatus& child) {
  return {{"name", child.name},
          {"state", child.state},
          {"algorithms", child.algorithms},
          {"spi_in", child.spi_in},
          {"spi_out", child.spi_out},
          {"in_udp", child.in_udp},
          {"bytes_in", child.bytes_in},
          {"packets_in", child.packets_in},
          {"bytes_out", child.bytes_out},
          {"packets_out", child.packets_out},
          {"replays", child.replays},
          {"authentication_failures", child.authentication_failures},
          {"age", child.age_seconds},
          {"rekey_in", seconds_json(child.rekey_in_seconds)},
          {"ends_in", seconds_json(child.ends_in_seconds)},
          {"local_networks", child.local_networks},
          {"remote_networks", child.remote_networks}};
}

Json ike_json(const ipsec::IkeStatus& ike) {
  Json children = Json::array();
  for (const ipsec::ChildStatus& child : ike.children) children.push_back(child_json(child));
  return {{"id", ike.unique_id},
          {"version", ike.version},
          {"state", ike.state},
          {"local_address", ike.local_address},
          {"local_port", ike.local_port},
          {"local_identity", ike.local_identity},
          {"local_behind_nat", ike.local_behind_nat},
          {"remote_address", ike.remote_address},
          {"remote_port", ike.remote_port},
          {"remote_identity", ike.remote_identity},
          {"remote_behind_nat", ike.remote_behind_nat},
          {"begun_here", ike.begun_here},
          {"algorithms", ike.algorithms},
          {"age", ike.age_seconds},
          {"rekey_in", seconds_json(ike.rekey_in_seconds)},
          {"sas", children}};
}

Json site_json(const VpnSite& site) {
  Json sas = Json::array();
  for (const ipsec::IkeStatus& ike : site.status.sas) sas.push_back(ike_json(ike));
  return {{"name", site.status.name},
          {"state", ipsec::name_of(site.status.state)},
          {"since", seconds_json(site.since_seconds)},
          {"held_down", site.held_down},
          {"problem", site.fault},
          {"description", site.description},
          {"peer", site.status.peer},
          {"zone", site.zone},
          {"role", site.role},
          {"bytes_in", site.status.bytes_in},
          {"bytes_out", site.status.bytes_out},
          {"local_networks", site.local_networks},
          {"remote_networks", site.remote_networks},
          {"ike_sas", sas}};
}

Json status_json(const VpnStatus& status) {
  Json sites = Json::array();
  for (const VpnSite& site : status.sites) sites.push_back(site_json(site));
  return {{"active", status.active},
          {"charon",
           {{"there", status.charon_there},
            {"version", status.charon_version},
            {"since", status.charon_since_seconds},
            {"problem", status.problem}}},
          {"early_packets",
           {{"kept", status.early.kept},
            {"let_go", status.early.let_go},
            {"refused", status.early.refused},
            {"expired", status.early.expired}}},
          {"sites", sites}};
}

void show(VpnState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  const std::string site = reader.text("site");
  if (refused(reader, responder)) return;
  state.status(site, [responder](const Result<VpnStatus>& status) {
    if (status) {
      responder.result(status_json(*status));
    } else {
      responder.error({RpcErrorCode::Failed, status.error().message(), nullptr});
    }
  });
}

Json probe_json(const VpnProbe& probe) {
  const ipsec::PathReport& report = probe.report;
  const ipsec::PathFinding& finding = report.finding;
  Json answer{{"family", report.family == net::Family::Ipv4 ? "IPv4" : "IPv6"},
              {"answered", finding.answered},
              {"steady", finding.steady},
              {"black_hole", report.black_hole()},
              {"asked", report.asked},
              {"answered_by", report.answered_by},
              {"way_back", finding.kind == ipsec::PathAnswer::Echo},
              {"passes", finding.passes_bytes},
              {"fails", finding.fails_bytes},
              {"outer_passes", report.outer_passes_bytes},
              {"lets_in", report.lets_in_bytes},
              {"configured_mtu", report.configured_mtu},
              {"mss_ipv4", report.mss_ipv4},
              {"mss_ipv6", report.mss_ipv6},
              {"interface", report.interface},
              {"interface_mtu", report.interface_mtu},
              {"router_said", report.router_said_bytes},
              {"packets", finding.packets},
              {"took_ms", finding.took_ms}};
  if (probe.black_hole) {
    answer["what"] = probe.black_hole->what;
    answer["remarks"] = probe.black_hole->remarks;
    answer["set_here"] = probe.black_hole->here;
    answer["set_there"] = probe.black_hole->there;
  }
  return answer;
}

void probe(VpnState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  const std::string site = reader.required_text("site");
  const std::string text = reader.text("host");
  const auto host = net::IpAddress::parse(text);
  if (!text.empty() && !host) reader.complain("\"host\" is an address");
  if (refused(reader, responder)) return;
  state.probe(site, host, [responder, site](const Result<std::vector<VpnProbe>>& done) {
    if (!done) return responder.error({RpcErrorCode::Failed, done.error().message(), nullptr});
    Json measured = Json::array();
    for (const VpnProbe& each : *done) measured.push_back(probe_json(each));
    responder.result({{"site", site}, {"measured", measured}});
  });
}

void act(VpnState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  const std::string site = reader.required_text("site");
  const std::string action = reader.required_text("action");
  if (action != "up" && action != "down" && action != "rekey") {
    reader.complain("\"action\" is up, down or rekey");
  }
  if (refused(reader, responder)) return;
  const ipsec::SiteAction wanted = action == "up"     ? ipsec::SiteAction::Up
                                   : action == "down" ? ipsec::SiteAction::Down
                                                      : ipsec::SiteAction::Rekey;
  state.act(site, wanted, [responder, site, action](const Status& done) {
    answer(done, responder, {{"site", site}, {"action", action}});
  });
}

}  // namespace

void add_vpn_methods(VpnState& state, MethodTable& methods) {
  methods["show.vpn"] = {Role::Observer,
                         [&state](const Json& parameters, const Responder& responder) {
                           show(state, parameters, responder);
                         }};
  methods["vpn.probe"] = {Role::Administrator,
                          [&state](const Json& parameters, const Responder& responder) {
                            probe(state, parameters, responder);
                          }};
  methods["vpn.act"] = {Role::Administrator,
                        [&state](const Json& parameters, const Responder& responder) {
                          act(state, parameters, responder);
                        }};
}

}  // namespace masugata::dataplane::control
