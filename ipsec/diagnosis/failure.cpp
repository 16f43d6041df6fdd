// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/diagnosis/failure.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "ipsec/diagnosis/networks.h"
#include "ipsec/diagnosis/proposals.h"

namespace masugata::ipsec {
namespace {

using config::VpnSettings;
using config::VpnSite;
using Kind = FailureKind;

// Notify types (RFC 7296 section 3.10.1).
constexpr uint32_t kNoProposalChosen = 14;
constexpr uint32_t kInvalidKeyExchange = 17;
constexpr uint32_t kInvalidIdVersion1 = 18;  // RFC 2408 section 3.14.1: networks, in quick mode
constexpr uint32_t kAuthenticationFailed = 24;
constexpr uint32_t kNoAdditionalSas = 35;
constexpr uint32_t kSelectorsUnacceptable = 38;
constexpr uint32_t kTemporaryFailure = 43;
constexpr uint32_t kChildNotFound = 44;
constexpr uint16_t kIkeSaInit = 34;
constexpr uint16_t kNatPort = 4500;

bool is_address(const std::string& text) { return net::IpAddress::parse(text).has_value(); }

bool offers_group(const VpnSite& site, bool esp, const std::string& group) {
  const auto& exchange = site.exchange;
  if (esp) {
    return std::find(exchange.pfs_groups.begin(), exchange.pfs_groups.end(), group) !=
           exchange.pfs_groups.end();
  }
  return std::any_of(exchange.ike_proposals.begin(), exchange.ike_proposals.end(),
                     [&group](const std::string& proposal) {
                       return ("-" + proposal + "-").find("-" + group + "-") != std::string::npos;
                     });
}

// The peer wants another group. That is an error only when we have no such group.
std::optional<Kind> kind_of_group(const CharonAlert& alert, const VpnSite* site) {
  const bool esp = alert.exchange != kIkeSaInit;
  const size_t space = alert.received.find(' ');
  if (space == std::string::npos || site == nullptr) return std::nullopt;
  const Transform group = parse_transform(std::string_view(alert.received).substr(space + 1));
  if (offers_group(*site, esp, group.word)) return std::nullopt;
  return esp ? Kind::PfsGroup : Kind::IkeProposal;
}

// charon has no alerts of its own for what IKE version 1 notifies.
std::optional<Kind> kind_of_old_notification(const CharonAlert& alert) {
  if (!alert.we_asked) return std::nullopt;
  switch (alert.number) {
    case kNoProposalChosen:
      return alert.established ? Kind::EspProposal : Kind::IkeProposal;
    case kInvalidIdVersion1:
      return alert.established ? Kind::Networks : Kind::PeerRefusesUs;
    case kAuthenticationFailed:
      return Kind::PeerRefusesUs;
    default:
      return Kind::PeerError;
  }
}

std::optional<Kind> kind_of_notification(const CharonAlert& alert, const VpnSite* site) {
  if (alert.ike_version == 1) return kind_of_old_notification(alert);
  switch (alert.number) {
    case kInvalidKeyExchange:
      return kind_of_group(alert, site);
    case kSelectorsUnacceptable:
      return Kind::Networks;
    // Alerts of charon's own tell of these.
    case kNoProposalChosen:
    case kAuthenticationFailed:
    // Passing states of an exchange that is repeated.
    case kNoAdditionalSas:
    case kTemporaryFailure:
    case kChildNotFound:
      return std::nullopt;
    default:
      return Kind::PeerError;
  }
}

// Which of the groups differ shows only once there is an exchange with one.
Kind kind_of_child_proposal(const CharonAlert& alert) {
  if (!alert.rekeying) return Kind::EspProposal;
  const auto difference =
      nearest(parse_proposals(alert.received), parse_proposals(alert.configured), true);
  if (!difference) return alert.received.empty() ? Kind::PfsGroup : Kind::EspProposal;
  const bool only_group = difference->types == std::vector<TransformType>{TransformType::Group};
  return only_group ? Kind::PfsGroup : Kind::EspProposal;
}

Kind kind_of_timeout(const CharonAlert& alert) {
  if (alert.established) return Kind::PeerGone;
  if (!alert.peer_answered) return Kind::Unreachable;
  return alert.remote_port == kNatPort ? Kind::FilteredPort4500 : Kind::SecondMessage;
}

bool other_identity(const CharonAlert& alert, const VpnSite& site) {
  const std::string expected = expected_peer_identity(site);
  return !expected.empty() && !alert.remote_identity.empty() && alert.remote_identity != expected;
}

// The peer may name the identity that it expects of us.
bool other_own_identity(const CharonAlert& alert, const VpnSite& site) {
  const std::string own = own_identity(site);
  return !alert.we_asked && !own.empty() && !alert.local_identity.empty() &&
         alert.local_identity != own;
}

Kind kind_of_authentication(const CharonAlert& alert, const VpnSite* site) {
  if (site == nullptr) return Kind::NotConfigured;
  if (other_identity(alert, *site)) {
    const bool behind_nat = alert.nat_there && is_address(alert.remote_identity);
    return behind_nat ? Kind::NatIdentity : Kind::Identity;
  }
  if (other_own_identity(alert, *site)) return Kind::Identity;
  const bool certificate = site->authentication == config::VpnAuthentication::Certificate;
  return certificate ? Kind::CertificateName : Kind::Secret;
}

Kind kind_of_stranger(const CharonAlert& alert, const VpnSite* site) {
  if (site == nullptr) return Kind::NotConfigured;
  if (!site->enabled) return Kind::Disabled;
  const bool other_version =
      alert.ike_version != 0 && alert.ike_version != site->exchange.ike_version;
  return other_version ? Kind::IkeVersion : Kind::NotConfigured;
}

bool was_narrowed(const CharonAlert& alert) {
  const NetworkPair agreed = parse_networks(alert.received);
  const NetworkPair wanted = parse_networks(alert.configured);
  return !wanted.local.empty() && !agreed.local.empty() &&
         (!same_networks(agreed.local, wanted.local) ||
          !same_networks(agreed.remote, wanted.remote));
}

std::optional<Kind> kind_of_certificate(const CharonAlert& alert, int64_t now) {
  switch (alert.kind) {
    case AlertKind::CertificateExpired:
      return now < alert.not_before ? Kind::CertificateNotYetValid : Kind::CertificateExpired;
    case AlertKind::CertificateRevoked:
      return Kind::CertificateRevoked;
    case AlertKind::CertificateStatusUnknown:
      return Kind::CertificateStatus;
    case AlertKind::CertificateNoIssuer:
    case AlertKind::CertificateUntrustedRoot:
      return Kind::CertificateUnknownAuthority;
    case AlertKind::CertificatePathLength:
    case AlertKind::CertificatePolicy:
      return Kind::CertificateConstraint;
    default:
      return std::nullopt;
  }
}

std::optional<Kind> kind_of_reach(const CharonAlert& alert) {
  switch (alert.kind) {
    case AlertKind::PeerAddress:
      return Kind::PeerName;
    case AlertKind::PeerUnreachable:
    case AlertKind::Retransmit:
    case AlertKind::RetransmitTimeout:
      return kind_of_timeout(alert);
    case AlertKind::HalfOpenTimeout:
      return Kind::HalfOpen;
    default:
      return std::nullopt;
  }
}

std::optional<Kind> kind_of(const CharonAlert& alert, const VpnSite* site, int64_t now) {
  switch (alert.kind) {
    case AlertKind::IkeProposals:
      return Kind::IkeProposal;
    case AlertKind::ChildProposals:
      return kind_of_child_proposal(alert);
    case AlertKind::Selectors:
      return Kind::Networks;
    case AlertKind::ChildUp:
    case AlertKind::ChildRekeyed:
      return was_narrowed(alert) ? std::optional(Kind::NetworksNarrowed) : std::nullopt;
    case AlertKind::LocalAuthentication:
      return alert.received.empty() ? Kind::OwnCredentials : Kind::PeerRefusesUs;
    case AlertKind::PeerAuthentication:
      return kind_of_authentication(alert, site);
    case AlertKind::PeerNotConfigured:
      return kind_of_stranger(alert, site);
    case AlertKind::PeerNotified:
      return kind_of_notification(alert, site);
    case AlertKind::SaNotInstalled:
    case AlertKind::PolicyNotInstalled:
      return Kind::NotInstalled;
    default:
      break;
  }
  if (const auto certificate = kind_of_certificate(alert, now)) return certificate;
  return kind_of_reach(alert);
}

}  // namespace

std::string_view name_of(FailureKind kind) noexcept {
  constexpr std::string_view kNames[] = {
      "ike-proposal",
      "esp-proposal",
      "pfs-group",
      "ike-version",
      "networks",
      "networks-narrowed",
      "identity",
      "nat-identity",
      "secret",
      "peer-refuses-us",
      "own-credentials",
      "certificate-expired",
      "certificate-not-yet-valid",
      "certificate-name",
      "certificate-unknown-authority",
      "certificate-revoked",
      "certificate-status",
      "certificate-constraint",
      "peer-name",
      "unreachable",
      "filtered-port-4500",
      "second-message",
      "peer-gone",
      "half-open",
      "not-configured",
      "disabled",
      "not-installed",
      "peer-error",
      "path-mtu",
      "one-direction",
  };
  const auto index = static_cast<size_t>(kind);
  return index < std::size(kNames) ? kNames[index] : "no failure";
}

bool Failure::same_cause(const Failure& other) const {
  return kind == other.kind && site == other.site && we_asked == other.we_asked &&
         peer == other.peer && peer_identity == other.peer_identity && received == other.received &&
         configured == other.configured && subject == other.subject;
}

std::string expected_peer_identity(const VpnSite& site) {
  if (!site.identities.remote.empty()) return site.identities.remote;
  return site.peer_is_any() ? std::string() : site.peer;
}

std::string own_identity(const VpnSite& site) {
  if (!site.identities.local.empty()) return site.identities.local;
  const bool by_address =
      site.authentication != config::VpnAuthentication::Certificate && site.local_address;
  return by_address ? site.local_address->to_string() : std::string();
}

const VpnSite* site_of(const CharonAlert& alert, const VpnSettings& settings) {
  const auto find = [&settings](auto condition) -> const VpnSite* {
    const auto found = std::find_if(settings.sites.begin(), settings.sites.end(), condition);
    return found == settings.sites.end() ? nullptr : &*found;
  };
  if (!alert.connection.empty()) {
    return find([&alert](const VpnSite& site) { return site.name == alert.connection; });
  }
  if (alert.remote) {
    const VpnSite* by_address =
        find([&alert](const VpnSite& site) { return site.peer_address == alert.remote; });
    if (by_address != nullptr) return by_address;
  }
  if (alert.remote_identity.empty()) return nullptr;
  return find([&alert](const VpnSite& site) {
    return expected_peer_identity(site) == alert.remote_identity;
  });
}

std::optional<Failure> failure_of(const CharonAlert& alert, const VpnSettings& settings,
                                  int64_t now) {
  const VpnSite* site = site_of(alert, settings);
  const std::optional<Kind> kind = kind_of(alert, site, now);
  if (!kind) return std::nullopt;
  Failure failure;
  failure.kind = *kind;
  if (site != nullptr) failure.site = site->name;
  failure.we_asked = alert.we_asked;
  failure.rekeying = alert.rekeying;
  failure.nat_here = alert.nat_here;
  failure.nat_there = alert.nat_there;
  failure.provisional =
      alert.kind == AlertKind::Retransmit || alert.kind == AlertKind::PeerUnreachable;
  failure.ike_version = alert.ike_version;
  failure.ike_id = alert.ike_id;
  if (alert.remote) failure.peer = alert.remote->to_string();
  failure.peer_port = alert.remote_port;
  failure.peer_identity = alert.remote_identity;
  failure.received = alert.received;
  failure.configured = alert.configured;
  if (*kind == Kind::Identity && site != nullptr && !other_identity(alert, *site)) {
    failure.received = alert.local_identity;
    failure.configured = own_identity(*site);
  }
  failure.subject = alert.subject;
  failure.issuer = alert.issuer;
  failure.not_before = alert.not_before;
  failure.not_after = alert.not_after;
  failure.first = failure.last = now;
  return failure;
}

}  // namespace masugata::ipsec
