// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/fake_vpn.h"

#include <algorithm>
#include <utility>

namespace masugata::dataplane::control {
namespace {

ipsec::ChildStatus example_child() {
  ipsec::ChildStatus child;
  child.name = "osaka";
  child.unique_id = 12;
  child.state = "INSTALLED";
  child.algorithms = "AES_GCM_16-128/CURVE_25519/ESN";
  child.spi_in = "c1a2b3c4";
  child.spi_out = "c5d6e7f8";
  child.in_udp = true;
  child.bytes_in = 1'234'567'890;
  child.packets_in = 1'234'567;
  child.bytes_out = 98'765'432;
  child.packets_out = 987'654;
  child.replays = 3;
  child.authentication_failures = 1;
  child.age_seconds = 1'500;
  child.rekey_in_seconds = 1'860;
  child.ends_in_seconds = 2'460;
  child.local_networks = {"10.0.0.0/16"};
  child.remote_networks = {"10.20.0.0/16", "10.21.0.0/16"};
  return child;
}

VpnSite example_up() {
  VpnSite site;
  site.status.name = "osaka";
  site.status.state = ipsec::SiteState::Up;
  site.status.peer = "198.51.100.7";
  site.status.bytes_in = 1'234'567'890;
  site.status.bytes_out = 98'765'432;
  ipsec::IkeStatus ike;
  ike.unique_id = 7;
  ike.state = "ESTABLISHED";
  ike.local_address = "203.0.113.2";
  ike.local_port = 4500;
  ike.local_identity = "hq.example.com";
  ike.remote_address = "198.51.100.7";
  ike.remote_port = 4500;
  ike.remote_identity = "osaka.example.com";
  ike.begun_here = true;
  ike.remote_behind_nat = true;
  ike.algorithms = "AES_GCM_16-128/PRF_HMAC_SHA2_256/CURVE_25519";
  ike.age_seconds = 7'440;
  ike.rekey_in_seconds = 5'400;
  ike.children = {example_child()};
  site.status.sas = {ike};
  site.since_seconds = 93'784;
  site.description = "Osaka, fixed address";
  site.zone = "branches";
  site.role = "both";
  site.local_networks = {"10.0.0.0/16"};
  site.remote_networks = {"10.20.0.0/16", "10.21.0.0/16"};
  return site;
}

VpnSite example_down(const char* name, const char* peer, const char* role) {
  VpnSite site;
  site.status.name = name;
  site.status.peer = peer;
  site.since_seconds = 125;
  site.zone = "branches";
  site.role = role;
  return site;
}

// A path that swallows what is larger than 1,372 bytes.
VpnProbe example_probe() {
  VpnProbe probe;
  ipsec::PathReport& report = probe.report;
  report.site = "osaka";
  report.peer = "198.51.100.7";
  report.finding = {true, true, 0, ipsec::PathAnswer::Echo, 1318, 1322, 21, 6400};
  report.asked = {"10.20.0.1"};
  report.answered_by = "10.20.0.1";
  report.lets_in_bytes = 1446;
  report.mss_ipv4 = 1406;
  report.mss_ipv6 = 1386;
  report.outer_passes_bytes = 1372;
  report.interface = "wan0";
  report.interface_mtu = 1500;
  config::VpnSettings settings;
  settings.sites.emplace_back().name = "osaka";
  probe.black_hole = explain(failure_of(report, 0), settings);
  return probe;
}

}  // namespace

FakeVpn::FakeVpn() {
  status_answer.active = true;
  status_answer.charon_there = true;
  status_answer.charon_version = "5.9.8";
  status_answer.charon_since_seconds = 93'790;
  status_answer.early = {107, 105, 3, 2};
  VpnSite held = example_down("nagoya", "nagoya.example.com", "initiate");
  held.held_down = true;
  VpnSite broken = example_down("sendai", "any", "respond");
  broken.fault = "sendai: no such certificate";
  VpnSite off = example_down("naha", "198.51.100.9", "both");
  off.status.state = ipsec::SiteState::Disabled;
  off.since_seconds.reset();
  status_answer.sites = {example_up(), held, broken, off};
  probe_answer = std::vector{example_probe()};
}

void FakeVpn::status(const std::string& site, StatusCallback done) {
  VpnStatus answer = status_answer;
  if (!site.empty()) {
    std::erase_if(answer.sites, [&site](const VpnSite& each) { return each.status.name != site; });
    if (answer.sites.empty()) {
      done(failure("vpn site " + site, "is not configured"));
      return;
    }
  }
  done(std::move(answer));
}

void FakeVpn::probe(const std::string& site, std::optional<net::IpAddress> host,
                    ProbeCallback done) {
  calls.push_back(site + " probe" + (host ? " " + host->to_string() : ""));
  done(probe_answer);
}

void FakeVpn::act(const std::string& site, ipsec::SiteAction action, DoneCallback done) {
  calls.push_back(site + " " + std::to_string(static_cast<int>(action)));
  done(act_answer);
}

}  // namespace masugata::dataplane::control
