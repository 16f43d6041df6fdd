// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/diagnosis/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace masugata::ipsec {
namespace {

const char* nat_text(const CharonAlert& alert) {
  if (alert.nat_here && alert.nat_there) return ", NAT on both sides";
  if (alert.nat_here) return ", this gateway is behind NAT";
  return alert.nat_there ? ", the peer is behind NAT" : "";
}

std::string peer_of(const CharonAlert& alert) {
  std::string text = alert.remote ? alert.remote->to_string() : std::string("an unknown address");
  if (alert.remote_port != 0 && alert.remote_port != 500) {
    text += fmt::format(" port {}", alert.remote_port);
  }
  return text;
}

}  // namespace

void Diagnosis::configure(config::VpnSettings settings) {
  settings_ = std::move(settings);
  std::vector<std::string> names;
  for (config::VpnSite& site : settings_.sites) {
    names.push_back(site.name);
    site.psk = {};  // explanations have no use for it
  }
  history_.keep_only(names);
  std::erase_if(watches_, [&names](const auto& watch) {
    return std::find(names.begin(), names.end(), watch.first) == names.end();
  });
}

void Diagnosis::say(const CharonAlert& alert, const char* kind, const std::string& text) {
  if (!targets_.event) return;
  const config::VpnSite* site = site_of(alert, settings_);
  targets_.event({site == nullptr ? alert.connection : site->name, kind, text, targets_.now()});
}

void Diagnosis::came_up(const CharonAlert& alert, const char* kind, const char* what) {
  say(alert, kind,
      fmt::format("{} with {} ({}), {}{}", what, peer_of(alert), alert.remote_identity,
                  alert.received, nat_text(alert)));
  const config::VpnSite* site = site_of(alert, settings_);
  if (site == nullptr) return;
  tell_past(history_.came_up(site->name));
  if (alert.kind == AlertKind::ChildRekeyed) {
    tell_past(history_.over(site->name, FailureKind::PfsGroup));
  }
  if (!failure_of(alert, settings_, targets_.now())) {
    tell_past(history_.over(site->name, FailureKind::NetworksNarrowed));
  }
}

void Diagnosis::tell_past(const std::vector<Failure>& past) {
  if (!targets_.alert) return;
  for (const Failure& failure : past) targets_.alert(failure, explain(failure, settings_), true);
}

void Diagnosis::take(const CharonAlert& alert) {
  switch (alert.kind) {
    case AlertKind::ChildUp:
      came_up(alert, "up", "the tunnel is up");
      break;
    case AlertKind::ChildRekeyed:
      came_up(alert, "rekeyed", "the tunnel has new keys");
      break;
    case AlertKind::ChildDown:
      say(alert, "down", fmt::format("the tunnel to {} is down", peer_of(alert)));
      break;
    case AlertKind::IkeUp:
      say(alert, "authenticated",
          fmt::format("{} is {}{}", peer_of(alert), alert.remote_identity, nat_text(alert)));
      break;
    case AlertKind::IkeRekeyed:
      say(alert, "ike-rekeyed", fmt::format("IKE with {} has new keys", peer_of(alert)));
      break;
    case AlertKind::RetransmitAnswered:
      if (const config::VpnSite* site = site_of(alert, settings_)) history_.answered(site->name);
      say(alert, "answered", fmt::format("{} answers after all", peer_of(alert)));
      break;
    case AlertKind::Retransmit:
      say(alert, "trying",
          fmt::format("no answer from {}, sent again ({})", peer_of(alert), alert.number));
      break;
    default:
      break;
  }
  if (auto failure = failure_of(alert, settings_, targets_.now())) add(std::move(*failure));
}

void Diagnosis::add(Failure failure) {
  const FailureHistory::Added added = history_.add(std::move(failure));
  if (added.failure == nullptr || added.failure->provisional) return;
  const Explanation explanation = explain(*added.failure, settings_);
  if (targets_.event) {
    targets_.event({added.failure->site, std::string(name_of(added.failure->kind)),
                    to_line(*added.failure, explanation), targets_.now()});
  }
  if (added.alert_due && targets_.alert) targets_.alert(*added.failure, explanation, false);
}

void Diagnosis::measured(const std::vector<PathReport>& reports) {
  if (const PathReport* hole = black_hole_of(reports)) {
    add(failure_of(*hole, targets_.now()));
    return;
  }
  const auto passes = std::find_if(reports.begin(), reports.end(), [](const PathReport& report) {
    return report.finding.answered && report.finding.steady;
  });
  if (passes != reports.end()) tell_past(history_.over(passes->site, FailureKind::PathMtu));
}

void Diagnosis::observe(const std::string& site, const std::string& peer, uint64_t packets_in,
                        uint64_t packets_out) {
  const int64_t now = targets_.now();
  auto [place, is_new] = watches_.try_emplace(site, Watch{packets_in, packets_out, now, false});
  Watch& watch = place->second;
  // New SAs count from nothing.
  const bool restarted = packets_in < watch.packets_in || packets_out < watch.packets_out;
  const uint64_t in = restarted ? 0 : packets_in - watch.packets_in;
  const uint64_t out = restarted ? 0 : packets_out - watch.packets_out;
  if (is_new || restarted || (in > 0) == (out > 0)) {
    watch = {packets_in, packets_out, now, false};
    if (in > 0 && out > 0) tell_past(history_.over(site, FailureKind::OneDirection));
    return;
  }
  const bool enough =
      std::max(in, out) >= kOneDirectionPackets && now - watch.since >= kOneDirectionSeconds;
  if (!enough || watch.told) return;
  watch.told = true;
  Failure failure;
  failure.kind = FailureKind::OneDirection;
  failure.site = site;
  failure.peer = peer;
  failure.received = std::to_string(in);
  failure.configured = std::to_string(out);
  failure.first = failure.last = now;
  add(std::move(failure));
}

}  // namespace masugata::ipsec
