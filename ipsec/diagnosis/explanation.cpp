// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/diagnosis/explanation.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "ipsec/diagnosis/explanation_parts.h"

namespace masugata::ipsec {
namespace {

using Kind = FailureKind;

void add_lines(const char* title, const std::vector<std::string>& lines, std::string& text) {
  for (size_t i = 0; i < lines.size(); ++i) {
    text += fmt::format("  {:<12}{}\n", i == 0 ? title : "", lines[i]);
  }
}

void add_line(const char* title, const std::string& line, std::string& text) {
  if (!line.empty()) add_lines(title, {line}, text);
}

std::string times_text(const Failure& failure) {
  if (failure.provisional) return "still trying, since " + time_text(failure.first);
  if (failure.count <= 1) return "once, " + time_text(failure.last);
  return fmt::format("{} times, first {}, last {}", failure.count, time_text(failure.first),
                     time_text(failure.last));
}

}  // namespace

std::string Subject::in_site() const {
  return failure.site.empty() ? std::string() : fmt::format("in site {}: ", failure.site);
}

std::string Subject::peer_name() const { return failure.peer.empty() ? "the peer" : failure.peer; }

Explanation explain(const Failure& failure, const config::VpnSettings& settings) {
  const auto found =
      std::find_if(settings.sites.begin(), settings.sites.end(),
                   [&failure](const config::VpnSite& site) { return site.name == failure.site; });
  const Subject subject{failure, found == settings.sites.end() ? nullptr : &*found, settings};
  if (is_translated_transport(subject)) return explain_translated_transport(subject);
  switch (failure.kind) {
    case Kind::IkeProposal:
      return explain_ike_proposal(subject);
    case Kind::EspProposal:
      return explain_esp_proposal(subject);
    case Kind::PfsGroup:
      return explain_pfs_group(subject);
    case Kind::IkeVersion:
      return explain_ike_version(subject);
    case Kind::Networks:
      return explain_networks(subject);
    case Kind::NetworksNarrowed:
      return explain_narrowed(subject);
    case Kind::Identity:
    case Kind::NatIdentity:
      return explain_identity(subject);
    case Kind::Secret:
      return explain_secret(subject);
    case Kind::PeerRefusesUs:
      return explain_refusal(subject);
    case Kind::OwnCredentials:
      return explain_own_credentials(subject);
    case Kind::CertificateExpired:
    case Kind::CertificateNotYetValid:
    case Kind::CertificateName:
    case Kind::CertificateUnknownAuthority:
    case Kind::CertificateRevoked:
    case Kind::CertificateStatus:
    case Kind::CertificateConstraint:
      return explain_certificate(subject);
    case Kind::PeerName:
    case Kind::Unreachable:
    case Kind::FilteredPort4500:
    case Kind::SecondMessage:
    case Kind::PeerGone:
    case Kind::HalfOpen:
      return explain_reach(subject);
    case Kind::NotConfigured:
    case Kind::Disabled:
      return explain_stranger(subject);
    case Kind::PathMtu:
    case Kind::OneDirection:
      return explain_path(subject);
    case Kind::NotInstalled:
    case Kind::PeerError:
      break;
  }
  return explain_other(subject);
}

std::string to_text(const Failure& failure, const Explanation& explanation) {
  std::string text =
      fmt::format("{}: {}\n", failure.site.empty() ? failure.peer : failure.site, explanation.what);
  add_line("side", std::string(name_of(explanation.side)), text);
  add_line("received", explanation.received, text);
  add_line("configured", explanation.configured, text);
  add_lines("remark", explanation.remarks, text);
  add_lines("set here", explanation.here, text);
  add_lines("set there", explanation.there, text);
  add_line("seen", times_text(failure), text);
  return text;
}

std::string to_line(const Failure& failure, const Explanation& explanation) {
  std::string line =
      fmt::format("{}: {}", failure.site.empty() ? failure.peer : failure.site, explanation.what);
  if (!explanation.received.empty()) line += "; received: " + explanation.received;
  if (!explanation.configured.empty()) line += "; configured: " + explanation.configured;
  if (failure.count > 1) line += fmt::format("; {} times", failure.count);
  return line;
}

std::string_view name_of(FaultySide side) noexcept {
  switch (side) {
    case FaultySide::Here:
      return "here";
    case FaultySide::There:
      return "there";
    case FaultySide::Between:
      return "the way between";
    case FaultySide::Either:
      break;
  }
  return "either side";
}

std::string time_text(int64_t seconds) {
  std::tm broken{};
  const std::time_t time = seconds;
  if (::gmtime_r(&time, &broken) == nullptr) return "a time that is no time";
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", broken);
}

}  // namespace masugata::ipsec
