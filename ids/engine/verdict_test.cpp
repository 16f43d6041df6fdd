// SPDX-License-Identifier: GPL-2.0-or-later
// What becomes of a packet and its flow: pass, drop, reject, thresholds.
#include <gtest/gtest.h>

#include "ids/engine/test_bench.h"

namespace masugata::ids {
namespace {

using testing::Bench;

TEST(Verdict, DropOfAPacketRuleDropsThePacket) {
  Bench bench(R"(drop udp any any -> any any (content:"evil"; sid:1;))");
  auto flow = bench.udp();
  const InspectionVerdict verdict = flow.to_server("evil");
  EXPECT_EQ(verdict.action, VerdictAction::Drop);
  EXPECT_FALSE(verdict.whole_flow);
  EXPECT_EQ(verdict.sid, 1U);
  EXPECT_EQ(flow.to_server("fine").action, VerdictAction::Accept);
  ASSERT_EQ(bench.sink.alerts.size(), 1U);
  EXPECT_EQ(bench.sink.alerts[0].fate, AlertFate::Blocked);
  EXPECT_EQ(bench.sink.dropped_packets, std::vector<uint64_t>{1});
}

TEST(Verdict, DropOfAStreamRuleDropsTheFlow) {
  Bench bench(R"(drop tcp any any -> any any (content:"evil"; sid:1;))");
  auto flow = bench.tcp();
  EXPECT_EQ(flow.to_server("ev").action, VerdictAction::Accept);
  const InspectionVerdict verdict = flow.to_server("il");
  EXPECT_EQ(verdict.action, VerdictAction::Drop);
  EXPECT_TRUE(verdict.whole_flow);
  const InspectionVerdict later = flow.to_client("fine");
  EXPECT_EQ(later.action, VerdictAction::Drop);
  EXPECT_STREQ(later.reason, "flow drop");
  EXPECT_EQ(bench.sids(), "1");
}

TEST(Verdict, CostsAreCountedWhereTheCallerWantsThem) {
  Bench bench(R"(alert udp any any -> any any (content:"evil"; content:"x"; sid:1;))");
  const RuleSet rules = read_rules(
      {{"t.rules", R"(alert udp any any -> any any (content:"evil"; content:"x"; sid:1;))"}},
      RuleEnvironment::defaults());
  const auto plan = compile_plan(rules, {});
  ASSERT_TRUE(plan);
  std::vector<RuleCost> costs(number_of_rules(**plan));
  bench.engine.use_plan(plan->get(), costs);
  auto flow = bench.udp();
  flow.to_server("evil x");
  EXPECT_EQ(costs[0].matches.get(), 1U);
  EXPECT_EQ(costs[0].alerts.get(), 1U);
  EXPECT_EQ(costs[0].last_match_us.get(), bench.now_us);
  EXPECT_EQ(costs[0].checks.get(), 0U) << "not profiling";
  bench.engine.set_profiling(true);
  flow.to_server("evil y");
  flow.to_server("evil x");
  EXPECT_EQ(costs[0].matches.get(), 2U);
  EXPECT_EQ(costs[0].checks.get(), 2U);
  EXPECT_EQ(costs[0].checks_matched.get(), 1U);
  EXPECT_GT(costs[0].cycles.get(), 0U);
  flow.close();
  bench.engine.use_plan(nullptr);
  EXPECT_EQ(bench.engine.rule_costs().size(), 0U);
  EXPECT_EQ(costs[0].matches.get(), 2U);
}

TEST(Verdict, ExceptedPacketsAreNeitherAlertedNorDropped) {
  RuleSet rules = read_rules({{"t.rules", R"(drop udp any any -> any any (content:"evil"; sid:1;)
drop udp any any -> any any (content:"evil"; sid:2;))"}},
                             RuleEnvironment::defaults());
  const auto host = [](const char* text) {
    const net::IpAddress address = *net::IpAddress::parse(text);
    return AddressSet{false, {{address, address}}};
  };
  rules.exceptions.push_back({{{2, 9}}, host("10.0.0.1"), {}});
  rules.exceptions.push_back({{}, host("10.0.0.1"), host("192.0.2.7")});
  const auto plan = compile_plan(std::move(rules), {});
  ASSERT_TRUE(plan);
  Bench bench("");
  bench.engine.use_plan(plan->get());
  auto some = bench.udp();
  EXPECT_EQ(some.to_server("evil").action, VerdictAction::Drop);
  EXPECT_EQ(bench.sids(), "1");
  auto all = bench.udp(53, "10.0.0.1", "192.0.2.7");
  EXPECT_EQ(all.to_server("evil").action, VerdictAction::Accept);
  EXPECT_EQ(all.to_client("evil").action, VerdictAction::Drop) << "the packet comes from 192.0.2.7";
  auto none = bench.udp(53, "10.0.0.2", "192.0.2.7");
  EXPECT_EQ(none.to_server("evil").action, VerdictAction::Drop);
  EXPECT_EQ(bench.sids(), "1 1 2 1 2");
  EXPECT_EQ(bench.engine.counters().excepted.get(), 3U);
  EXPECT_EQ(bench.engine.counters().exception_hits[0].get(), 2U);
  EXPECT_EQ(bench.engine.counters().exception_hits[1].get(), 1U);
  some.close();
  all.close();
  none.close();
  bench.engine.use_plan(nullptr);
}

TEST(Verdict, ExceptedMatchesSetNoBits) {
  RuleSet rules = read_rules(
      {{"t.rules", R"(alert udp any any -> any any (content:"first"; flowbits:set,seen; sid:1;)
alert udp any any -> any any (content:"second"; flowbits:isset,seen; sid:2;))"}},
      RuleEnvironment::defaults());
  rules.exceptions.push_back({{{1, 1}}, {}, {}});
  const auto plan = compile_plan(std::move(rules), {});
  ASSERT_TRUE(plan);
  Bench bench("");
  bench.engine.use_plan(plan->get());
  auto flow = bench.udp();
  flow.to_server("first");
  flow.to_server("second");
  EXPECT_EQ(bench.sids(), "");
  flow.close();
  bench.engine.use_plan(nullptr);
}

TEST(Verdict, PassAfterOtherActionsTakesNothingBack) {
  const RuleSet rules =
      read_rules({{"t.rules", R"(drop udp any any -> any any (content:"evil"; sid:1;)
pass udp any any -> any any (content:"friend"; sid:2;)
alert udp any any -> any any (content:"friend"; sid:3;))"}},
                 RuleEnvironment::defaults());
  PlanOptions options;
  options.action_order = {RuleAction::Drop, RuleAction::RejectBoth, RuleAction::Pass,
                          RuleAction::Alert};
  const auto plan = compile_plan(rules, options);
  ASSERT_TRUE(plan);
  Bench bench("");
  bench.engine.use_plan(plan->get());
  auto flow = bench.udp();
  const InspectionVerdict both = flow.to_server("evil friend");
  EXPECT_EQ(both.action, VerdictAction::Drop);
  EXPECT_FALSE(both.passed);
  EXPECT_TRUE(flow.to_server("friend").passed);
  EXPECT_EQ(bench.sids(), "1") << "what stands after the pass rule is passed";
  flow.close();
  bench.engine.use_plan(nullptr);
}

TEST(Verdict, RejectSaysWhoIsToldAbout) {
  Bench bench(R"(rejectboth tcp any any -> any any (content:"evil"; sid:1;))");
  auto flow = bench.tcp();
  EXPECT_EQ(flow.to_server("evil").action, VerdictAction::RejectBoth);
  EXPECT_EQ(flow.to_server("more").action, VerdictAction::Drop);
}

TEST(Verdict, PassEndsTheInspectionOfTheFlow) {
  Bench bench(R"(drop tcp any any -> any any (content:"evil"; sid:1;)
pass tcp any any -> any any (content:"friend"; sid:2;))");
  auto flow = bench.tcp();
  const InspectionVerdict verdict = flow.to_server("friend of evil");
  EXPECT_TRUE(verdict.passed);
  EXPECT_EQ(verdict.action, VerdictAction::Accept);
  EXPECT_EQ(flow.to_server("evil").action, VerdictAction::Accept);
  EXPECT_EQ(bench.sids(), "");
}

TEST(Verdict, PassOfAPacketRulePassesThePacketOnly) {
  Bench bench(R"(alert udp any any -> any any (content:"evil"; sid:1;)
pass udp any any -> any any (content:"friend"; sid:2;))");
  auto flow = bench.udp();
  EXPECT_TRUE(flow.to_server("friend of evil").passed);
  EXPECT_EQ(bench.sids(), "");
  flow.to_server("evil");
  EXPECT_EQ(bench.sids(), "1");
}

TEST(Verdict, WithoutInlineModeNothingIsDropped) {
  EngineLimits limits;
  limits.inline_mode = false;
  Bench bench(R"(drop tcp any any -> any any (content:"evil"; sid:1;))", limits);
  auto flow = bench.tcp();
  EXPECT_EQ(flow.to_server("evil").action, VerdictAction::Accept);
  ASSERT_EQ(bench.sink.alerts.size(), 1U);
  EXPECT_EQ(bench.sink.alerts[0].fate, AlertFate::Allowed);
}

TEST(Verdict, KeepsTheFirstAlertsOfAPacket) {
  std::string rules;
  for (int i = 1; i <= 20; ++i) {
    rules +=
        "alert udp any any -> any any (content:\"x\"; priority:" + std::to_string(i == 20 ? 1 : 2) +
        "; sid:" + std::to_string(i) + ";)\n";
  }
  EngineLimits limits;
  limits.alerts_per_packet = 3;
  Bench bench(rules, limits);
  auto flow = bench.udp();
  flow.to_server("x");
  EXPECT_EQ(bench.sids(), "20 1 2");
  EXPECT_EQ(bench.engine.counters().alerts_discarded.get(), 17U);
}

TEST(Verdict, NoalertStillDrops) {
  Bench bench(R"(drop udp any any -> any any (content:"evil"; noalert; sid:1;))");
  auto flow = bench.udp();
  EXPECT_EQ(flow.to_server("evil").action, VerdictAction::Drop);
  EXPECT_EQ(bench.sids(), "");
}

std::string alerts_of(std::string_view threshold, int packets, uint64_t pause_seconds = 1) {
  Bench bench("alert udp any any -> any any (content:\"x\"; " + std::string(threshold) +
              " sid:1;)");
  auto flow = bench.udp();
  for (int i = 0; i < packets; ++i) {
    flow.to_server("x");
    bench.advance_seconds(pause_seconds);
  }
  std::string numbers;
  for (const auto& alert : bench.sink.alerts) {
    numbers += (numbers.empty() ? "" : " ") + std::to_string(alert.packet);
  }
  return numbers;
}

TEST(Thresholds, LimitAlertsTheFirstOfAnInterval) {
  EXPECT_EQ(alerts_of("threshold:type limit, track by_src, count 2, seconds 5;", 12),
            "1 2 6 7 11 12");
}
TEST(Thresholds, ThresholdAlertsEveryNth) {
  EXPECT_EQ(alerts_of("threshold:type threshold, track by_src, count 3, seconds 60;", 9), "3 6 9");
}
TEST(Thresholds, BothAlertsOncePerInterval) {
  EXPECT_EQ(alerts_of("threshold:type both, track by_dst, count 2, seconds 5;", 10), "2 7");
}
TEST(Thresholds, DetectionFilterAlertsAfterTheCount) {
  EXPECT_EQ(alerts_of("detection_filter:track by_src, count 2, seconds 60;", 5), "3 4 5");
}
TEST(Verdict, PassOfARuleThatOnlyNamesPortsPassesTheFlow) {
  Bench bench(R"(pass udp any any -> any 53 (sid:1;)
drop udp any any -> any any (content:"x"; sid:2;))");
  auto flow = bench.udp();
  EXPECT_TRUE(flow.to_server("x").passed);
  EXPECT_EQ(flow.to_client("x").action, VerdictAction::Accept);
  EXPECT_EQ(bench.sids(), "");
}

TEST(Thresholds, RateFilterChangesTheActionForAWhile) {
  RuleEnvironment environment = RuleEnvironment::defaults();
  environment.threshold_text =
      "rate_filter gen_id 1, sig_id 1, track by_src, count 2, seconds 60, new_action drop, "
      "timeout 5\n";
  Bench bench("");
  bench.use_rules(R"(alert udp any any -> any any (content:"x"; sid:1;))", environment);
  auto flow = bench.udp();
  EXPECT_EQ(flow.to_server("x").action, VerdictAction::Accept);
  EXPECT_EQ(flow.to_server("x").action, VerdictAction::Accept);
  EXPECT_EQ(flow.to_server("x").action, VerdictAction::Drop);
  bench.advance_seconds(4);
  EXPECT_EQ(flow.to_server("x").action, VerdictAction::Drop);
  bench.advance_seconds(2);
  EXPECT_EQ(flow.to_server("x").action, VerdictAction::Accept);
}

TEST(Thresholds, SuppressedAlertsKeepTheirAction) {
  RuleEnvironment environment = RuleEnvironment::defaults();
  environment.threshold_text = "suppress gen_id 1, sig_id 1, track by_src, ip 10.0.0.0/24\n";
  Bench bench("");
  bench.use_rules(R"(drop udp any any -> any any (content:"x"; sid:1;))", environment);
  EXPECT_EQ(bench.udp(53, "10.0.0.9").to_server("x").action, VerdictAction::Drop);
  EXPECT_EQ(bench.sids(), "");
  EXPECT_EQ(bench.udp(53, "10.0.1.9").to_server("x").action, VerdictAction::Drop);
  EXPECT_EQ(bench.sids(), "1");
}

TEST(Thresholds, AreKeptPerSource) {
  Bench bench(
      R"(alert udp any any -> any any (content:"x"; threshold:type limit, track by_src, count 1, seconds 60; sid:1;))");
  auto one = bench.udp(53, "10.0.0.1");
  auto two = bench.udp(53, "10.0.0.2");
  one.to_server("x");
  one.to_server("x");
  two.to_server("x");
  EXPECT_EQ(bench.sids(), "1 1");
}

InspectionVerdict verdict_on_unreadable(ParserFailure policy, bool inline_mode = true) {
  EngineLimits limits;
  limits.parser_failure = policy;
  limits.inline_mode = inline_mode;
  Bench bench("", limits, testing::line_protocols());
  auto flow = bench.tcp();
  EXPECT_EQ(flow.to_server("one\n").action, VerdictAction::Accept);
  return flow.to_server("!\n");
}

TEST(ParserFailures, AreWhatTheSettingSays) {
  EXPECT_EQ(verdict_on_unreadable(ParserFailure::Ignore).action, VerdictAction::Accept);
  EXPECT_FALSE(verdict_on_unreadable(ParserFailure::Ignore).passed);
  EXPECT_TRUE(verdict_on_unreadable(ParserFailure::PassPacket).passed);
  EXPECT_TRUE(verdict_on_unreadable(ParserFailure::PassFlow).whole_flow);
  EXPECT_EQ(verdict_on_unreadable(ParserFailure::DropPacket).action, VerdictAction::Drop);
  EXPECT_FALSE(verdict_on_unreadable(ParserFailure::DropPacket).whole_flow);
  EXPECT_TRUE(verdict_on_unreadable(ParserFailure::DropFlow).whole_flow);
  EXPECT_EQ(verdict_on_unreadable(ParserFailure::Reject).action, VerdictAction::RejectBoth);
  EXPECT_EQ(verdict_on_unreadable(ParserFailure::DropFlow, false).action, VerdictAction::Accept);
}

TEST(ParserFailures, DropTheRestOfTheFlow) {
  EngineLimits limits;
  limits.parser_failure = ParserFailure::DropFlow;
  Bench bench(R"(alert tcp any any -> any any (content:"!"; sid:1;))", limits,
              testing::line_protocols());
  auto flow = bench.tcp();
  flow.to_server("one\n");
  EXPECT_STREQ(flow.to_server("!\n").reason, "parser");
  EXPECT_STREQ(flow.to_client("answer").reason, "flow drop");
  EXPECT_EQ(bench.sids(), "") << "what nobody could read is not looked at";
}

}  // namespace
}  // namespace masugata::ids
