// SPDX-License-Identifier: GPL-2.0-or-later
// What keeps a tunnel from coming up, or from carrying packets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/vpn_settings.h"
#include "ipsec/sa/sa_consumer.h"

namespace masugata::ipsec {

enum class FailureKind : uint8_t {
  IkeProposal,
  EspProposal,
  PfsGroup,  // of ESP: shows at the first rekey
  IkeVersion,
  Networks,  // traffic selectors
  NetworksNarrowed,
  Identity,     // the peer's is not the one that is expected, or it expects another of ours
  NatIdentity,  // likewise, and it is an address behind a NAT
  Secret,
  PeerRefusesUs,  // our secret, identity or certificate: it does not say which
  OwnCredentials,
  CertificateExpired,
  CertificateNotYetValid,
  CertificateName,
  CertificateUnknownAuthority,
  CertificateRevoked,
  CertificateStatus,
  CertificateConstraint,
  PeerName,     // its domain name does not resolve
  Unreachable,  // nothing answers
  FilteredPort4500,
  SecondMessage,  // the first message is answered, the next is not
  PeerGone,       // it was there, and does not answer any more
  HalfOpen,       // the peer began and did not go on
  NotConfigured,  // somebody asks, no site is for it
  Disabled,       // likewise, the site is switched off
  NotInstalled,   // agreed on, but our packet path refuses it
  PeerError,      // any other error that the peer notifies
  PathMtu,        // small packets pass, large ones do not
  OneDirection,   // packets go out, none come in, or the other way round
};
[[nodiscard]] std::string_view name_of(FailureKind kind) noexcept;  // "ike-proposal"

// Where there is something to change, as far as it can be known.
enum class FaultySide : uint8_t { Either, Here, There, Between };

struct Failure {
  FailureKind kind = FailureKind::PeerError;
  std::string site;  // empty: no site is for this peer
  bool we_asked = false;
  bool rekeying = false;
  bool nat_here = false;
  bool nat_there = false;
  // Not final: IKE is still trying. Not counted.
  bool provisional = false;
  uint8_t ike_version = 0;
  uint32_t ike_id = 0;  // charon's
  std::string peer;     // its address, as seen
  uint16_t peer_port = 0;
  std::string peer_identity;
  // charon's words: proposals, selectors, the name of an error. Empty where it is not known.
  std::string received;
  std::string configured;
  std::string subject;  // of a certificate
  std::string issuer;
  int64_t not_before = 0;  // seconds since 1970
  int64_t not_after = 0;
  uint64_t number = 0;        // PathMtu: the largest packet that passes, bytes
  uint64_t other_number = 0;  // PathMtu: the MTU that the tunnel works with

  uint64_t count = 1;
  int64_t first = 0;  // seconds since 1970
  int64_t last = 0;

  // Of the same cause: one entry of the history.
  [[nodiscard]] bool same_cause(const Failure& other) const;
};

// The site that an alert is about: by the connection's name, else by the peer's address, else by
// its identity. nullptr: none.
[[nodiscard]] const config::VpnSite* site_of(const CharonAlert& alert,
                                             const config::VpnSettings& settings);

// nullopt: nothing failed, or another alert tells more about it. `now`: seconds since 1970.
[[nodiscard]] std::optional<Failure> failure_of(const CharonAlert& alert,
                                                const config::VpnSettings& settings, int64_t now);

// The identities that the two sides go by, as charon is told.
[[nodiscard]] std::string expected_peer_identity(const config::VpnSite& site);
[[nodiscard]] std::string own_identity(const config::VpnSite& site);

}  // namespace masugata::ipsec
