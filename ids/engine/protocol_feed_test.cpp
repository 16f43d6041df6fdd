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
  EXPECT_EQ(bench.engine.counters().parsers_failed.value(), 1U);
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
