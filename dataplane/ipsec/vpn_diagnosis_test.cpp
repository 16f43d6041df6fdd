// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ipsec/vpn_diagnosis.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "ipsec/diagnosis/sample_alerts.h"

namespace masugata::dataplane {
namespace {

namespace sample = ipsec::sample;

class VpnDiagnosisTest : public testing::Test {
 protected:
  VpnDiagnosisTest()
      : diagnosis_(
            {.log = [this](bool, const std::string& text) { log_.push_back(text); },
             .write_event = [this](const std::string& line) { lines_.push_back(line); },
             .wall_time_us = [] { return static_cast<uint64_t>(sample::kNow) * 1'000'000; }}) {
    diagnosis_.configured(sample::settings());
  }

  std::vector<std::string> log_;
  std::vector<std::string> lines_;
  VpnDiagnosis diagnosis_;
};

TEST_F(VpnDiagnosisTest, WritesOneEventForWhatRepeats) {
  for (int i = 0; i < 5; ++i) {
    diagnosis_.charon_alerted(sample::of_site(ipsec::AlertKind::PeerAuthentication, "osaka"));
  }
  ASSERT_EQ(lines_.size(), 1U);
  ASSERT_EQ(log_.size(), 1U);
  const auto event = nlohmann::json::parse(lines_[0]);
  EXPECT_EQ(event["event_type"], "vpn");
  EXPECT_EQ(event["vpn"]["site"], "osaka");
  EXPECT_EQ(event["vpn"]["failure"], "secret");
  EXPECT_EQ(event["vpn"]["over"], false);
  EXPECT_NE(event["vpn"]["set_here"], "");
  const auto reasons = diagnosis_.reasons("osaka");
  ASSERT_TRUE(reasons);
  EXPECT_EQ(reasons->at(0).reasons.at(0).failure.count, 5U);
  EXPECT_EQ(diagnosis_.reasons("")->size(), sample::settings().sites.size() + 1);
  EXPECT_FALSE(diagnosis_.reasons("nowhere"));
}

TEST_F(VpnDiagnosisTest, TellsWatchersOfTheirSite) {
  std::vector<std::string> osaka, all;
  const auto one = diagnosis_.watch(
      "osaka", [&osaka](const ipsec::TunnelEvent& event) { osaka.push_back(event.kind); });
  ASSERT_TRUE(one);
  ASSERT_TRUE(
      diagnosis_.watch("", [&all](const ipsec::TunnelEvent& event) { all.push_back(event.kind); }));
  diagnosis_.site_begun("osaka");
  diagnosis_.site_begun("nagoya");
  diagnosis_.unwatch(*one);
  diagnosis_.site_begun("osaka");
  EXPECT_EQ(osaka, std::vector<std::string>{"begin"});
  EXPECT_EQ(all.size(), 3U);
  EXPECT_FALSE(diagnosis_.watch("nowhere", nullptr));
}

TEST_F(VpnDiagnosisTest, HasABoundOfWatchers) {
  for (size_t i = 0; i < VpnDiagnosis::kMaximumWatches; ++i) {
    ASSERT_TRUE(diagnosis_.watch("", [](const ipsec::TunnelEvent&) {}));
  }
  EXPECT_FALSE(diagnosis_.watch("", [](const ipsec::TunnelEvent&) {}));
}

}  // namespace
}  // namespace masugata::dataplane
