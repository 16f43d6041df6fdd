// SPDX-License-Identifier: GPL-2.0-or-later
// Protocols that give way to others, and flows whose first packet is an answer.
#include <gtest/gtest.h>

#include "ids/engine/test_bench.h"

namespace masugata::ids {
namespace {

using testing::Bench;

Bench lines(std::string_view rules) { return Bench(rules, {}, testing::line_protocols()); }

TEST(ProtocolChange, BytesBehindItBelongToTheNextProtocol) {
  auto bench = lines(R"(alert http any any -> any any (http.uri; content:"/admin"; sid:1;))");
  auto flow = bench.tcp();
  flow.to_server("change\n/admin\n");
  EXPECT_EQ(bench.sids(), "1");
  flow.to_server("/admin\n");
  EXPECT_EQ(bench.sids(), "1 1");
}

TEST(ProtocolChange, IsDetectedAnew) {
  auto bench = lines(R"(alert http any any -> any any (http.uri; content:"/admin"; sid:1;))");
  auto flow = bench.tcp();
  flow.to_server("change\n?");
  flow.to_server("/admin\n");
  EXPECT_EQ(bench.sids(), "") << "what came after the change was no protocol";
}

TEST(ProtocolChange, ChangesOfOnePacketAreBounded) {
  auto bench = lines(R"(alert http any any -> any any (http.uri; content:"/admin"; sid:1;))");
  std::string changes;
  for (int i = 0; i < 10'000; ++i) {
    changes += "change\n";
  }
  auto flow = bench.tcp();
  flow.to_server(changes + "/admin\n");
  EXPECT_EQ(bench.sids(), "");
  EXPECT_EQ(bench.engine.counters().parsers_failed.get(), 1U);
}

TEST(ProtocolChange, WhatWaitedInAProxyRequestBelongsToTheTunnel) {
  Bench bench(R"(alert ssh any any -> any any (ssh.software; content:"early"; sid:1;))");
  auto flow = bench.tcp(8080);
  flow.to_server("CONNECT a:22 HTTP/1.1\r\nHost: a:22\r\n\r\nSSH-2.0-early\r\n");
  EXPECT_EQ(bench.sids(), "");
  flow.to_client("HTTP/1.1 200 Established\r\n\r\nSSH-2.0-x\r\n");
  EXPECT_EQ(bench.sids(), "1");
}

TEST(ProtocolChange, WhatFollowsStartTlsIsDetected) {
  constexpr std::string_view kRules =
      R"(alert http any any -> any any (app-layer-event:http.failed_protocol_change; sid:1;)
alert tcp any any -> any any (app-layer-event:applayer_no_tls_after_starttls; sid:2;))";
  Bench bench(kRules);
  auto flow = bench.tcp(25);
  flow.to_client("220 a\r\n");
  flow.to_server("EHLO b\r\nSTARTTLS\r\n");
  flow.to_client("250 a\r\n220 go\r\n");
  flow.to_server("");
  EXPECT_EQ(bench.sids(), "");
  flow.to_client("HTTP/1.1 101 S\r\nUpgrade: h2c\r\n\r\n");
  EXPECT_EQ(bench.sids(), "1 2");
  flow.to_server("");
  EXPECT_EQ(bench.sids(), "1 2 1") << "of no direction: at a packet of each";
  flow.to_server("");
  flow.to_client("");
  EXPECT_EQ(bench.sids(), "1 2 1") << "and once";
}

TEST(EncryptedFlow, RulesDoNotLookIntoPayloadsOnceBothSidesEncrypt) {
  auto bench = lines(R"(alert tcp any any -> any any (content:"secret"; sid:1;)
alert tcp-pkt any any -> any any (content:"secret"; sid:2;)
alert tcp any any -> any any (dsize:13; sid:3;))");
  auto flow = bench.tcp();
  flow.to_server("secret a\n");
  EXPECT_EQ(bench.sids(), "1 2");
  flow.to_server("seal\n");
  flow.to_server("secret two\n");
  EXPECT_EQ(bench.sids(), "1 2 1 2") << "one side alone says nothing";
  flow.to_client("secret the\n");
  flow.to_client("seal\nsecret\n");
  EXPECT_EQ(bench.sids(), "1 2 1 2 1 2 1 2") << "readable while the packet began";
  flow.to_server("secret four\n");
  flow.to_client("secret five!\n");
  EXPECT_EQ(bench.sids(), "1 2 1 2 1 2 1 2 3") << "sizes are seen as before";
}

TEST(ReversedFlow, AnAnswerThatComesFirstTurnsADatagramFlow) {
  auto bench = lines(R"(alert http any any -> any any (flow:to_client; content:"<answer"; sid:1;)
alert udp 192.0.2.1 53 -> any any (flow:to_client; content:"<answer"; sid:2;)
alert http any any -> any any (flow:to_server; content:"question"; sid:3;))");
  // What the caller takes for the client is the server.
  auto flow = bench.udp(1025, "192.0.2.1", "10.0.0.1");
  flow.to_server("<answer");
  flow.to_client("question");
  EXPECT_EQ(bench.sids(), "1 3");
}

TEST(ReversedFlow, CountsPacketsOfTheRightSides) {
  auto bench = lines("");
  auto flow = bench.udp(1025, "192.0.2.1", "10.0.0.1");
  flow.to_server("<answer");
  flow.to_server("<answer");
  flow.close();
  ASSERT_EQ(bench.sink.flows.size(), 1U);
  EXPECT_EQ(bench.sink.flows[0].packets[index_of(Direction::ToServer)], 0U);
  EXPECT_EQ(bench.sink.flows[0].packets[index_of(Direction::ToClient)], 2U);
}

}  // namespace
}  // namespace masugata::ids
