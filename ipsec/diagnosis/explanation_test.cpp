// SPDX-License-Identifier: GPL-2.0-or-later
// Every kind of failure against its golden text (golden_texts.txt). MASUGATA_WRITE_GOLDEN=1 writes
// that file anew, to be read before it is committed.
#include "ipsec/diagnosis/explanation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "config/load.h"
#include "ipsec/diagnosis/sample_alerts.h"

namespace masugata::ipsec {
namespace {

using sample::alert;
using sample::asked_by_us;
using sample::of_site;

struct Case {
  std::string name;
  Failure failure;
};

Failure from(const CharonAlert& alert) {
  const auto failure = failure_of(alert, sample::settings(), sample::kNow);
  EXPECT_TRUE(failure) << name_of(alert.kind);
  return failure.value_or(Failure{});
}

CharonAlert with(CharonAlert alert, const char* received, const char* configured) {
  alert.received = received;
  alert.configured = configured;
  return alert;
}

std::vector<Case> proposals() {
  std::vector<Case> cases;
  cases.push_back({"IKE: one type differs",
                   from(with(alert(AlertKind::IkeProposals),
                             "IKE:AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048",
                             sample::kOurIke))});
  cases.push_back(
      {"IKE: the peer has weak ones only",
       from(with(alert(AlertKind::IkeProposals),
                 "IKE:3DES_CBC/HMAC_SHA1_96/PRF_HMAC_SHA1/MODP_1024", sample::kOurIke))});
  cases.push_back({"IKE: the peer has what we have not",
                   from(with(alert(AlertKind::IkeProposals),
                             "IKE:CAMELLIA_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/ECP_256",
                             sample::kOurIke))});
  cases.push_back({"IKE: our offer is refused",
                   from(with(asked_by_us(AlertKind::IkeProposals, "osaka"), "", sample::kOurIke))});
  CharonAlert group = asked_by_us(AlertKind::PeerNotified, "osaka");
  group.number = 17;
  group.exchange = 34;
  CharonAlert old = asked_by_us(AlertKind::PeerNotified, "osaka");
  old.number = 14;
  old.ike_version = 1;
  cases.push_back(
      {"IKE version 1: our offer is refused", from(with(old, "NO_PROPOSAL_CHOSEN", ""))});
  old.established = true;
  cases.push_back({"IKE version 1: our ESP is refused", from(with(old, "NO_PROPOSAL_CHOSEN", ""))});
  cases.push_back({"IKE: another group", from(with(group, "INVALID_KE_PAYLOAD ECP_521", ""))});
  cases.push_back(
      {"ESP: one type differs", from(with(of_site(AlertKind::ChildProposals, "osaka"),
                                          "ESP:AES_GCM_16_256/NO_EXT_SEQ", sample::kOurEsp))});
  cases.push_back({"ESP: the cipher has no integrity of its own",
                   from(with(of_site(AlertKind::ChildProposals, "osaka"),
                             "ESP:AES_CBC_256/HMAC_SHA2_256_128/NO_EXT_SEQ", sample::kOurEsp))});
  cases.push_back({"ESP: the peer has what no gateway of ours has",
                   from(with(of_site(AlertKind::ChildProposals, "osaka"),
                             "ESP:AES_CBC_128/HMAC_SHA1_96/NO_EXT_SEQ", sample::kOurEsp))});
  cases.push_back(
      {"ESP: our offer is refused",
       from(with(asked_by_us(AlertKind::ChildProposals, "osaka"), "", sample::kOurEsp))});
  CharonAlert rekey = of_site(AlertKind::ChildProposals, "osaka");
  rekey.rekeying = rekey.established = true;
  cases.push_back({"PFS: the peer rekeys with another group",
                   from(with(rekey, "ESP:AES_GCM_16_128/MODP_2048/NO_EXT_SEQ", sample::kOurEsp))});
  cases.push_back({"PFS: the peer rekeys without a group",
                   from(with(rekey, "ESP:AES_GCM_16_128/NO_EXT_SEQ", sample::kOurEsp))});
  rekey.we_asked = true;
  cases.push_back({"PFS: our rekeying is refused", from(with(rekey, "", sample::kOurEsp))});
  CharonAlert version = alert(AlertKind::PeerNotConfigured);
  version.ike_version = 1;
  cases.push_back({"IKE version", from(version)});
  return cases;
}

std::vector<Case> networks() {
  std::vector<Case> cases;
  cases.push_back({"networks: the peer wants others",
                   from(with(of_site(AlertKind::Selectors, "osaka"), "10.0.0.0/16 === 10.21.0.0/16",
                             "10.0.0.0/16 === 10.20.0.0/16"))});
  cases.push_back(
      {"networks: on both sides", from(with(of_site(AlertKind::Selectors, "osaka"),
                                            "10.1.0.0/16 10.3.0.0/16 === 10.21.0.1..10.21.0.9",
                                            "10.0.0.0/16 === 10.20.0.0/16"))});
  CharonAlert refused = asked_by_us(AlertKind::PeerNotified, "osaka");
  refused.number = 38;
  cases.push_back({"networks: ours are refused",
                   from(with(refused, "TS_UNACCEPTABLE", "10.0.0.0/16 === 10.20.0.0/16"))});
  cases.push_back({"networks: narrowed",
                   from(with(asked_by_us(AlertKind::ChildUp, "osaka"),
                             "10.0.5.0/24 === 10.20.0.0/16", "10.0.0.0/16 === 10.20.0.0/16"))});
  return cases;
}

std::vector<Case> identities() {
  std::vector<Case> cases;
  CharonAlert other = alert(AlertKind::PeerAuthentication);
  other.remote_identity = "branch.example.com";
  cases.push_back({"identity: the peer's", from(other)});
  other.remote_identity = "192.168.1.2";
  other.nat_there = true;
  cases.push_back({"identity: behind NAT", from(other)});
  CharonAlert ours = alert(AlertKind::PeerAuthentication);
  ours.remote_identity = "198.51.100.7";
  ours.local_identity = "hq.example.com";
  cases.push_back({"identity: ours", from(ours)});
  cases.push_back({"PSK", from(of_site(AlertKind::PeerAuthentication, "osaka"))});
  const char* refusal = "AUTHENTICATION_FAILED";
  cases.push_back({"refused: PSK or identity",
                   from(with(asked_by_us(AlertKind::LocalAuthentication, "osaka"), refusal, ""))});
  cases.push_back({"refused: certificate",
                   from(with(asked_by_us(AlertKind::LocalAuthentication, "sendai"), refusal, ""))});
  cases.push_back({"own credentials", from(asked_by_us(AlertKind::LocalAuthentication, "osaka"))});
  return cases;
}

CharonAlert certificate(AlertKind kind) {
  CharonAlert made = of_site(kind, "sendai");
  made.subject = "CN=sendai.example.com";
  made.issuer = "CN=Example VPN";
  made.not_before = sample::kNow - 86400 * 365;
  made.not_after = sample::kNow + 86400 * 365;
  return made;
}

std::vector<Case> certificates() {
  std::vector<Case> cases;
  CharonAlert old = certificate(AlertKind::CertificateExpired);
  old.not_after = sample::kNow - 3600;
  cases.push_back({"certificate: expired", from(old)});
  old.not_before = sample::kNow + 3600;
  old.not_after = sample::kNow + 7200;
  cases.push_back({"certificate: not valid yet", from(old)});
  CharonAlert name = certificate(AlertKind::PeerAuthentication);
  name.subject = "CN=kobe.example.com";
  cases.push_back({"certificate: name", from(name)});
  cases.push_back({"certificate: none", from(of_site(AlertKind::PeerAuthentication, "sendai"))});
  CharonAlert foreign = certificate(AlertKind::CertificateNoIssuer);
  foreign.issuer = "CN=Foreign CA";
  cases.push_back({"certificate: unknown CA", from(foreign)});
  cases.push_back({"certificate: revoked", from(certificate(AlertKind::CertificateRevoked))});
  cases.push_back({"certificate: status", from(certificate(AlertKind::CertificateStatusUnknown))});
  cases.push_back({"certificate: chain", from(certificate(AlertKind::CertificatePathLength))});
  return cases;
}

std::vector<Case> ways() {
  std::vector<Case> cases;
  CharonAlert silent = asked_by_us(AlertKind::RetransmitTimeout, "osaka");
  silent.peer_answered = false;
  cases.push_back({"way: nothing answers", from(silent)});
  silent.kind = AlertKind::Retransmit;
  silent.number = 1;
  cases.push_back({"way: no answer so far", from(silent)});
  CharonAlert filtered = asked_by_us(AlertKind::RetransmitTimeout, "osaka");
  filtered.remote_port = 4500;
  cases.push_back({"way: port 4500", from(filtered)});
  cases.push_back(
      {"way: second message", from(asked_by_us(AlertKind::RetransmitTimeout, "osaka"))});
  CharonAlert gone = asked_by_us(AlertKind::RetransmitTimeout, "osaka");
  gone.established = true;
  cases.push_back({"way: gone", from(gone)});
  cases.push_back({"way: half open", from(alert(AlertKind::HalfOpenTimeout))});
  CharonAlert unknown = asked_by_us(AlertKind::PeerAddress, "nagoya");
  unknown.remote.reset();
  cases.push_back({"way: name", from(unknown)});
  CharonAlert stranger = alert(AlertKind::PeerNotConfigured);
  stranger.remote = sample::ip("192.0.2.99");
  cases.push_back({"one side only", from(stranger)});
  stranger.remote = sample::ip("198.51.100.9");
  cases.push_back({"switched off", from(stranger)});
  return cases;
}

std::vector<Case> others() {
  std::vector<Case> cases;
  cases.push_back({"not installed", from(of_site(AlertKind::SaNotInstalled, "osaka"))});
  CharonAlert translated = of_site(AlertKind::SaNotInstalled, "logs");
  translated.remote = sample::ip("198.51.100.20");
  translated.nat_there = true;
  cases.push_back({"transport mode: the peer behind NAT", from(translated)});
  translated = asked_by_us(AlertKind::ChildProposals, "logs");
  translated.nat_here = true;
  cases.push_back(
      {"transport mode: we are behind NAT", from(with(translated, "", sample::kOurEsp))});
  CharonAlert error = asked_by_us(AlertKind::PeerNotified, "osaka");
  error.number = 7;
  cases.push_back({"any other error", from(with(error, "INVALID_SYNTAX", ""))});
  Failure path = from(of_site(AlertKind::SaNotInstalled, "osaka"));
  path.kind = FailureKind::PathMtu;
  path.number = 1312;
  path.other_number = 1446;
  cases.push_back({"MTU black hole", path});
  path.kind = FailureKind::OneDirection;
  path.received = "0";
  path.configured = "34";
  path.count = 3;
  path.last += 600;
  cases.push_back({"one direction: nothing comes", path});
  path.received = "34";
  path.configured = "0";
  cases.push_back({"one direction: nothing goes", path});
  return cases;
}

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const auto& some :
       {proposals(), networks(), identities(), certificates(), ways(), others()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::string text_of(const Case& one) {
  return "== " + one.name + "\n" + to_text(one.failure, explain(one.failure, sample::settings())) +
         "\n";
}

std::map<std::string, std::string> read_golden(const std::string& path) {
  std::map<std::string, std::string> golden;
  std::ifstream file(path);
  std::string line, name;
  while (std::getline(file, line)) {
    if (line.starts_with("== ")) name = line.substr(3);
    golden[name] += line + "\n";
  }
  return golden;
}

TEST(Explanation, SaysOfEveryFailureWhatToSetWhere) {
  const std::string path = MASUGATA_GOLDEN_TEXTS;
  if (std::getenv("MASUGATA_WRITE_GOLDEN") != nullptr) {
    std::ofstream file(path);
    for (const Case& one : all_cases()) file << text_of(one);
  }
  auto golden = read_golden(path);
  for (const Case& one : all_cases()) {
    EXPECT_EQ(text_of(one), golden[one.name]) << one.name;
    golden.erase(one.name);
  }
  EXPECT_TRUE(golden.empty()) << golden.begin()->first << " is in the file, not in the test";
}

TEST(Explanation, HasAllItsParts) {
  std::set<FailureKind> kinds;
  for (const Case& one : all_cases()) {
    const Explanation text = explain(one.failure, sample::settings());
    kinds.insert(one.failure.kind);
    EXPECT_FALSE(text.what.empty()) << one.name;
    EXPECT_FALSE(text.configured.empty()) << one.name;
    EXPECT_FALSE(text.here.empty()) << one.name;
    EXPECT_FALSE(text.there.empty()) << one.name;
    EXPECT_EQ(to_line(one.failure, text).find('\n'), std::string::npos) << one.name;
  }
  for (int kind = 0; name_of(static_cast<FailureKind>(kind)) != "no failure"; ++kind) {
    EXPECT_TRUE(kinds.contains(static_cast<FailureKind>(kind)))
        << name_of(static_cast<FailureKind>(kind)) << " has no golden text";
  }
}

// What the configuration's loader says of a site with these statements; empty: it takes them.
std::string refusal_of(const std::string& statements) {
  const bool says_secret = statements.find("psk") != std::string::npos;
  const std::string secret = says_secret ? "" : "psk \"correct horse battery staple\";";
  const config::Loaded loaded = config::load_text(
      "interfaces { interface wan0 { device 0000:01:00.0; address 203.0.113.2/24; } }\n"
      "zones { zone wan { interface wan0; } zone branches { } }\n"
      "vpn { site osaka { peer 198.51.100.7; local-interface wan0; zone branches;\n"
      "authentication { " +
          secret + " }\n" + statements + "\n} }",
      "test");
  std::string said;
  for (const config::Problem& problem : loaded.problems) {
    if (problem.severity != config::Problem::Severity::Error) continue;
    said += config::format_problem(problem, "test") + "\n";
  }
  return said;
}

// Lines that only say what sort of thing to write have dots or words around them.
TEST(Explanation, WhatToSetHereIsTaken) {
  size_t tried = 0;
  for (const Case& one : all_cases()) {
    for (const std::string& line : explain(one.failure, sample::settings()).here) {
      const size_t begin = line.find(": ");
      const bool whole = line.starts_with("in site ") && line.find("...") == std::string::npos &&
                         (line.back() == ';' || line.back() == '}') &&
                         line.find("remove ") == std::string::npos;
      if (!whole) continue;
      EXPECT_EQ(refusal_of(line.substr(begin + 2)), "") << one.name << ": " << line;
      ++tried;
    }
  }
  EXPECT_GT(tried, 10U);
}

TEST(Explanation, NeedsNoSite) {
  for (Case one : all_cases()) {
    one.failure.site = "removed";
    EXPECT_FALSE(explain(one.failure, {}).what.empty());
  }
}

TEST(Explanation, SaysWhatToSetWhateverCharonWrote) {
  for (const AlertKind kind :
       {AlertKind::IkeProposals, AlertKind::ChildProposals, AlertKind::Selectors}) {
    for (const char* received : {"", "?", "IKE:", "ESP:AES_CBC_128", " === "}) {
      const Failure failure = from(with(of_site(kind, "osaka"), received, received));
      const Explanation text = explain(failure, sample::settings());
      EXPECT_FALSE(text.here.empty()) << name_of(kind) << received;
      EXPECT_FALSE(text.there.empty()) << name_of(kind) << received;
    }
  }
}

TEST(Explanation, NeverSaysASecret) {
  config::VpnSettings settings = sample::settings();
  for (config::VpnSite& site : settings.sites) site.psk = config::Secret("very-secret");
  for (const Case& one : all_cases()) {
    const std::string text = to_text(one.failure, explain(one.failure, settings));
    EXPECT_EQ(text.find("very-secret"), std::string::npos) << one.name;
  }
}

}  // namespace
}  // namespace masugata::ipsec
