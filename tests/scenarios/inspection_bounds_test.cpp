// SPDX-License-Identifier: GPL-2.0-or-later
// What an inspected session meets where there is no room for it: what its profile says.
#include "tests/scenarios/inspected_traffic.h"

namespace masugata::test {
namespace {

constexpr const char* kRules =
    R"(alert http any any -> any any (http.uri; content:"/seen"; sid:1;)
drop tcp any any -> any any (flow:established; content:"evilword"; sid:2;))";

class InspectionBoundsTest : public InspectedTrafficTest {};

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
