// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ipsec/vpn_diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "ids/eve/json_writer.h"

namespace masugata::dataplane {
namespace {

constexpr size_t kLineBytes = 16384;

// Much of it comes from the peer.
std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string joined(const std::vector<std::string>& lines) {
  return fmt::format("{}", fmt::join(lines, "\n"));
}

}  // namespace

std::string failure_event(const ipsec::Failure& failure, const ipsec::Explanation& explanation,
                          bool over, uint64_t time_us) {
  std::vector<char> buffer(kLineBytes);
  ids::JsonWriter json(buffer);
  json.open_object();
  json.member_time("timestamp", time_us);
  json.member("event_type", std::string_view("vpn"));
  json.open_object("vpn");
  json.member("site", std::string_view(failure.site));
  json.member("remote_address", std::string_view(failure.peer));
  json.member_bytes("remote_identity", bytes_of(failure.peer_identity));
  json.member("failure", name_of(failure.kind));
  json.member_flag("over", over);
  json.member("count", failure.count);
  json.member("side", name_of(explanation.side));
  json.member_bytes("text", bytes_of(explanation.what));
  json.member_bytes("received", bytes_of(explanation.received));
  json.member_bytes("configured", bytes_of(explanation.configured));
  json.member_bytes("set_here", bytes_of(joined(explanation.here)));
  json.member_bytes("set_there", bytes_of(joined(explanation.there)));
  json.close_object();
  json.close_object();
  return json.overflowed() ? std::string() : std::string(json.text());
}

VpnDiagnosis::VpnDiagnosis(VpnDiagnosisTargets targets)
    : targets_(std::move(targets)),
      diagnosis_(
          {.now = [this] { return now(); },
           .event = [this](const ipsec::TunnelEvent& event) { tell(event); },
           .alert = [this](const ipsec::Failure& failure, const ipsec::Explanation& explanation,
                           bool over) { alert(failure, explanation, over); }}) {}

int64_t VpnDiagnosis::now() const {
  return static_cast<int64_t>(targets_.wall_time_us() / 1'000'000);
}

void VpnDiagnosis::observe(const std::vector<SaStatus>& sas) {
  struct Sum {
    std::string peer;
    uint64_t in = 0;
    uint64_t out = 0;
  };
  std::map<InterfaceIndex, Sum> sums;
  for (const SaStatus& sa : sas) {
    Sum& sum = sums[sa.tunnel];
    sum.peer = sa.outer.remote.to_string();
    (sa.name.direction == ipsec::Direction::Inbound ? sum.in : sum.out) += sa.packets;
  }
  for (const config::VpnSite& site : diagnosis_.settings().sites) {
    const auto found = sums.find(site.interface);
    if (found == sums.end()) continue;
    diagnosis_.observe(site.name, found->second.peer, found->second.in, found->second.out);
  }
}

void VpnDiagnosis::site_changed(const SiteView& site, ipsec::SiteState /*before*/) {
  up_[site.status.name] = site.status.state == ipsec::SiteState::Up;
}

void VpnDiagnosis::charon_alerted(const ipsec::CharonAlert& alert) { diagnosis_.take(alert); }

void VpnDiagnosis::site_begun(const std::string& site) {
  tell({site, "begin", "this gateway begins", now()});
}

void VpnDiagnosis::configured(const config::VpnSettings& settings) {
  diagnosis_.configure(settings);
  std::erase_if(up_, [this](const auto& site) { return !is_configured(site.first); });
}

bool VpnDiagnosis::is_configured(const std::string& site) const {
  const auto& sites = diagnosis_.settings().sites;
  return std::any_of(sites.begin(), sites.end(),
                     [&site](const config::VpnSite& each) { return each.name == site; });
}

control::VpnReasons VpnDiagnosis::reasons_of(const std::string& site) const {
  control::VpnReasons reasons;
  reasons.site = site;
  const auto up = up_.find(site);
  reasons.up = up != up_.end() && up->second;
  for (const auto& entry : diagnosis_.history().of_site(site)) {
    reasons.reasons.push_back(
        {entry.failure, explain(entry.failure, diagnosis_.settings()), entry.standing});
  }
  return reasons;
}

Result<std::vector<control::VpnReasons>> VpnDiagnosis::reasons(const std::string& site) {
  if (!site.empty()) {
    if (!is_configured(site)) return failure("vpn site " + site, "is not configured");
    return std::vector{reasons_of(site)};
  }
  std::vector<control::VpnReasons> all;
  for (const config::VpnSite& each : diagnosis_.settings().sites) {
    all.push_back(reasons_of(each.name));
  }
  all.push_back(reasons_of(""));
  return all;
}

Result<control::VpnWatchId> VpnDiagnosis::watch(const std::string& site, Listener listener) {
  if (!site.empty() && !is_configured(site)) {
    return failure("vpn site " + site, "is not configured");
  }
  if (watches_.size() >= kMaximumWatches) {
    return failure("monitor vpn", fmt::format("{} watch already", kMaximumWatches));
  }
  watches_[next_watch_] = {site, std::move(listener)};
  return next_watch_++;
}

void VpnDiagnosis::unwatch(control::VpnWatchId id) { watches_.erase(id); }

void VpnDiagnosis::tell(const ipsec::TunnelEvent& event) {
  // A listener may end its watch, and itself with it.
  std::vector<Listener> listeners;
  for (const auto& [id, watch] : watches_) {
    if (watch.site.empty() || watch.site == event.site) listeners.push_back(watch.listener);
  }
  for (const Listener& listener : listeners) listener(event);
}

void VpnDiagnosis::alert(const ipsec::Failure& failure, const ipsec::Explanation& explanation,
                         bool over) {
  targets_.log(!over, (over ? "over: " : "") + to_line(failure, explanation));
  const std::string line = failure_event(failure, explanation, over, targets_.wall_time_us());
  if (!line.empty()) targets_.write_event(line);
}

}  // namespace masugata::dataplane
