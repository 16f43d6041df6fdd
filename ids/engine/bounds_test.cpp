// SPDX-License-Identifier: GPL-2.0-or-later
// What happens at the bounds: tables, windows, flows, memory.
#include <gtest/gtest.h>

#include "ids/engine/expiring_table.h"
#include "ids/engine/flow_inspection.h"
#include "ids/engine/stream_window.h"
#include "ids/engine/test_bench.h"

namespace masugata::ids {
namespace {

using testing::Bench;

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST(StreamWindow, KeepsAllUntilItIsFullThenTheNewerHalf) {
  StreamWindow window;
  EXPECT_TRUE(window.append(bytes_of("01234"), 8));
  EXPECT_TRUE(window.append(bytes_of("567"), 8));
  EXPECT_EQ(window.first(), 0U);
  EXPECT_EQ(window.bytes().size(), 8U);
  EXPECT_TRUE(window.append(bytes_of("89"), 8));
  EXPECT_EQ(window.first(), 4U);
  EXPECT_EQ(window.end(), 10U);
  EXPECT_EQ(window.bytes()[0], '4');
  EXPECT_TRUE(window.append(bytes_of("abcdefghijkl"), 8));
  EXPECT_EQ(window.end(), 22U);
  EXPECT_EQ(window.bytes().size(), 8U);
  EXPECT_EQ(window.bytes()[0], 'e');
  EXPECT_LE(window.memory_bytes(), 8U);
}

TEST(StreamWindow, ForgetsBeforeAGap) {
  StreamWindow window;
  EXPECT_TRUE(window.append(bytes_of("abc"), 8));
  window.skip(10);
  EXPECT_EQ(window.first(), 13U);
  EXPECT_TRUE(window.bytes().empty());
}

TEST(ExpiringTable, EntriesEndAndMakeRoom) {
  ExpiringTable<uint64_t, int> table(1);
  for (uint64_t key = 1; key <= 8; ++key) {
    table.put(key, 0, 100 + key) = static_cast<int>(key);
  }
  ASSERT_NE(table.find(3, 50), nullptr);
  EXPECT_EQ(*table.find(3, 50), 3);
  EXPECT_EQ(table.find(1, 101), nullptr) << "ended";
  EXPECT_EQ(table.lost(), 0U);
  table.put(9, 50, 500) = 9;
  EXPECT_EQ(table.lost(), 1U) << "the bucket was full of entries that hold";
  EXPECT_EQ(table.find(1, 50), nullptr) << "it would have ended first";
  EXPECT_NE(table.find(2, 50), nullptr);
  table.put(10, 200, 500) = 10;
  EXPECT_EQ(table.lost(), 1U) << "an ended entry made room";
}

TEST(Bounds, FlowsBeyondTheLimitAreRefused) {
  EngineLimits limits;
  limits.flows = 2;
  Bench bench("", limits);
  auto one = bench.udp();
  auto two = bench.udp();
  auto three = bench.udp();
  EXPECT_NE(two.inspection(), nullptr);
  EXPECT_EQ(three.inspection(), nullptr);
  EXPECT_EQ(bench.engine.counters().flows_refused.get(), 1U);
  one.close();
  EXPECT_NE(bench.udp().inspection(), nullptr);
}

TEST(Bounds, PacketRulesHoldWithoutAFlow) {
  EngineLimits limits;
  limits.flows = 0;
  Bench bench(R"(alert udp any any -> any any (content:"x"; sid:1;)
alert udp any any -> any any (flow:to_server; content:"x"; sid:2;))",
              limits);
  bench.udp().to_server("x");
  EXPECT_EQ(bench.sids(), "1");
}

TEST(Bounds, AtTheMemoryBoundParsersEndAndStreamRulesGoOn) {
  EngineLimits limits;
  limits.memory_bytes = 1;
  Bench bench(R"(alert http any any -> any any (http.uri; content:"evil"; sid:1;)
alert tcp any any -> any any (content:"evil"; sid:2;))",
              limits, testing::line_protocols());
  auto flow = bench.tcp();
  flow.to_server("evil\n");
  flow.to_server("evil\n");
  EXPECT_EQ(bench.sids(), "2 2");
  EXPECT_GE(bench.engine.counters().memory_exhausted.get(), 1U);
}

TEST(Bounds, MemoryThatWindowsTakeStaysWithinTheLimit) {
  EngineLimits limits;
  limits.memory_bytes = 200'000;
  Bench bench(R"(alert tcp any any -> any any (content:"evil"; content:"more"; sid:2;))", limits,
              testing::line_protocols());
  std::deque<Bench::Flow> flows;
  for (int i = 0; i < 40; ++i) {
    flows.push_back(bench.tcp());
    flows.back().to_server(std::string(20'000, 'a'));
    EXPECT_LE(bench.engine.counters().memory_bytes.get(),
              limits.memory_bytes + flows.size() * sizeof(FlowInspection));
  }
  EXPECT_GE(bench.engine.counters().memory_exhausted.get(), 30U);
  for (auto& flow : flows) {
    flow.close();
  }
  EXPECT_EQ(bench.engine.counters().memory_bytes.get(), 0U);
}

TEST(Bounds, AFlowBeyondTheMemoryBoundIsDroppedWhenItsProfileSaysSo) {
  EngineLimits limits;
  limits.memory_bytes = 1;
  Bench bench(R"(alert tcp any any -> any any (content:"evil"; sid:2;))", limits,
              testing::line_protocols());
  bench.engine.set_memory_failure(Failure::Drop);
  auto flow = bench.tcp();
  const InspectionVerdict verdict = flow.to_server("x");
  EXPECT_EQ(verdict.action, VerdictAction::Drop);
  EXPECT_TRUE(verdict.whole_flow);
  EXPECT_TRUE(verdict.memory_full);
  EXPECT_STREQ(verdict.reason, "memory");
  EXPECT_EQ(bench.sink.drop_reasons, std::vector<std::string>{"memory"});
  EXPECT_EQ(flow.to_server("evil").action, VerdictAction::Drop);
  EXPECT_EQ(bench.sids(), "");
  EXPECT_EQ(bench.engine.counters().memory_exhausted.get(), 1U);
}

TEST(Bounds, AFlowBeyondTheMemoryBoundPassesAndIsCountedOnce) {
  EngineLimits limits;
  limits.memory_bytes = 1;
  Bench bench(R"(alert tcp any any -> any any (content:"evil"; sid:2;))", limits,
              testing::line_protocols());
  auto flow = bench.tcp();
  const InspectionVerdict verdict = flow.to_server("x");
  EXPECT_EQ(verdict.action, VerdictAction::Accept);
  EXPECT_TRUE(verdict.memory_full);
  flow.to_server("evil");
  EXPECT_EQ(bench.sids(), "2");
  EXPECT_EQ(bench.engine.counters().memory_exhausted.get(), 1U);
}

TEST(Bounds, MemoryIsGivenBack) {
  Bench bench(R"(alert tcp any any -> any any (content:"evil"; sid:2;))", {},
              testing::line_protocols());
  auto flow = bench.tcp();
  flow.to_server(std::string(5000, 'a'));
  EXPECT_GT(bench.engine.counters().memory_bytes.get(), 5000U);
  flow.close();
  EXPECT_EQ(bench.engine.counters().memory_bytes.get(), 0U);
  EXPECT_EQ(bench.engine.counters().flows.get(), 0U);
}

}  // namespace
}  // namespace masugata::ids
