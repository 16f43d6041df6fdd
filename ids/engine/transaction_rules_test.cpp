// SPDX-License-Identifier: GPL-2.0-or-later
// Rules on transactions of a parser of the test's own (see test_bench.h).
#include <gtest/gtest.h>

#include "ids/engine/test_bench.h"

namespace masugata::ids {
namespace {

using testing::Bench;

Bench lines(std::string_view rules) { return Bench(rules, {}, testing::line_protocols()); }

TEST(TransactionRules, MatchABufferOnceItIsComplete) {
  auto bench = lines(R"(alert http any any -> any any (http.uri; content:"/admin"; sid:1;))");
  auto flow = bench.tcp();
  flow.to_server("/adm");
  flow.to_server("in");
  EXPECT_EQ(bench.sids(), "");
  flow.to_server("\n");
  EXPECT_EQ(bench.sids(), "1");
  flow.to_client("ok\n");
  EXPECT_EQ(bench.sids(), "1") << "once per transaction";
  flow.to_server("/admin\n");
  EXPECT_EQ(bench.sids(), "1 1") << "and again in the next";
}

TEST(TransactionRules, MatchTwoTransactionsOfOnePacket) {
  auto bench = lines(R"(alert http any any -> any any (http.uri; content:"/admin"; sid:1;))");
  auto flow = bench.tcp();
  flow.to_server("/admin\n/no\n/admin\n");
  EXPECT_EQ(bench.sids(), "1 1");
}

TEST(TransactionRules, WaitForAllTheirBuffers) {
  auto bench = lines(
      R"(alert http any any -> any any (http.request_body; content:"aaaaaa"; http.uri; content:"b"; sid:1;))");
  auto flow = bench.tcp();
  flow.to_server("aaaaaa");
  flow.to_server("bbb");
  EXPECT_EQ(bench.sids(), "");
  flow.to_server("\n");
  EXPECT_EQ(bench.sids(), "1");
}

TEST(TransactionRules, SeeEventsOfTheOtherSideAtPacketsOfTheirOwn) {
  Bench bench(
      R"(alert http any any -> any any (flow:to_server; app-layer-event:http.too_many_encoding_layers; sid:1;)
alert http any any -> any any (flow:to_client; app-layer-event:http.too_many_encoding_layers; sid:2;)
alert http any any -> any any (flow:to_server; app-layer-event:http.unknown_error; sid:3;))");
  const std::string_view answer =
      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip, gzip\r\nContent-Length: 1\r\n\r\nx";
  auto flow = bench.tcp();
  flow.to_server("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  flow.to_client(answer);
  EXPECT_EQ(bench.sids(), "2") << "the request is over, its transaction waits";
  flow.to_server("");
  EXPECT_EQ(bench.sids(), "2 1");
  flow.to_server("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  flow.to_client(answer);
  flow.close();
  EXPECT_EQ(bench.sids(), "2 1 2") << "no packet came";
  EXPECT_EQ(bench.sink.transactions, 2U);
}

TEST(TransactionRules, SeeAProgressiveBufferAsItGrows) {
  auto bench =
      lines(R"(drop http any any -> any any (http.response_body; content:"malware"; sid:1;))");
  auto flow = bench.tcp();
  flow.to_server("/\n");
  EXPECT_EQ(flow.to_client("......mal").action, VerdictAction::Accept);
  EXPECT_EQ(flow.to_client("ware....").action, VerdictAction::Drop);
  EXPECT_EQ(bench.sids(), "1");
}

TEST(TransactionRules, NegatedContentWaitsForTheEnd) {
  auto bench =
      lines(R"(alert http any any -> any any (http.response_body; content:!"sorry"; sid:1;))");
  auto flow = bench.tcp();
  flow.to_server("/\n");
  flow.to_client("so");
  EXPECT_EQ(bench.sids(), "");
  flow.to_client("rry\n");
  EXPECT_EQ(bench.sids(), "");
  flow.to_server("/\n");
  flow.to_client("fine\n");
  EXPECT_EQ(bench.sids(), "1");
}

TEST(TransactionRules, DropTheFlow) {
  auto bench = lines(R"(drop http any any -> any any (http.uri; content:"/admin"; sid:1;))");
  auto flow = bench.tcp();
  EXPECT_TRUE(flow.to_server("/admin\n").whole_flow);
  EXPECT_EQ(flow.to_server("/other\n").action, VerdictAction::Drop);
}

TEST(TransactionRules, AbsentBuffersDoNotMatch) {
  auto bench = lines(R"(alert http any any -> any any (http.cookie; content:!"x"; sid:1;))");
  auto flow = bench.tcp();
  flow.to_server("/\n");
  EXPECT_EQ(bench.sids(), "");
}

TEST(TransactionRules, AreLoggedWhenComplete) {
  auto bench = lines("");
  auto flow = bench.tcp();
  flow.to_server("/\n/\n");
  EXPECT_EQ(bench.sink.transactions, 0U);
  flow.to_client("a\nb");
  EXPECT_EQ(bench.sink.transactions, 1U);
  flow.close();
  EXPECT_EQ(bench.sink.transactions, 2U);
  EXPECT_EQ(bench.sink.flows_ended, 1U);
}

TEST(TransactionRules, AreInspectedAtTheEndOfTheFlow) {
  auto bench = lines(R"(alert http any any -> any any (http.uri; content:"/admin"; sid:1;))");
  auto flow = bench.tcp();
  flow.to_server("/admin");
  flow.close();
  EXPECT_EQ(bench.sids(), "1");
}

TEST(TransactionRules, GoOnUnderANewPlan) {
  auto bench = lines(R"(alert http any any -> any any (http.uri; content:"/admin"; sid:1;))");
  auto flow = bench.tcp();
  flow.to_server("/admin");
  bench.use_rules(R"(alert http any any -> any any (http.uri; content:"/adm"; sid:2;)
alert http any any -> any any (http.uri; content:"in"; sid:3;))");
  flow.to_server("\n");
  EXPECT_EQ(bench.sids(), "2 3");
}

TEST(TransactionRules, AFailedParserLeavesTheStreamRules) {
  auto bench = lines(R"(alert tcp any any -> any any (content:"evil"; sid:1;)
alert http any any -> any any (http.uri; content:"evil"; sid:2;))");
  auto flow = bench.tcp();
  flow.to_server("a!");
  flow.to_server("evil\n");
  EXPECT_EQ(bench.sids(), "1");
}

TEST(TransactionRules, OverBothDirectionsWaitForTheOtherSide) {
  auto bench = lines(
      R"(alert http any any => any any (http.uri; content:"/admin"; http.response_body; content:"secret"; sid:1;))");
  auto flow = bench.tcp();
  flow.to_server("/admin\n/admin\n");
  EXPECT_EQ(bench.sids(), "");
  flow.to_client("a secret\nnothing\n");
  EXPECT_EQ(bench.sids(), "1");
}

TEST(TransactionRules, SeeThePayloadSinceTheTransactionBegan) {
  auto bench = lines(
      R"(alert http any any -> any any (http.uri; content:"/page"; pcre:"/magic/"; sid:1;)
alert http any any -> any any (content:"magic"; http.uri; content:"/page"; sid:2;))");
  auto flow = bench.tcp();
  flow.to_server("/magic\n");
  flow.to_server("/page\n");
  EXPECT_EQ(bench.sids(), "") << "the payload before belongs to another transaction";
  flow.to_server("/page?magic\n");
  EXPECT_EQ(bench.sids(), "1 2");
}

TEST(TransactionRules, FinishedSidesAreNotInspectedAgainUnderANewPlan) {
  constexpr std::string_view kRule =
      R"(alert http any any -> any any (http.uri; content:"/admin"; sid:1;))";
  auto bench = lines(kRule);
  auto flow = bench.tcp();
  flow.to_server("/admin\n");
  bench.use_rules(kRule);
  flow.to_client("answer\n");
  EXPECT_EQ(bench.sids(), "1");
}

constexpr std::string_view kPayloadRule =
    R"(alert http any any -> any any (flow:to_client; content:"needle"; http.response_body;
 pcre:"/yes/"; sid:1;))";

std::string payload_rule() {
  std::string text(kPayloadRule);
  text.erase(text.find('\n'), 1);
  return text;
}

TEST(PayloadPattern, IsWaitedForInEachTransaction) {
  auto bench = lines(payload_rule());
  auto flow = bench.tcp();
  flow.to_server("/a\n");
  flow.to_client("yes and ");
  EXPECT_EQ(bench.engine.counters().candidates.get(), 0U);
  flow.to_client("nee");
  flow.to_client("dle\n");
  EXPECT_EQ(bench.sids(), "1") << "found over two packets";
  flow.to_server("/b\n");
  flow.to_client("yes\n");
  EXPECT_EQ(bench.sids(), "1") << "what came before belongs to another transaction";
  flow.to_server("/c\n");
  flow.to_client("needle yes\n");
  EXPECT_EQ(bench.sids(), "1 1");
}

TEST(PayloadPattern, OfADatagramIsFoundInIt) {
  auto bench =
      lines(R"(alert http any any -> any any (content:"needle"; http.uri; pcre:"/yes/"; sid:1;))");
  auto flow = bench.udp();
  flow.to_server("yes\n");
  EXPECT_EQ(bench.sids(), "");
  flow.to_server("yes needle\n");
  EXPECT_EQ(bench.sids(), "1");
}

TEST(PayloadPattern, AfterAReloadIsNotWaitedFor) {
  auto bench = lines(payload_rule());
  auto flow = bench.tcp();
  flow.to_server("/a\n");
  flow.to_client("so ");
  bench.use_rules(payload_rule());
  flow.to_client("far\n");
  EXPECT_EQ(bench.engine.counters().candidates.get(), 1U)
      << "bytes that are gone may have held what the new plan searches for";
  flow.to_server("/b\n");
  flow.to_client("needle yes\n");
  EXPECT_EQ(bench.sids(), "1");
}

TEST(ProtocolRules, AlertWhenTheProtocolIsKnown) {
  auto bench = lines(R"(alert tcp any any -> any any (app-layer-protocol:http; sid:1;)
alert tcp any any -> any any (app-layer-protocol:!http; sid:2;))");
  auto flow = bench.tcp();
  flow.to_server("/\n");
  flow.to_server("/\n");
  EXPECT_EQ(bench.sids(), "1");
  auto other = bench.tcp();
  other.to_server("?");
  EXPECT_EQ(bench.sids(), "1 2");
}

}  // namespace
}  // namespace masugata::ids
