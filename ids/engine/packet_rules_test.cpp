// SPDX-License-Identifier: GPL-2.0-or-later
// Rules on packets and streams, from their text to their alerts.
#include <gtest/gtest.h>

#include "ids/engine/test_bench.h"

namespace masugata::ids {
namespace {

using testing::Bench;

TEST(PacketRules, FindContentInADatagram) {
  Bench bench(R"(alert udp any any -> any 53 (msg:"a"; content:"evil"; sid:1;))");
  auto flow = bench.udp();
  flow.to_server("nothing");
  EXPECT_EQ(bench.sids(), "");
  flow.to_server("so evil it is");
  EXPECT_EQ(bench.sids(), "1");
}

TEST(PacketRules, MindPortsAddressesAndDirection) {
  Bench bench(R"(alert udp 10.0.0.0/8 any -> any 53 (content:"x"; sid:1;)
alert udp any any -> any 54 (content:"x"; sid:2;)
alert udp any 53 <> any any (content:"x"; sid:3;)
alert udp any any -> any any (flow:to_client; content:"x"; sid:4;)
alert udp !10.0.0.0/8 any -> any any (content:"x"; sid:5;))");
  auto flow = bench.udp();
  flow.to_server("x");
  EXPECT_EQ(bench.sids(), "1 3");
  flow.to_client("x");
  EXPECT_EQ(bench.sids(), "1 3 3 4 5");
}

TEST(PacketRules, CaseMattersUnlessTheRuleSaysSo) {
  Bench bench(R"(alert udp any any -> any any (content:"Evil"; sid:1;)
alert udp any any -> any any (content:"Evil"; nocase; sid:2;))");
  auto flow = bench.udp();
  flow.to_server("EVIL");
  EXPECT_EQ(bench.sids(), "2");
}

TEST(PacketRules, WithoutAPatternAreFoundToo) {
  Bench bench(R"(alert udp any any -> any any (content:!"good"; sid:1;)
alert udp any any -> any any (dsize:4; sid:2;)
alert udp any any -> any any (pcre:"/^[a-d]+$/"; sid:3;)
alert ip any any -> any any (ttl:64; sid:4;))");
  auto flow = bench.udp();
  flow.to_server("abcd");
  EXPECT_EQ(bench.sids(), "1 2 3 4");
  flow.to_server("good!");
  EXPECT_EQ(bench.sids(), "1 2 3 4 4");
}

TEST(PacketRules, ThatAskOnlyForAddressesAlertOncePerDirection) {
  Bench bench("alert ip 10.0.0.1 any <> any any (sid:1;)");
  auto flow = bench.udp();
  flow.to_server("a");
  flow.to_server("b");
  EXPECT_EQ(bench.sids(), "1");
  flow.to_client("c");
  flow.to_client("d");
  EXPECT_EQ(bench.sids(), "1 1");
}

TEST(PacketRules, AskForTcpFlags) {
  Bench bench("alert tcp any any -> any any (flags:S; sid:1;)");
  auto flow = bench.tcp();
  flow.loose(Direction::ToServer, "", 0x02);
  flow.loose(Direction::ToServer, "", 0x10);
  EXPECT_EQ(bench.sids(), "1");
}

TEST(StreamRules, FindContentOverTwoSegments) {
  Bench bench(
      R"(alert tcp any any -> any any (flow:established,to_server; content:"attack"; sid:1;))");
  auto flow = bench.tcp();
  flow.to_server("an att");
  EXPECT_EQ(bench.sids(), "");
  flow.to_server("ack!");
  EXPECT_EQ(bench.sids(), "1");
  flow.to_server("and more");
  EXPECT_EQ(bench.sids(), "1");
}

TEST(StreamRules, LookBackToWhatCameBefore) {
  Bench bench(
      R"(alert tcp any any -> any any (content:"first"; content:"secondlonger"; distance:2; sid:1;))");
  auto flow = bench.tcp();
  flow.to_server("first");
  flow.to_server("..secondlonger");
  EXPECT_EQ(bench.sids(), "1");
}

TEST(StreamRules, CountOffsetsFromTheStartOfTheStream) {
  Bench bench(R"(alert tcp-stream any any -> any any (content:"GET"; depth:3; sid:1;))");
  auto flow = bench.tcp();
  flow.to_server("GET");
  EXPECT_EQ(bench.sids(), "1");
  flow.to_server("GET");
  EXPECT_EQ(bench.sids(), "1") << "that is not where the stream begins";
}

TEST(StreamRules, BoundToAPlaceLookAtPacketsToo) {
  Bench bench(R"(alert tcp any any -> any any (content:"GET"; startswith; sid:1;)
alert tcp any any -> any any (content:"PUT"; offset:8; sid:2;))");
  auto flow = bench.tcp();
  flow.to_server("12345678");
  flow.to_server("GET PUT");
  EXPECT_EQ(bench.sids(), "1 2");
}

TEST(StreamRules, DoNotSeeWhatTheStreamDidNotTakeIn) {
  Bench bench(R"(alert tcp any any -> any any (content:"loose"; sid:1;)
alert tcp-pkt any any -> any any (content:"loose"; sid:2;))");
  auto flow = bench.tcp();
  flow.loose(Direction::ToServer, "loose");
  EXPECT_EQ(bench.sids(), "2");
}

TEST(StreamRules, LookAtPacketsThatNoStreamTakesIn) {
  Bench bench(R"(alert tcp any any -> any any (content:"loose"; sid:1;))");
  auto flow = bench.tcp();
  flow.outside_stream = true;
  flow.loose(Direction::ToServer, "loose");
  EXPECT_EQ(bench.sids(), "1");
}

TEST(StreamRules, DoNotMatchOverAGap) {
  Bench bench(R"(alert tcp any any -> any any (content:"attack"; sid:1;))");
  auto flow = bench.tcp();
  flow.to_server("att");
  flow.gap(Direction::ToServer, 5);
  flow.to_server("ack");
  EXPECT_EQ(bench.sids(), "");
  flow.to_server("attack");
  EXPECT_EQ(bench.sids(), "1");
}

TEST(StreamRules, WithoutProtocolMatchOnceAlthoughItBecomesKnown) {
  Bench bench(R"(alert tcp any any -> any any (content:"early"; sid:1;)
alert http any any -> any any (content:"early"; sid:2;))");
  auto flow = bench.tcp();
  flow.to_server("GET /early");
  flow.to_server(" HTTP/1.1\r\n\r\n");
  EXPECT_EQ(bench.sids(), "1 2");
}

TEST(StreamRules, SeeAPacketAndItsStreamApartWhenNothingIsDropped) {
  const std::string rule = R"(alert tcp any any -> any any (content:"GET "; depth:4; sid:1;))";
  EngineLimits limits;
  limits.inline_mode = false;
  Bench watching(rule, limits);
  auto watched = watching.tcp();
  watched.to_server("GET /");
  EXPECT_EQ(watching.sids(), "1 1");
  Bench gateway(rule);
  auto guarded = gateway.tcp();
  guarded.to_server("GET /");
  EXPECT_EQ(gateway.sids(), "1");
}

TEST(StreamRules, TellTheProtocolByOneDirectionWhenTheOtherIsMissing) {
  Bench bench(R"(alert http any any -> any any (file.data; content:"World"; sid:1;))");
  auto flow = bench.tcp();
  flow.gap(Direction::ToServer, 40);
  flow.to_server("");
  flow.to_client("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nWorld");
  EXPECT_EQ(bench.sids(), "1");
}

TEST(StreamRules, OfAProtocolWaitUntilItIsKnown) {
  Bench bench(R"(alert http any any -> any any (content:"early"; sid:1;)
alert tls any any -> any any (content:"early"; sid:2;))",
              {}, testing::line_protocols());
  auto flow = bench.tcp();
  flow.to_server("early");
  EXPECT_EQ(bench.sids(), "1");
}

TEST(FlowVariables, LetOneRulePrepareAnother) {
  Bench bench(R"(alert udp any any -> any any (content:"second"; flowbits:isset,seen; sid:2;)
alert udp any any -> any any (content:"first"; flowbits:set,seen; flowbits:noalert; sid:1;)
alert udp any any -> any any (content:"second"; flowbits:isnotset,seen; sid:3;))");
  auto flow = bench.udp();
  flow.to_server("second");
  EXPECT_EQ(bench.sids(), "3");
  flow.to_server("first");
  flow.to_server("second");
  EXPECT_EQ(bench.sids(), "3 2");
  auto another = bench.udp();
  another.to_server("second");
  EXPECT_EQ(bench.sids(), "3 2 3");
}

TEST(FlowVariables, CountInFlowints) {
  Bench bench(R"(alert udp any any -> any any (content:"try"; flowint:tries,+,1; noalert; sid:1;)
alert udp any any -> any any (content:"try"; flowint:tries,>,2; sid:2;))");
  auto flow = bench.udp();
  for (int i = 0; i < 4; ++i) {
    flow.to_server("try");
  }
  EXPECT_EQ(bench.sids(), "2 2");
}

TEST(FlowVariables, SurviveAReload) {
  constexpr std::string_view kFirst =
      R"(alert udp any any -> any any (content:"one"; flowbits:set,a; noalert; sid:1;))";
  constexpr std::string_view kSecond =
      R"(alert udp any any -> any any (content:"z"; flowbits:set,zero; noalert; sid:3;)
alert udp any any -> any any (content:"two"; flowbits:isset,a; sid:2;)
alert udp any any -> any any (content:"one"; flowbits:set,a; noalert; sid:1;)
alert udp any any -> any any (content:"two"; flowbits:isset,zero; sid:4;))";
  Bench bench(kFirst);
  auto flow = bench.udp();
  flow.to_server("one");
  bench.use_rules(kSecond);
  flow.to_server("two");
  EXPECT_EQ(bench.sids(), "2");
}

TEST(HostBits, ConnectFlowsOfOneHostAndEnd) {
  Bench bench(
      R"(alert udp any any -> any any (content:"mark"; xbits:set,bad,track ip_src,expire 10; noalert; sid:1;)
alert udp any any -> any any (content:"ask"; xbits:isset,bad,track ip_src; sid:2;))");
  auto flow = bench.udp(53, "10.0.0.7");
  flow.to_server("mark");
  auto same = bench.udp(54, "10.0.0.7");
  auto other = bench.udp(54, "10.0.0.8");
  same.to_server("ask");
  other.to_server("ask");
  EXPECT_EQ(bench.sids(), "2");
  bench.advance_seconds(11);
  same.to_server("ask");
  EXPECT_EQ(bench.sids(), "2");
}

TEST(PacketRules, LookIntoAddresses) {
  Bench bench(R"(alert udp any any -> any any (ip.src; content:"|0a 00 00 01|"; bsize:4; sid:1;)
alert udp any any -> any any (ip.dst; content:"|0a 00 00 01|"; sid:2;))");
  auto flow = bench.udp();
  flow.to_server("a");
  EXPECT_EQ(bench.sids(), "1");
  flow.to_client("b");
  EXPECT_EQ(bench.sids(), "1 2");
}

TEST(PacketRules, AfterABypassTheFlowIsNotInspected) {
  Bench bench(R"(alert udp any any -> any any (content:"enough"; bypass; sid:1;)
alert udp any any -> any any (content:"e"; sid:2;))");
  auto flow = bench.udp();
  flow.to_server("e");
  EXPECT_EQ(bench.sids(), "2");
  flow.to_server("enough");
  EXPECT_EQ(bench.sids(), "2 1 2");
  const InspectionVerdict verdict = flow.to_server("e enough");
  EXPECT_EQ(verdict.action, VerdictAction::Accept);
  EXPECT_EQ(bench.sids(), "2 1 2");
}

TEST(PacketRules, CountPacketsOfBothOrEitherSide) {
  Bench bench(R"(alert udp any any -> any any (flow.pkts:both,>0; sid:1;)
alert udp any any -> any any (flow.pkts:either,>0; sid:2;)
alert udp any any -> any any (flow.bytes:both,>0; sid:3;)
alert udp any any -> any any (flow.bytes:either,>0; sid:4;))");
  auto flow = bench.udp();
  flow.to_server("a");
  EXPECT_EQ(bench.sids(), "2 4");
  flow.to_client("b");
  EXPECT_EQ(bench.sids(), "2 4 1 2 3 4");
}

TEST(StreamRules, DoNotMatchTheSameBytesAgain) {
  EngineLimits limits;
  limits.inline_mode = false;
  Bench bench(R"(alert tcp any any -> any any (content:"d2"; sid:1;)
alert tcp any any -> any any (content:"a long pattern"; sid:2;)
alert tcp any any -> any any (pcre:"/d[2]/"; sid:3;))",
              limits);
  auto flow = bench.tcp();
  flow.to_server("GET /d2");
  EXPECT_EQ(bench.sids(), "1 3");
  flow.to_server("d3");
  EXPECT_EQ(bench.sids(), "1 3") << "d2 stands where the searches overlap";
  flow.to_server("xd2");
  EXPECT_EQ(bench.sids(), "1 3 1 3") << "another one";
}

TEST(StreamRules, SpeakOfEachSegmentNearWhatTheyMatchedWhenInline) {
  EngineLimits limits;
  limits.stream_repeat_bytes = 20;
  Bench bench(R"(alert tcp any any -> any any (content:"needle"; sid:1;))", limits);
  auto flow = bench.tcp();
  flow.to_server("a needle");
  flow.to_server("hay");
  flow.to_client("hay");
  flow.to_server("");
  EXPECT_EQ(bench.sids(), "1 1") << "not of the other direction, nor of segments without data";
  flow.to_server("0123456789ab");
  EXPECT_EQ(bench.sids(), "1 1") << "the needle begins more than twenty bytes back";
  flow.to_server("needle");
  EXPECT_EQ(bench.sids(), "1 1 1");
}

TEST(PacketRules, OfAProtocolKnowItOnceTheOtherSideHasAnswered) {
  EngineLimits limits;
  limits.inline_mode = false;
  Bench watching(R"(alert http any any -> any any (sid:1;))", limits, testing::line_protocols());
  auto seen = watching.tcp();
  seen.to_server("one\n");
  EXPECT_EQ(watching.sids(), "");
  seen.to_client("");
  EXPECT_EQ(watching.sids(), "1");
  Bench inline_bench(R"(alert http any any -> any any (sid:1;))", {}, testing::line_protocols());
  auto judged = inline_bench.tcp();
  judged.to_server("one\n");
  EXPECT_EQ(inline_bench.sids(), "1") << "a gateway must not wait";
}

TEST(PacketRules, AreNotLookedAtWhereTheirHeaderOrTheirPlaceExcludesThem) {
  Bench bench(R"(alert udp any any -> any 53 (content:"ab"; offset:1; depth:3; sid:1;)
alert udp any any -> any [1:52,54:60] (content:"ab"; sid:2;)
alert udp any any -> any 70 (content:"ab"; sid:3;)
alert tcp any any -> any any (flags:S; sid:4;)
alert tcp any any -> any any (flags:A+,12; sid:5;)
alert ip any any -> any any (ip_proto:41; sid:6;))");
  auto flow = bench.udp();
  flow.to_server("xxxab");
  EXPECT_EQ(bench.engine.counters().candidates.get(), 1U) << "53 lies between 1 and 60";
  flow.to_server("xxabab");
  EXPECT_EQ(bench.sids(), "1");
  EXPECT_EQ(bench.engine.counters().candidates.get(), 3U);
  auto connection = bench.tcp();
  connection.to_server("nothing");
  EXPECT_EQ(bench.sids(), "1 5");
  EXPECT_EQ(bench.engine.counters().candidates.get(), 4U);
}

}  // namespace
}  // namespace masugata::ids
