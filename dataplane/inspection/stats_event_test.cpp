// SPDX-License-Identifier: GPL-2.0-or-later
// The `stats` event, and when one is written.
#include "dataplane/inspection/stats_event.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace masugata::dataplane {
namespace {

TEST(StatsEvent, HasTheFieldsThatReadersKnow) {
  StatsFigures figures;
  figures.uptime_s = 61;
  figures.received_packets = 1000;
  figures.packets = 900;
  figures.bytes = 90000;
  figures.flows = 7;
  figures.drops = 9;
  figures.alerts = 5;
  figures.rules_failed = 2;
  figures.rules_loaded_at_s = 1'600'000'000;
  figures.engines = {{"standard", 40'000}, {"strict", 41'000}};
  figures.protocol_flows[static_cast<size_t>(ids::ApplicationProtocol::Http)] = 3;
  figures.protocol_transactions[static_cast<size_t>(ids::ApplicationProtocol::Http)] = 8;
  const auto event = nlohmann::json::parse(stats_event(figures, 1'600'000'060'000'000));
  EXPECT_EQ(event["event_type"], "stats");
  EXPECT_EQ(event["timestamp"], "2020-09-13T12:27:40.000000+0000");
  const auto& stats = event["stats"];
  EXPECT_EQ(stats["uptime"], 61);
  EXPECT_EQ(stats["capture"]["kernel_packets"], 1000);
  EXPECT_EQ(stats["decoder"]["pkts"], 900);
  EXPECT_EQ(stats["decoder"]["bytes"], 90000);
  EXPECT_EQ(stats["flow"]["total"], 7);
  EXPECT_EQ(stats["ips"]["blocked"], 9);
  EXPECT_EQ(stats["ips"]["accepted"], 891);
  EXPECT_EQ(stats["detect"]["alert"], 5);
  ASSERT_EQ(stats["detect"]["engines"].size(), 2U);
  EXPECT_EQ(stats["detect"]["engines"][1]["rules_loaded"], 41'000);
  EXPECT_EQ(stats["detect"]["engines"][1]["rules_failed"], 2);
  EXPECT_EQ(stats["detect"]["engines"][0]["last_reload"], "2020-09-13T12:26:40.000000+0000");
  EXPECT_EQ(stats["app_layer"]["flow"]["http"], 3);
  EXPECT_EQ(stats["app_layer"]["tx"]["http"], 8);
  EXPECT_FALSE(stats["app_layer"]["flow"].contains("dns")) << "nothing was seen of it";
}

TEST(StatsEvent, HasAntivirusWhenSomethingIsScanned) {
  StatsFigures figures;
  EXPECT_FALSE(nlohmann::json::parse(stats_event(figures, 0))["stats"].contains("antivirus"));
  figures.antivirus = {{{"objects", 12}, {"infected", 1}}, {{"too-large", 2}}, {{"infected", 1}}};
  const auto stats = nlohmann::json::parse(stats_event(figures, 0))["stats"];
  EXPECT_EQ(stats["antivirus"]["objects"], 12);
  EXPECT_EQ(stats["antivirus"]["passed"]["too-large"], 2);
  EXPECT_EQ(stats["antivirus"]["refused"]["infected"], 1);
}

TEST(StatsEvent, AsManyProfilesAsThereMayBeFit) {
  StatsFigures figures;
  for (size_t i = 0; i < kMaximumInspectionSlots; ++i) {
    figures.engines.push_back({std::string(64, 'p'), UINT64_MAX});
  }
  figures.rules_loaded_at_s = 1'600'000'000;
  figures.protocol_flows.fill(UINT64_MAX);
  figures.protocol_transactions.fill(UINT64_MAX);
  EXPECT_TRUE(nlohmann::json::accept(stats_event(figures, UINT64_MAX / 2)));
}

TEST(StatsEvent, IsWrittenUnlessOtherEventsAreNamed) {
  config::IpsLog log;
  EXPECT_TRUE(wants_stats(log));
  log.events = {"alert"};
  EXPECT_FALSE(wants_stats(log));
  log.events = {"alert", "stats"};
  EXPECT_TRUE(wants_stats(log));
}

}  // namespace
}  // namespace masugata::dataplane
