// SPDX-License-Identifier: GPL-2.0-or-later
// The figures of the `stats` event, counted by a gateway.
#include "dataplane/inspection/exception_hits.h"
#include "dataplane/inspection/stats_event.h"
#include "tests/scenarios/inspected_traffic.h"

namespace masugata::test {
namespace {

class InspectionStatsTest : public InspectedTrafficTest {};

TEST_F(InspectionStatsTest, CountWhatWentThroughTheGateway) {
  start({}, "", R"(drop http any any -> any any (http.uri; content:"/attack"; sid:1;)
alert http any any -> any any (http.uri; content:"/odd"; sid:2;))");
  connect(4000);
  EXPECT_EQ(send("lan0", {segment(4000, 0, "GET /odd HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")}).size(),
            1U);
  connect(4001);
  EXPECT_TRUE(
      send("lan0", {segment(4001, 0, "GET /attack HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")}).empty());
  const dataplane::StatsFigures figures = dataplane::gather_stats(gateway_->inspection());
  EXPECT_EQ(figures.packets, 8U);
  EXPECT_EQ(figures.flows, 2U);
  EXPECT_EQ(figures.flows_now, 2U);
  EXPECT_EQ(figures.alerts, 2U);
  EXPECT_EQ(figures.drops, 1U);
  EXPECT_GT(figures.bytes, 8 * 40U);
  EXPECT_GT(figures.memory_bytes, 0U);
  ASSERT_EQ(figures.engines.size(), 1U);
  EXPECT_EQ(figures.engines[0].profile, "test");
  EXPECT_EQ(figures.engines[0].rules_loaded, 2U);
  EXPECT_EQ(figures.protocol_flows[static_cast<size_t>(ids::ApplicationProtocol::Http)], 2U);
}

TEST_F(InspectionStatsTest, CountHowOftenAnExceptionHeld) {
  start({}, R"(exception scanner { source { address 10.0.1.10; } }
        exception past { sid 1; until "2020-01-01 00:00"; })",
        R"(drop udp any any -> any any (content:"evilword"; sid:1;))");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(send("lan0", {"udp 10.0.1.10:5000 > 203.0.113.1:53 payload \"evilword\""}).size(),
              1U);
  }
  const auto exceptions = dataplane::exception_hits(gateway_->inspection());
  ASSERT_EQ(exceptions.size(), 2U);
  EXPECT_EQ(exceptions[0].name, "scanner");
  EXPECT_TRUE(exceptions[0].holds);
  EXPECT_EQ(exceptions[0].hits, 2U);
  EXPECT_EQ(exceptions[1].name, "past");
  EXPECT_FALSE(exceptions[1].holds);
  EXPECT_EQ(exceptions[1].hits, 0U);
}

}  // namespace
}  // namespace masugata::test
