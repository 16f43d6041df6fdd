// SPDX-License-Identifier: GPL-2.0-or-later
// Identities, secrets and certificates: how the two sides know each other.
#include <fmt/format.h>

#include "ipsec/diagnosis/explanation_parts.h"

namespace masugata::ipsec {
namespace {

using Kind = FailureKind;

bool by_certificate(const Subject& subject) {
  return subject.site != nullptr &&
         subject.site->authentication == config::VpnAuthentication::Certificate;
}

std::string our_identity(const Subject& subject) {
  const std::string own = subject.site != nullptr ? own_identity(*subject.site) : std::string();
  return own.empty() ? "what stands in our certificate" : own;
}

std::string their_identity(const Subject& subject) {
  const std::string expected =
      subject.site != nullptr ? expected_peer_identity(*subject.site) : std::string();
  return expected.empty() ? "anybody" : expected;
}

std::string quoted(const std::string& identity) {
  return identity.find(' ') == std::string::npos ? identity : fmt::format("\"{}\"", identity);
}

void remark_nat(const Subject& subject, Explanation& text) {
  if (subject.failure.nat_here) {
    text.remarks.push_back(
        "this gateway is behind NAT: the peer sees another address than the one that we say we "
        "are; authentication local-identity and the peer's remote-identity should be a name");
  }
  if (subject.failure.nat_there) {
    text.remarks.push_back(
        "the peer is behind NAT, or acts as if it were to have ESP in UDP: its address need not be "
        "what it says it is");
  }
}

// Who is behind NAT seldom says that it is the address that we see.
void advise_behind_nat(const Subject& subject, Explanation& text) {
  const std::string expected = their_identity(subject);
  if (!subject.failure.nat_there || !net::IpAddress::parse(expected)) return;
  text.there.push_back(
      fmt::format("{}authentication {{ local-identity {}; }}", kTheirSite, expected));
  text.there.push_back(fmt::format("swanctl: local {{ id = {} }}", expected));
  text.here.push_back(subject.in_site() +
                      "authentication { remote-identity ...; } with what the peer says it is: a "
                      "name, or its private address");
}

// The peer expects another identity of ours.
Explanation explain_own_identity(const Subject& subject) {
  const Failure& failure = subject.failure;
  Explanation text;
  text.what = "the peer expects another identity of this gateway";
  text.received = fmt::format("{} asks for {}", subject.peer_name(), failure.received);
  text.configured = fmt::format("we are {}", failure.configured);
  text.here.push_back(fmt::format("{}authentication {{ local-identity {}; }}", subject.in_site(),
                                  quoted(failure.received)));
  text.there.push_back(fmt::format("{}authentication {{ remote-identity {}; }}", kTheirSite,
                                   quoted(failure.configured)));
  text.there.push_back(fmt::format("swanctl: remote {{ id = {} }}", quoted(failure.configured)));
  remark_nat(subject, text);
  return text;
}

std::string authority_names(const Subject& subject) {
  std::string names;
  if (subject.site == nullptr) return names;
  for (const std::string& name : subject.site->authorities) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  }
  return names;
}

std::string one_authority(const Subject& subject) {
  const bool one = subject.site != nullptr && subject.site->authorities.size() == 1;
  return one ? subject.site->authorities.front() : std::string("CA");
}

std::string certificate_text(const Failure& failure) {
  return fmt::format("certificate \"{}\", issued by \"{}\"", failure.subject, failure.issuer);
}

Explanation explain_validity(const Subject& subject) {
  const Failure& failure = subject.failure;
  const bool expired = failure.kind == Kind::CertificateExpired;
  Explanation text;
  text.what =
      expired ? "the peer's certificate has expired" : "the peer's certificate is not valid yet";
  text.received = fmt::format("{}, valid from {} to {}", certificate_text(failure),
                              time_text(failure.not_before), time_text(failure.not_after));
  text.configured = fmt::format("our clock says {}", time_text(failure.last));
  if (expired) {
    text.side = FaultySide::There;
    text.there.push_back(
        "Masugata: `masugata pki issue NAME --ca CA ...` where the CA is, `masugata pki import` "
        "there; others: a new certificate");
    text.here.push_back("when our clock is wrong: `timedatectl set-ntp true`, else nothing");
    return text;
  }
  text.here.push_back("when our clock is wrong, which is likely: `timedatectl set-ntp true`");
  text.there.push_back("when its clock was wrong as the certificate was made: a new certificate");
  return text;
}

Explanation explain_unknown_authority(const Subject& subject) {
  const Failure& failure = subject.failure;
  Explanation text;
  text.what = "the peer's certificate is from a CA that this site does not trust";
  text.received = certificate_text(failure);
  text.configured = fmt::format("trusted: ca {}", authority_names(subject));
  text.here.push_back(
      fmt::format("import the certificate of \"{}\" (`masugata pki import`) and {}authentication "
                  "{{ ca NAME; }}",
                  failure.issuer, subject.in_site()));
  text.there.push_back(fmt::format("a certificate from {}", authority_names(subject)));
  text.there.push_back("when there is an intermediate CA between: send its certificate too");
  return text;
}

Explanation explain_revocation(const Subject& subject) {
  const Failure& failure = subject.failure;
  Explanation text;
  text.received = certificate_text(failure);
  if (failure.kind == Kind::CertificateRevoked) {
    text.what = "the peer's certificate is revoked";
    text.side = FaultySide::There;
    text.configured = fmt::format(
        "the list of revocations (CRL) or the OCSP server of \"{}\" says so", failure.issuer);
    text.there.push_back(
        "a new certificate: `masugata pki issue NAME --ca CA ...`, `masugata pki import` there");
    text.here.push_back("nothing, unless the revocation was a mistake: it cannot be undone");
    return text;
  }
  text.what = "whether the peer's certificate is revoked cannot be found out";
  text.side = FaultySide::Here;
  text.configured = "authentication { revocation strict; }";
  text.here.push_back(
      fmt::format("a list that is not too old: `masugata pki crl {}`, `masugata reload`",
                  one_authority(subject)));
  text.here.push_back(subject.in_site() + "authentication { revocation relaxed; }");
  text.there.push_back("nothing");
  return text;
}

void advise_name(const std::string& name, Explanation& text) {
  text.there.push_back(fmt::format(
      "a certificate with the name {}: Masugata: `masugata pki issue NAME --ca CA --dns "
      "{}`",
      name, name));
}

Explanation explain_certificate_name(const Subject& subject) {
  const Failure& failure = subject.failure;
  Explanation text;
  const bool shown = !failure.subject.empty();
  text.what = shown ? "the peer's certificate does not hold its identity"
                    : "the peer sent no certificate, or one that does not hold its identity";
  text.received = fmt::format("{} says that it is {}{}", subject.peer_name(),
                              failure.peer_identity.empty() ? "nobody" : failure.peer_identity,
                              shown ? ", with the " + certificate_text(failure) : "");
  text.configured = fmt::format("authentication by certificate of ca {}, remote-identity {}",
                                authority_names(subject), their_identity(subject));
  text.here.push_back(subject.in_site() +
                      "authentication { remote-identity ...; } with a name that stands in the "
                      "peer's certificate");
  advise_name(failure.peer_identity, text);
  if (!shown) {
    text.there.push_back(
        fmt::format("{}authentication {{ certificate ...; }}; swanctl: local {{ auth = pubkey }}: "
                    "when it uses a "
                    "secret",
                    kTheirSite));
  }
  remark_nat(subject, text);
  return text;
}

Explanation explain_constraint(const Subject& subject) {
  Explanation text;
  text.what = "a CA of the peer's certificate may not issue it";
  text.side = FaultySide::There;
  text.received = certificate_text(subject.failure);
  text.configured = fmt::format("trusted: ca {}", authority_names(subject));
  text.there.push_back("a certificate issued by the trusted CA itself, or by one that it allows");
  text.here.push_back("trust the CA that issued it: authentication { ca NAME; }");
  return text;
}

}  // namespace

Explanation explain_identity(const Subject& subject) {
  const Failure& failure = subject.failure;
  const bool about_us = subject.site != nullptr &&
                        failure.configured == own_identity(*subject.site) &&
                        !failure.configured.empty() && failure.received != failure.peer_identity;
  if (about_us) return explain_own_identity(subject);
  Explanation text;
  const bool certificate = by_certificate(subject);
  text.what = failure.kind == Kind::NatIdentity
                  ? "the peer is behind NAT and says that it is its private address"
                  : "the peer has another identity than expected";
  text.received = fmt::format("{} says that it is {}", subject.peer_name(), failure.peer_identity);
  text.configured = fmt::format("expected: {}", their_identity(subject));
  text.here.push_back(fmt::format("{}authentication {{ remote-identity {}; }}", subject.in_site(),
                                  quoted(failure.peer_identity)));
  text.there.push_back(fmt::format("{}authentication {{ local-identity {}; }}", kTheirSite,
                                   quoted(their_identity(subject))));
  text.there.push_back(
      fmt::format("swanctl: local {{ id = {} }}", quoted(their_identity(subject))));
  if (certificate) advise_name(their_identity(subject), text);
  remark_nat(subject, text);
  return text;
}

Explanation explain_secret(const Subject& subject) {
  const Failure& failure = subject.failure;
  Explanation text;
  text.what = "the pre-shared keys (PSK) of the two sides differ";
  text.received = fmt::format("{} ({}): its proof does not fit our secret", subject.peer_name(),
                              failure.peer_identity);
  const bool file =
      subject.site != nullptr && subject.site->authentication == config::VpnAuthentication::PskFile;
  text.configured = file ? fmt::format("the secret in {}", subject.site->psk_file)
                         : "the secret in authentication { psk ...; }";
  text.here.push_back(file ? fmt::format("write the peer's secret into {}, then `masugata reload`",
                                         subject.site->psk_file)
                           : subject.in_site() + "authentication { psk \"the peer's secret\"; }");
  text.there.push_back(fmt::format("{}authentication {{ psk \"our secret\"; }}", kTheirSite));
  text.there.push_back(fmt::format(
      "swanctl: secrets {{ ike-us {{ id-1 = {}; id-2 = {}; secret = \"our secret\" }} }}",
      our_identity(subject), failure.peer_identity));
  text.remarks.push_back(
      "spaces at the end, other quotes and another encoding of letters count: both secrets must be "
      "the same bytes");
  text.remarks.push_back("it looks the same when the peer uses a certificate");
  return text;
}

Explanation explain_refusal(const Subject& subject) {
  Explanation text;
  const bool certificate = by_certificate(subject);
  text.side = FaultySide::Either;
  text.what = certificate ? "the peer refuses us: our certificate or our identity"
                          : "the peer refuses us: the pre-shared key (PSK) or our identity";
  text.received = fmt::format("{}: AUTHENTICATION_FAILED, without saying why", subject.peer_name());
  text.configured = fmt::format("we say that we are {}, and expect {}", our_identity(subject),
                                their_identity(subject));
  const std::string own = subject.site != nullptr ? own_identity(*subject.site) : std::string();
  const std::string name = own.empty() ? "\"a name that stands in our certificate\"" : quoted(own);
  text.there.push_back(fmt::format("{}authentication {{ remote-identity {}; }}", kTheirSite, name));
  text.there.push_back(fmt::format("swanctl: remote {{ id = {} }}", name));
  if (certificate) {
    text.there.push_back("trust the CA of our certificate: authentication { ca NAME; }");
    text.here.push_back(subject.in_site() +
                        "authentication { local-identity ...; } as the peer expects it, and a "
                        "certificate that is valid and holds it: `masugata pki check`");
  } else {
    text.there.push_back(fmt::format("{}authentication {{ psk \"our secret\"; }}", kTheirSite));
    text.here.push_back(subject.in_site() +
                        "authentication { psk \"the peer's secret\"; local-identity ...; } as the "
                        "peer expects them");
  }
  text.remarks.push_back(
      "the peer's log tells which; a Masugata there says it with `show vpn SITE why`");
  advise_behind_nat(subject, text);
  remark_nat(subject, text);
  return text;
}

Explanation explain_own_credentials(const Subject& subject) {
  Explanation text;
  text.what = "this gateway has nothing to prove itself with";
  text.side = FaultySide::Here;
  text.configured =
      by_certificate(subject)
          ? fmt::format("authentication {{ certificate {}; }}", subject.site->certificate)
          : fmt::format("a secret between {} and {}", our_identity(subject),
                        their_identity(subject));
  text.here.push_back(by_certificate(subject)
                          ? "`masugata pki check`: certificate and key must both be there"
                          : subject.in_site() + "authentication { psk \"the peer's secret\"; }");
  text.there.push_back("nothing");
  return text;
}

Explanation explain_certificate(const Subject& subject) {
  switch (subject.failure.kind) {
    case Kind::CertificateExpired:
    case Kind::CertificateNotYetValid:
      return explain_validity(subject);
    case Kind::CertificateUnknownAuthority:
      return explain_unknown_authority(subject);
    case Kind::CertificateRevoked:
    case Kind::CertificateStatus:
      return explain_revocation(subject);
    case Kind::CertificateName:
      return explain_certificate_name(subject);
    default:
      return explain_constraint(subject);
  }
}

}  // namespace masugata::ipsec
