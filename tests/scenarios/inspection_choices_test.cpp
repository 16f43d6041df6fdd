// SPDX-License-Identifier: GPL-2.0-or-later
// What becomes of a session that is there when rules arrive or leave, when its profile or the
// profile's choices change, when room appears: the table of docs/stages/inspect.md, row by row.
#include "tests/scenarios/inspected_traffic.h"

namespace masugata::test {
namespace {

constexpr const char* kRules =
    R"(drop ip any any -> any any (content:"evilword"; sid:1;)
drop tcp any any -> any any (flow:established; content:"evilword"; sid:2;))";

// Sessions of port 80 and of datagrams are inspected by the profile `test`.
class InspectionChoicesTest : public InspectedTrafficTest {
 protected:
  // A new configuration and its rules, on top of the gateway that runs.
  void commit(const std::string& profiles, const std::string& inspect, const std::string& rules) {
    ASSERT_TRUE(gateway_->set_rules(rules));
    const auto configured = gateway_->configure(R"(
interfaces {
    interface lan0 { device net_test_lan0; address 10.0.1.1/24; }
    interface wan0 { device net_test_wan0; address 203.0.113.2/24; }
}
zones { zone lan { interface lan0; } zone wan { interface wan0; } }
sessions { tcp-midstream; }
ips { )" + profiles + R"( }
policy { from lan to wan { rule all { action permit; )" +
                                                inspect + R"( } } }
)");
    ASSERT_TRUE(configured) << configured.error().message();
    ASSERT_TRUE(gateway_->set_neighbour("wan0", "203.0.113.1", "02:00:00:00:03:01"));
    ASSERT_TRUE(gateway_->set_neighbour("lan0", "10.0.1.10", "02:00:00:00:01:0a"));
  }
  void begin(const std::string& profiles, const std::string& rules,
             const InProcessOptions& options = {}) {
    gateway_ = std::make_unique<InProcessGateway>(options);
    commit(profiles, kInspected, rules);
  }

  [[nodiscard]] bool passes(const std::string& recipe) {
    return send("lan0", {recipe}).size() == 1;
  }
  uint64_t dropped(const std::string& reason) { return gateway_->drop_counts()[reason]; }

  static constexpr const char* kInspected = "inspect { ips test; }";
  static constexpr const char* kDatagram = "udp 10.0.1.10:5000 > 203.0.113.1:53 payload \"a\"";
  static constexpr const char* kEvilDatagram =
      "udp 10.0.1.10:5000 > 203.0.113.1:53 payload \"evilword\"";
};

TEST_F(InspectionChoicesTest, WithoutRulesDropEndsWithTheRules) {
  begin("profile test { }", "");
  EXPECT_FALSE(passes("tcp 10.0.1.10:4000 > 203.0.113.1:80 flags S seq 999"));
  EXPECT_EQ(dropped("inspection-without-rules"), 1U);
  commit("profile test { }", kInspected, kRules);
  connect(4000);
  EXPECT_TRUE(passes(segment(4000, 0, "an evil")));
  EXPECT_FALSE(passes(segment(4000, 7, "word"))) << "the stream was put together";
  EXPECT_EQ(dropped("inspection-rule"), 1U);
}

TEST_F(InspectionChoicesTest, WithoutRulesPassKeepsTheStreamForTheRulesThatCome) {
  begin("profile test { without-rules pass; }", "");
  connect(4000);
  EXPECT_TRUE(passes(segment(4000, 0, "hello ")));
  EXPECT_EQ(counters().passed_without_rules.get(), 4U);
  commit("profile test { without-rules pass; }", kInspected, kRules);
  EXPECT_TRUE(passes(segment(4000, 6, "evil")));
  EXPECT_FALSE(passes(segment(4000, 10, "word")));
  EXPECT_EQ(dropped("inspection-rule"), 1U);
}

TEST_F(InspectionChoicesTest, RulesThatAreTakenAwayLeaveTheChoiceForThePacket) {
  begin("profile test { }", kRules);
  connect(4000);
  EXPECT_TRUE(passes(segment(4000, 0, "hello ")));
  commit("profile test { }", kInspected, "");
  EXPECT_FALSE(passes(segment(4000, 6, "evil")));
  EXPECT_EQ(dropped("inspection-without-rules"), 1U);
  commit("profile test { }", kInspected, kRules);
  EXPECT_TRUE(passes(segment(4000, 6, "evil"))) << "the sender repeats it";
  EXPECT_FALSE(passes(segment(4000, 10, "word")));
}

TEST_F(InspectionChoicesTest, MidstreamPassStaysWhenRulesArrive) {
  begin("profile test { midstream pass; without-rules pass; }", "");
  EXPECT_TRUE(passes(segment(4000, 0, "hello")));
  EXPECT_EQ(counters().passed_midstream.get(), 1U);
  EXPECT_TRUE(passes(segment(4000, 5, "hello")));
  commit("profile test { midstream pass; without-rules pass; }", kInspected, kRules);
  EXPECT_TRUE(passes(segment(4000, 10, "evilword"))) << "what is known of it is no stream";
  EXPECT_EQ(counters().packets.get(), 0U);
  EXPECT_EQ(counters().passed_packets.get(), 3U);
}

TEST_F(InspectionChoicesTest, MidstreamPassIsNotTakenBackByRulesThatLeave) {
  begin("profile test { midstream pass; }", kRules);
  EXPECT_TRUE(passes(segment(4000, 0, "hello")));
  commit("profile test { midstream pass; }", kInspected, "");
  EXPECT_TRUE(passes(segment(4000, 5, "hello")));
  commit("profile test { midstream pass; }", kInspected, kRules);
  EXPECT_TRUE(passes(segment(4000, 10, "evilword")));
  EXPECT_EQ(dropped("inspection-rule"), 0U);
}

TEST_F(InspectionChoicesTest, WhatMidstreamHasDecidedStaysWhenTheChoiceChanges) {
  begin("profile test { }", kRules);
  EXPECT_FALSE(passes(segment(4000, 0, "hello")));
  EXPECT_EQ(dropped("inspection-midstream"), 1U);
  commit("profile test { midstream pass; }", kInspected, kRules);
  EXPECT_FALSE(passes(segment(4000, 0, "hello")));
  EXPECT_EQ(dropped("inspection-flow"), 1U);
  EXPECT_TRUE(passes(segment(4001, 0, "hello")));
  commit("profile test { }", kInspected, kRules);
  EXPECT_TRUE(passes(segment(4001, 5, "hello")));
}

TEST_F(InspectionChoicesTest, AnotherProfileMeetsATcpSessionInItsMiddle) {
  const std::string profiles = "profile test { } profile open { midstream pass; } ";
  begin(profiles + "profile strict { }", kRules);
  connect(4000);
  connect(4001);
  commit(profiles + "profile strict { }", "inspect { ips open; }", kRules);
  EXPECT_TRUE(passes(segment(4000, 0, "evilword")));
  EXPECT_EQ(counters().passed_midstream.get(), 1U);
  commit(profiles + "profile strict { }", "inspect { ips strict; }", kRules);
  EXPECT_FALSE(passes(segment(4001, 0, "hello")));
  EXPECT_EQ(dropped("inspection-midstream"), 1U);
}

TEST_F(InspectionChoicesTest, AnotherProfileBeginsDatagramsAnew) {
  begin("profile test { } profile other { }", kRules);
  EXPECT_TRUE(passes(kDatagram));
  commit("profile test { } profile other { }", "inspect { ips other; }", kRules);
  EXPECT_FALSE(passes(kEvilDatagram));
  EXPECT_EQ(dropped("inspection-rule"), 1U);
}

TEST_F(InspectionChoicesTest, ASessionThatWasNotInspectedForAWhileHasNoStreamAnyMore) {
  begin("profile test { midstream pass; }", kRules);
  connect(4000);
  EXPECT_TRUE(passes(segment(4000, 0, "hello")));
  commit("profile test { midstream pass; }", "", kRules);
  EXPECT_TRUE(passes(segment(4000, 5, "unseen")));
  commit("profile test { midstream pass; }", kInspected, kRules);
  EXPECT_TRUE(passes(segment(4000, 11, "hello")));
  EXPECT_EQ(counters().passed_midstream.get(), 1U) << "a gap that never closes would pass anything";
  EXPECT_EQ(counters().sessions_now.get(), 1U);
}

TEST_F(InspectionChoicesTest, OverloadPassStaysWhenThereIsRoomAgain) {
  InProcessOptions options;
  options.inspection.inspected_sessions = 1;
  begin("profile test { overload pass; }", kRules, options);
  connect(4000);
  connect(4001);
  EXPECT_GE(counters().passed_overload.get(), 1U);
  EXPECT_TRUE(passes("tcp 10.0.1.10:4000 > 203.0.113.1:80 flags R seq 1000"));
  gateway_->advance(120'000);
  EXPECT_EQ(counters().sessions_now.get(), 0U);
  EXPECT_TRUE(passes(segment(4001, 0, "hello"))) << "not a session in its middle";
  EXPECT_EQ(dropped("inspection-midstream"), 0U);
}

TEST_F(InspectionChoicesTest, OverloadDropEndsWithTheRoom) {
  InProcessOptions options;
  options.inspection.inspected_sessions = 1;
  begin("profile test { }", kRules, options);
  connect(4000);
  EXPECT_FALSE(passes("tcp 10.0.1.10:4001 > 203.0.113.1:80 flags S seq 999"));
  EXPECT_EQ(dropped("inspection-overload"), 1U);
  EXPECT_TRUE(passes("tcp 10.0.1.10:4000 > 203.0.113.1:80 flags R seq 1000"));
  gateway_->advance(120'000);
  connect(4001);
  EXPECT_TRUE(passes(segment(4001, 0, "an evil")));
  EXPECT_FALSE(passes(segment(4001, 7, "word")));
}

TEST_F(InspectionChoicesTest, ACondemnedSessionStaysSoUnderNewRules) {
  constexpr const char* kOther = R"(drop tcp any any -> any any (content:"other"; sid:3;))";
  begin("profile test { midstream pass; }", kRules);
  connect(4000);
  EXPECT_FALSE(passes(segment(4000, 0, "evilword")));
  const bool condemned = !passes(segment(4000, 0, "hello"));
  commit("profile test { midstream pass; }", kInspected, kOther);
  EXPECT_EQ(passes(segment(4000, 0, "hello")), !condemned);
}

}  // namespace
}  // namespace masugata::test
