// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/diagnosis/diagnosis.h"

#include <gtest/gtest.h>

#include "ipsec/diagnosis/sample_alerts.h"

namespace masugata::ipsec {
namespace {

class DiagnosisTest : public testing::Test {
 protected:
  DiagnosisTest()
      : diagnosis_({.now = [this] { return now_; },
                    .event = [this](const TunnelEvent& event) { events_.push_back(event); },
                    .alert =
                        [this](const Failure& failure, const Explanation&, bool over) {
                          alerts_.emplace_back(name_of(failure.kind));
                          if (over) alerts_.back() += " is over";
                        }}) {
    diagnosis_.configure(sample::settings());
  }

  int64_t now_ = sample::kNow;
  std::vector<TunnelEvent> events_;
  std::vector<std::string> alerts_;
  Diagnosis diagnosis_;
};

TEST_F(DiagnosisTest, TellsOfAFailureAndOfItsEnd) {
  for (int i = 0; i < 5; ++i)
    diagnosis_.take(sample::of_site(AlertKind::PeerAuthentication, "osaka"));
  EXPECT_EQ(alerts_, std::vector<std::string>{"secret"});
  EXPECT_EQ(events_.size(), 5U);
  EXPECT_EQ(events_[0].kind, "secret");
  EXPECT_EQ(events_[0].site, "osaka");
  CharonAlert up = sample::of_site(AlertKind::ChildUp, "osaka");
  up.received = up.configured = "10.0.0.0/16 === 10.20.0.0/16";
  up.nat_there = true;
  diagnosis_.take(up);
  EXPECT_EQ(alerts_, (std::vector<std::string>{"secret", "secret is over"}));
  EXPECT_EQ(events_.back().kind, "up");
  EXPECT_EQ(events_.back().text,
            "the tunnel is up with 198.51.100.7 (198.51.100.7), 10.0.0.0/16 === 10.20.0.0/16, the "
            "peer is behind NAT");
  EXPECT_FALSE(diagnosis_.history().standing("osaka"));
}

TEST_F(DiagnosisTest, FindsTheSiteByAddressWhereCharonNamesNone) {
  CharonAlert mismatch = sample::alert(AlertKind::IkeProposals);
  mismatch.received = "IKE:AES_CBC_128/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048";
  mismatch.configured = sample::kOurIke;
  diagnosis_.take(mismatch);
  EXPECT_EQ(diagnosis_.history().standing("osaka")->kind, FailureKind::IkeProposal);
}

TEST_F(DiagnosisTest, KeepsStrangersApart) {
  CharonAlert stranger = sample::alert(AlertKind::PeerNotConfigured);
  stranger.remote = sample::ip("192.0.2.99");
  diagnosis_.take(stranger);
  ASSERT_EQ(diagnosis_.history().of_site("").size(), 1U);
  EXPECT_EQ(diagnosis_.history().of_site("")[0].failure.peer, "192.0.2.99");
}

TEST_F(DiagnosisTest, LeavesOutWhatIsNoFailure) {
  CharonAlert group = sample::asked_by_us(AlertKind::PeerNotified, "osaka");
  group.number = 17;
  group.exchange = 34;
  group.received = "INVALID_KE_PAYLOAD ECP_256";  // we have it, and go on with it
  diagnosis_.take(group);
  CharonAlert refused = sample::asked_by_us(AlertKind::PeerNotified, "osaka");
  refused.number = 14;
  refused.received = "NO_PROPOSAL_CHOSEN";
  diagnosis_.take(refused);
  EXPECT_TRUE(alerts_.empty());
  EXPECT_TRUE(diagnosis_.history().of_site("osaka").empty());
}

TEST_F(DiagnosisTest, NoticesPacketsInOneDirection) {
  diagnosis_.observe("osaka", "198.51.100.7", 10, 10);
  now_ += 5;
  diagnosis_.observe("osaka", "198.51.100.7", 10, 30);
  EXPECT_TRUE(alerts_.empty());
  now_ += Diagnosis::kOneDirectionSeconds;
  diagnosis_.observe("osaka", "198.51.100.7", 10, 40);
  diagnosis_.observe("osaka", "198.51.100.7", 10, 50);
  EXPECT_EQ(alerts_, std::vector<std::string>{"one-direction"});
  EXPECT_EQ(diagnosis_.history().standing("osaka")->configured, "30");
  diagnosis_.observe("osaka", "198.51.100.7", 11, 60);
  EXPECT_EQ(alerts_.back(), "one-direction is over");
}

TEST_F(DiagnosisTest, TakesPfsAndNarrowingForPastWhenTheyAre) {
  CharonAlert rekey = sample::of_site(AlertKind::ChildProposals, "osaka");
  rekey.rekeying = rekey.established = true;
  rekey.received = "ESP:AES_GCM_16_128/MODP_2048";
  rekey.configured = sample::kOurEsp;
  diagnosis_.take(rekey);
  CharonAlert up = sample::of_site(AlertKind::ChildUp, "osaka");
  up.received = "10.0.5.0/24 === 10.20.0.0/16";
  up.configured = "10.0.0.0/16 === 10.20.0.0/16";
  diagnosis_.take(up);
  EXPECT_EQ(alerts_, (std::vector<std::string>{"pfs-group", "networks-narrowed"}));
  up.kind = AlertKind::ChildRekeyed;
  up.received = up.configured;
  diagnosis_.take(up);
  EXPECT_FALSE(diagnosis_.history().standing("osaka"));
  EXPECT_EQ(alerts_.size(), 4U);
}

TEST_F(DiagnosisTest, SeesNothingWrongInTrafficBothWays) {
  for (uint64_t i = 0; i < 20; ++i) {
    diagnosis_.observe("osaka", "198.51.100.7", i, i * 100);
    now_ += Diagnosis::kOneDirectionSeconds;
  }
  // New SAs begin at nothing.
  diagnosis_.observe("osaka", "198.51.100.7", 0, 3);
  EXPECT_TRUE(alerts_.empty());
}

TEST_F(DiagnosisTest, AMeasuredBlackHoleStandsUntilItIsMeasuredAgain) {
  PathReport report;
  report.site = "osaka";
  report.finding.answered = true;
  report.finding.passes_bytes = 1318;
  report.finding.fails_bytes = 1322;
  report.lets_in_bytes = 1446;
  diagnosis_.measured({report});
  EXPECT_EQ(alerts_, std::vector<std::string>{"path-mtu"});
  EXPECT_EQ(diagnosis_.history().standing("osaka")->number, 1318);
  report.finding.answered = false;  // proves nothing
  diagnosis_.measured({report});
  EXPECT_EQ(alerts_.size(), 1U);
  report.finding.answered = true;
  report.lets_in_bytes = 1318;
  diagnosis_.measured({report});
  EXPECT_EQ(alerts_.back(), "path-mtu is over");
  EXPECT_FALSE(diagnosis_.history().standing("osaka"));
}

TEST_F(DiagnosisTest, OneFamilysBlackHoleIsOne) {
  PathReport hole;
  hole.site = "osaka";
  hole.finding.answered = true;
  hole.finding.passes_bytes = 1318;
  hole.finding.fails_bytes = 1322;
  hole.lets_in_bytes = 1446;
  PathReport smaller = hole;
  smaller.finding.passes_bytes = 1300;
  PathReport whole = hole;
  whole.finding.passes_bytes = 1446;
  whole.finding.fails_bytes = 0;
  diagnosis_.measured({hole, whole});
  EXPECT_EQ(diagnosis_.history().standing("osaka")->number, 1318);
  diagnosis_.measured({hole, smaller});
  EXPECT_EQ(diagnosis_.history().standing("osaka")->number, 1300);
  diagnosis_.measured({whole, whole});
  EXPECT_FALSE(diagnosis_.history().standing("osaka"));
}

TEST_F(DiagnosisTest, ForgetsSitesThatAreGone) {
  diagnosis_.take(sample::of_site(AlertKind::PeerAuthentication, "osaka"));
  diagnosis_.configure({});
  EXPECT_TRUE(diagnosis_.history().of_site("osaka").empty());
}

}  // namespace
}  // namespace masugata::ipsec
