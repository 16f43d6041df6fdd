// SPDX-License-Identifier: GPL-2.0-or-later
// What an inspected session meets where there is no room for it: what its profile says.
#include "tests/scenarios/inspected_traffic.h"

namespace masugata::test {
namespace {

constexpr const char* kRules =
    R"(alert http any any -> any any (http.uri; content:"/seen"; sid:1;)
drop tcp any any -> any any (flow:established; content:"evilword"; sid:2;))";

class InspectionBoundsTest : public InspectedTrafficTest {
 protected:
  // A connection whose sides count windows in units of 1 KiB.
  void connect_scaled(int client_port) {
    const std::string client = "10.0.1.10:" + std::to_string(client_port);
    const std::string server = "203.0.113.1:80";
    const std::string scale = " opt wscale 10";
    send("lan0", {"tcp " + client + " > " + server + " flags S seq 999" + scale});
    send("wan0", {"tcp " + server + " > " + client + " flags SA seq 999 ack 1000" + scale});
    send("lan0", {"tcp " + client + " > " + server + " flags A seq 1000 ack 1000"});
  }

  // What the client is told when the server permits 64 MiB.
  int window_told_of(int client_port) {
    const auto told =
        send("wan0", {"tcp 203.0.113.1:80 > 10.0.1.10:" + std::to_string(client_port) +
                      " flags A seq 1000 ack 1000 win 65535"});
    constexpr size_t kWindowOffset = 14 + 20 + 14;
    if (told.size() != 1 || told[0].bytes.size() < kWindowOffset + 2) return -1;
    return told[0].bytes[kWindowOffset] * 256 + told[0].bytes[kWindowOffset + 1];
  }
};

TEST_F(InspectionBoundsTest, DropsSessionsBeyondThoseThatAreInspected) {
  InProcessOptions options;
  options.inspection.inspected_sessions = 1;
  start(options, "overload drop;", kRules);
  EXPECT_EQ(send("lan0", {"udp 10.0.1.10:5000 > 203.0.113.1:53 payload \"a\""}).size(), 1U);
  EXPECT_TRUE(send("lan0", {"udp 10.0.1.10:5001 > 203.0.113.1:53 payload \"a\""}).empty());
  EXPECT_EQ(gateway_->drop_counts()["inspection-overload"], 1U);
  EXPECT_EQ(send("lan0", {"udp 10.0.1.10:5000 > 203.0.113.1:53 payload \"a\""}).size(), 1U);
}

TEST_F(InspectionBoundsTest, PassesAndCountsSessionsBeyondThoseThatAreInspected) {
  InProcessOptions options;
  options.inspection.inspected_sessions = 1;
  start(options, "overload pass;", kRules);
  EXPECT_EQ(send("lan0", {"udp 10.0.1.10:5000 > 203.0.113.1:53 payload \"a\""}).size(), 1U);
  EXPECT_EQ(send("lan0", {"udp 10.0.1.10:5001 > 203.0.113.1:53 payload \"a\""}).size(), 1U);
  EXPECT_GE(counters().passed_overload.get(), 1U);
}

TEST_F(InspectionBoundsTest, DropsSessionsBeyondTheFlowsOfAnEngine) {
  InProcessOptions options;
  options.inspection.engine_flows = 1;
  start(options, "overload drop;", kRules);
  EXPECT_EQ(send("lan0", {"udp 10.0.1.10:5000 > 203.0.113.1:53 payload \"a\""}).size(), 1U);
  EXPECT_TRUE(send("lan0", {"udp 10.0.1.10:5001 > 203.0.113.1:53 payload \"a\""}).empty());
  EXPECT_EQ(gateway_->drop_counts()["inspection-overload"], 1U);
  EXPECT_TRUE(send("lan0", {"udp 10.0.1.10:5001 > 203.0.113.1:53 payload \"a\""}).empty());
  EXPECT_EQ(gateway_->drop_counts()["inspection-flow"], 1U) << "for the session's life";
  EXPECT_EQ(send("lan0", {"udp 10.0.1.10:5000 > 203.0.113.1:53 payload \"a\""}).size(), 1U);
}

TEST_F(InspectionBoundsTest, PassesAndCountsSessionsBeyondTheFlowsOfAnEngine) {
  InProcessOptions options;
  options.inspection.engine_flows = 1;
  start(options, "overload pass;", kRules);
  connect(4000);
  connect(4001);
  EXPECT_EQ(counters().passed_overload.get(), 1U);
  EXPECT_EQ(send("lan0", {segment(4001, 0, "evilword")}).size(), 1U) << "nobody judges it";
  EXPECT_TRUE(send("lan0", {segment(4000, 0, "evilword")}).empty());
  EXPECT_EQ(gateway_->drop_counts()["inspection-rule"], 1U);
}

TEST_F(InspectionBoundsTest, DropsSegmentsThatCannotBeRemembered) {
  InProcessOptions options;
  options.inspection.stream_bytes = 1;
  start(options, "memory-full drop;", kRules);
  connect(4000);
  connect(4001);
  // There is one block, and its bytes are not acknowledged.
  EXPECT_EQ(send("lan0", {segment(4000, 0, "hello")}).size(), 1U);
  EXPECT_TRUE(send("lan0", {segment(4001, 0, "hello")}).empty());
  EXPECT_EQ(gateway_->drop_counts()["stream-memory"], 1U);
}

TEST_F(InspectionBoundsTest, PassesAndCountsSegmentsThatCannotBeRemembered) {
  InProcessOptions options;
  options.inspection.stream_bytes = 1;
  start(options, "memory-full pass;", kRules);
  connect(4000);
  connect(4001);
  EXPECT_EQ(send("lan0", {segment(4000, 0, "hello")}).size(), 1U);
  EXPECT_EQ(send("lan0", {segment(4001, 0, "hello")}).size(), 1U);
  EXPECT_EQ(counters().passed_memory.get(), 1U);
  EXPECT_EQ(gateway_->drop_counts()["stream-memory"], 0U);
}

TEST_F(InspectionBoundsTest, LowersWindowsAsStreamsFillTheMemory) {
  InProcessOptions options;
  options.inspection.stream_bytes = 2U << 20U;
  start(options, "memory-full drop;", kRules);
  for (const int port : {4000, 4001, 4002, 4003}) connect_scaled(port);
  for (const int port : {4000, 4001, 4002}) {
    EXPECT_EQ(window_told_of(port), 256) << "an eighth of what is free";
  }
  // Bytes far from each other take a block each.
  for (const int port : {4000, 4001}) {
    for (size_t index = 1; index <= 195; ++index) {
      ASSERT_EQ(send("lan0", {segment(port, index * 4096, "x")}).size(), 1U) << index;
    }
  }
  EXPECT_EQ(window_told_of(4002), 256) << "what was announced stays";
  EXPECT_EQ(window_told_of(4003), 64) << "what keeps a connection moving";
  EXPECT_EQ(gateway_->drop_counts()["stream-memory"], 0U);
  EXPECT_GE(counters().windows_lowered.get(), 5U);
}

TEST_F(InspectionBoundsTest, DropsSessionsThatParsersHaveNoMemoryFor) {
  InProcessOptions options;
  options.inspection.engine_memory_bytes = 1;
  start(options, "memory-full drop;", kRules);
  connect(4000);
  EXPECT_TRUE(
      send("lan0", {segment(4000, 0, "GET /seen HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")}).empty());
  EXPECT_EQ(gateway_->drop_counts()["inspection-memory"], 1U);
  EXPECT_TRUE(send("lan0", {segment(4000, 0, "x")}).empty());
  EXPECT_EQ(gateway_->drop_counts()["inspection-flow"], 1U) << "and so does all that follows";
}

TEST_F(InspectionBoundsTest, PassesAndCountsSessionsThatParsersHaveNoMemoryFor) {
  InProcessOptions options;
  options.inspection.engine_memory_bytes = 1;
  start(options, "memory-full pass;", kRules);
  connect(4000);
  EXPECT_EQ(send("lan0", {segment(4000, 0, "GET /seen HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")}).size(),
            1U);
  EXPECT_GE(counters().passed_memory.get(), 1U);
  EXPECT_TRUE(gateway_->take_alerts().empty()) << "nobody reads HTTP";
  EXPECT_TRUE(send("lan0", {segment(4000, 31, "evilword")}).empty());
  EXPECT_EQ(gateway_->drop_counts()["inspection-rule"], 1U) << "packets are still judged";
}

TEST_F(InspectionBoundsTest, RefusesSegmentsThatCannotWaitForAScan) {
  InProcessOptions options;
  options.antivirus.held_segments = 1;
  start(options, "", kRules);
  ASSERT_TRUE(gateway_->configure(R"(
interfaces {
    interface lan0 { device net_test_lan0; address 10.0.1.1/24; }
    interface wan0 { device net_test_wan0; address 203.0.113.2/24; }
}
zones { zone lan { interface lan0; } zone wan { interface wan0; } }
av { profile test { } }
policy { from lan to wan { rule all { action permit; inspect { av test; } } } }
)"));
  const std::string request = "GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n";  // 27 bytes
  const std::string answer =
      "flags AP seq 1000 ack 1027 payload \"HTTP/1.1 200 OK\\r\\n"
      "Content-Length: 100\\r\\n\\r\\nbeginning\"";
  for (const int port : {4000, 4001}) {
    connect(port);
    EXPECT_EQ(send("lan0", {segment(port, 0, request)}).size(), 1U);
    const std::string segment_of_server =
        "tcp 203.0.113.1:80 > 10.0.1.10:" + std::to_string(port) + " " + answer;
    EXPECT_TRUE(send("wan0", {segment_of_server}).empty()) << "waits, or is refused";
  }
  EXPECT_EQ(gateway_->drop_counts()["antivirus-no-room"], 1U) << "one waits";
}

}  // namespace
}  // namespace masugata::test
