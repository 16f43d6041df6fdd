// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/fake_vpn_diagnosis.h"

#include <utility>

namespace masugata::dataplane::control {

FakeVpnDiagnosis::FakeVpnDiagnosis() {
  VpnReason standing;
  standing.failure.kind = ipsec::FailureKind::IkeProposal;
  standing.failure.site = "osaka";
  standing.failure.peer = "198.51.100.7";
  standing.failure.count = 12;
  standing.failure.first = 1'795'402'800;
  standing.failure.last = 1'795'403'700;
  standing.explanation.what = "IKE proposals differ in the group";
  standing.explanation.received = "198.51.100.7 offers: aes256-sha256-modp2048";
  standing.explanation.configured = "accepted: aes256-sha256-ecp256";
  standing.explanation.remarks = {"group: the peer offers modp2048, here is ecp256"};
  standing.explanation.here = {
      "in site osaka: ike { proposal [ aes256-sha256-ecp256 aes256-sha256-modp2048 ]; }"};
  standing.explanation.there = {
      "Masugata, in its site for us: ike { proposal aes256-sha256-ecp256; }",
      "swanctl: proposals = aes256-sha256-ecp256"};
  VpnReason past = standing;
  past.standing = false;
  past.failure.kind = ipsec::FailureKind::Secret;
  past.failure.count = 1;
  past.explanation = {};
  past.explanation.what = "the pre-shared keys (PSK) of the two sides differ";
  VpnReason stranger = past;
  stranger.standing = true;
  stranger.failure.site.clear();
  stranger.failure.peer = "192.0.2.99";
  stranger.explanation.what =
      "the tunnel is configured at the other side only: no site here is for this peer";
  stranger.explanation.here = {"vpn { site NAME { peer 192.0.2.99; ... } }"};
  reasons_answer = {
      {"osaka", false, {standing, past}}, {"nagoya", true, {}}, {"", false, {stranger}}};
}

Result<std::vector<VpnReasons>> FakeVpnDiagnosis::reasons(const std::string& site) {
  if (site.empty()) return reasons_answer;
  for (const VpnReasons& reasons : reasons_answer) {
    if (reasons.site == site) return std::vector{reasons};
  }
  return failure("vpn site " + site, "is not configured");
}

Result<VpnWatchId> FakeVpnDiagnosis::watch(const std::string& site, Listener listener) {
  if (site == "nowhere") return failure("vpn site " + site, "is not configured");
  listeners.push_back(std::move(listener));
  return listeners.size();
}

}  // namespace masugata::dataplane::control
