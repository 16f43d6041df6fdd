// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/show_vpn.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace masugata::dataplane {
namespace {

constexpr uint64_t kProbePeriod_ms = 100;

uint32_t spi_of(const std::string& text) {
  uint32_t spi = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), spi, 16);
  return spi;
}

std::vector<std::string> texts_of(const std::vector<net::AddressRange>& networks) {
  std::vector<std::string> texts;
  for (const net::AddressRange& network : networks) texts.push_back(network.to_string());
  return texts;
}

const char* name_of(config::VpnRole role) {
  switch (role) {
    case config::VpnRole::Initiate:
      return "initiate";
    case config::VpnRole::Respond:
      return "respond";
    case config::VpnRole::Both:
      break;
  }
  return "both";
}

}  // namespace

void add_counters(const std::vector<SaStatus>& sas, ipsec::SiteStatus& site) {
  site.bytes_in = 0;
  site.bytes_out = 0;
  for (ipsec::IkeStatus& ike : site.sas) {
    for (ipsec::ChildStatus& child : ike.children) {
      for (const SaStatus& sa : sas) {
        const bool inbound = sa.name.direction == ipsec::Direction::Inbound;
        if (sa.name.spi != spi_of(inbound ? child.spi_in : child.spi_out)) continue;
        (inbound ? child.bytes_in : child.bytes_out) = sa.bytes;
        (inbound ? child.packets_in : child.packets_out) = sa.packets;
        if (!inbound) continue;
        child.replays = sa.replays;
        child.authentication_failures = sa.authentication_failures;
      }
      site.bytes_in += child.bytes_in;
      site.bytes_out += child.bytes_out;
    }
  }
}

std::string zone_of(const config::Model& model, const config::VpnSite& site) {
  for (const config::Zone& zone : model.zones) {
    const auto& all = zone.interfaces;
    if (std::find(all.begin(), all.end(), site.interface) != all.end()) return zone.name;
  }
  return {};
}

RunningVpn::RunningVpn(KeyExchange& exchange, VpnDiagnosis& diagnosis, control::EventLoop& loop,
                       PathProbeTargets targets)
    : exchange_(exchange),
      diagnosis_(diagnosis),
      manager_(*targets.manager),
      loop_(loop),
      model_(targets.model),
      probe_(std::move(targets)) {
  probe_timer_ = loop_.call_every(kProbePeriod_ms, [this] { probe_.tick(); });
}

RunningVpn::~RunningVpn() { loop_.cancel(probe_timer_); }

control::VpnStatus RunningVpn::now(const std::string& wanted) const {
  control::VpnStatus status;
  const uint64_t now_ms = loop_.now_ms();
  const CharonView& charon = exchange_.charon();
  status.active = exchange_.is_active();
  status.charon_there = charon.there;
  status.charon_version = charon.version.version;
  status.problem = charon.problem;
  status.charon_since_seconds = (now_ms - charon.since_ms) / 1000;
  const EarlyTotals early = manager_.early_totals();
  status.early = {early.kept, early.let_go, early.refused, early.expired};
  const std::vector<SaStatus> sas = manager_.statuses();
  const config::Model& model = model_();
  for (const config::VpnSite& configured : exchange_.settings().sites) {
    const SiteView* view = exchange_.find(configured.name);
    if (view == nullptr || (!wanted.empty() && configured.name != wanted)) continue;
    control::VpnSite site;
    site.status = view->status;
    add_counters(sas, site.status);
    if (view->since_ms) site.since_seconds = (now_ms - *view->since_ms) / 1000;
    site.held_down = view->held_down;
    site.fault = view->fault;
    site.description = configured.description;
    site.zone = zone_of(model, configured);
    site.role = name_of(configured.role);
    site.local_networks = texts_of(configured.local_networks);
    site.remote_networks = texts_of(configured.remote_networks);
    status.sites.push_back(std::move(site));
  }
  return status;
}

void RunningVpn::status(const std::string& site, StatusCallback done) {
  if (!site.empty() && exchange_.find(site) == nullptr) {
    done(failure("vpn site " + site, "is not configured"));
    return;
  }
  // Whether charon answers or not: what is known is told, and that it is not there too.
  exchange_.look([this, site, done = std::move(done)](const Status&) { done(now(site)); });
}

void RunningVpn::act(const std::string& site, ipsec::SiteAction action, DoneCallback done) {
  exchange_.act(site, action, std::move(done));
}

void RunningVpn::probe(const std::string& site, std::optional<net::IpAddress> host,
                       ProbeCallback done) {
  probe_.start(
      site, host,
      [this, done = std::move(done)](const Result<std::vector<ipsec::PathReport>>& reports) {
        if (!reports) return done(tl::unexpected(reports.error()));
        diagnosis_.measured(*reports);
        std::vector<control::VpnProbe> answer;
        for (const ipsec::PathReport& report : *reports) {
          auto& each = answer.emplace_back();
          each.report = report;
          if (report.black_hole()) {
            each.black_hole = explain(failure_of(report, 0), exchange_.settings());
          }
        }
        done(std::move(answer));
      });
}

}  // namespace masugata::dataplane
