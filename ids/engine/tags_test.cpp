// SPDX-License-Identifier: GPL-2.0-or-later
// `tag`: which packets after an alert are logged.
#include <gtest/gtest.h>

#include "ids/engine/tags.h"
#include "ids/engine/test_bench.h"

namespace masugata::ids {
namespace {

using testing::Bench;
using Packets = std::vector<uint64_t>;

TEST(Tags, LogTheNextPacketsOfTheSession) {
  Bench bench(R"(alert udp any any -> any any (content:"evil"; tag:session,2,packets; sid:1;))");
  auto flow = bench.udp();
  auto other = bench.udp(53, "10.0.0.9");
  flow.to_server("before");  // 1
  flow.to_server("evil");    // 2
  other.to_server("not of it");
  flow.to_client("answer");  // 4
  flow.to_server("more");    // 5
  flow.to_server("beyond");
  EXPECT_EQ(bench.sink.tagged, (Packets{4, 5}));
}

TEST(Tags, EndAfterSecondsAndBytes) {
  Bench bench(R"(alert udp any any -> any 53 (content:"evil"; tag:session,10,seconds; sid:1;)
alert udp any any -> any 54 (content:"evil"; tag:session,40,bytes; sid:2;))");
  auto seconds = bench.udp(53);
  seconds.to_server("evil");
  bench.advance_seconds(9);
  seconds.to_server("x");  // 2
  bench.advance_seconds(2);
  seconds.to_server("x");
  auto bytes = bench.udp(54);
  bytes.to_server("evil");
  bytes.to_server("x");  // 5: 29 bytes with its headers
  bytes.to_server("x");  // 6
  bytes.to_server("x");
  EXPECT_EQ(bench.sink.tagged, (Packets{2, 5, 6}));
}

TEST(Tags, FollowAHostIntoOtherSessions) {
  Bench bench(R"(alert udp any any -> any any (content:"evil"; tag:host,2,packets,src; sid:1;))");
  auto flow = bench.udp();
  flow.to_server("evil");
  auto other = bench.udp(80, "10.0.0.1", "192.0.2.8");
  other.to_server("x");  // 2
  auto stranger = bench.udp(80, "10.0.0.2", "192.0.2.8");
  stranger.to_server("x");
  other.to_client("x");  // 4
  other.to_server("x");
  EXPECT_EQ(bench.sink.tagged, (Packets{2, 4}));
}

TEST(Tags, AreBoundedWhateverTheRuleAsksFor) {
  Bench bench(
      R"(alert udp any any -> any any (content:"evil"; tag:session,1000000,packets; sid:1;))");
  auto flow = bench.udp();
  for (uint32_t i = 0; i < 2 * kMostTaggedPackets; ++i) {
    flow.to_server(i == 0 ? "evil" : "x");
  }
  EXPECT_EQ(bench.sink.tagged.size(), kMostTaggedPackets);
  EXPECT_EQ(bench.engine.counters().tagged_packets.get(), kMostTaggedPackets);
}

}  // namespace
}  // namespace masugata::ids
