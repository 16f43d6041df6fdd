// SPDX-License-Identifier: GPL-2.0-or-later
// What objects meet where a worker has no room for them: what the profile says of `overload`.
#include <fmt/format.h>

#include "tests/scenarios/inspected_traffic.h"

namespace masugata::test {
namespace {

class AntivirusBoundsTest : public InspectedTrafficTest {
 protected:
  void start_scanning(const dataplane::ObjectGuardLimits& limits, const std::string& choices) {
    InProcessOptions options;
    options.antivirus = limits;
    gateway_ = std::make_unique<InProcessGateway>(options);
    const auto configured = gateway_->configure(R"(
interfaces {
    interface lan0 { device net_test_lan0; address 10.0.1.1/24; }
    interface wan0 { device net_test_wan0; address 203.0.113.2/24; }
}
zones { zone lan { interface lan0; } zone wan { interface wan0; } }
av { profile test { )" + choices + R"( } }
policy { from lan to wan { rule all { action permit; inspect { av test; } } } }
)");
    ASSERT_TRUE(configured) << configured.error().message();
    ASSERT_TRUE(gateway_->set_neighbour("wan0", "203.0.113.1", "02:00:00:00:03:01"));
    ASSERT_TRUE(gateway_->set_neighbour("lan0", "10.0.1.10", "02:00:00:00:01:0a"));
    gateway_->advance(1);
  }

  // A request of a new connection. The server's bytes begin at sequence number 1000.
  size_t ask(int client_port) {
    connect(client_port);
    return send("lan0", {segment(client_port, 0, "GET /a HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n")})
        .size();
  }

  std::vector<PortFrame> answer(int client_port, size_t at, const std::string& text) {
    return send("wan0", {fmt::format("tcp 203.0.113.1:80 > 10.0.1.10:{} flags AP seq {} ack 1028 "
                                     "payload \"{}\"",
                                     client_port, 1000 + at, text)});
  }

  std::vector<std::string> objects() { return gateway_->take_objects(); }

  static std::string page(size_t bytes) {
    return fmt::format("HTTP/1.1 200 OK\\r\\nContent-Length: {}\\r\\n\\r\\n{}", bytes,
                       std::string(bytes, 'c'));
  }
};

using Texts = std::vector<std::string>;

constexpr dataplane::ObjectGuardLimits kSmall{.sessions = 4, .objects = 4, .blocks = 64};

TEST_F(AntivirusBoundsTest, RefusesSessionsBeyondThoseThatAreScanned) {
  auto limits = kSmall;
  limits.sessions = 1;
  start_scanning(limits, "");
  connect(4000);
  EXPECT_TRUE(send("lan0", {"tcp 10.0.1.10:4001 > 203.0.113.1:80 flags S seq 999"}).empty());
}

TEST_F(AntivirusBoundsTest, LetsSessionsPassBeyondThoseThatAreScanned) {
  auto limits = kSmall;
  limits.sessions = 1;
  start_scanning(limits, "overload pass; not-scanned pass;");
  connect(4000);
  EXPECT_EQ(ask(4001), 1U);
  EXPECT_EQ(answer(4001, 0, "HTTP/1.1 200 OK\\r\\nContent-Length: 10\\r\\n\\r\\nVIRUS-HERE").size(),
            1U);
}

TEST_F(AntivirusBoundsTest, RefusesObjectsBeyondItsRoom) {
  auto limits = kSmall;
  limits.objects = 1;
  start_scanning(limits, "");
  ASSERT_TRUE(gateway_->set_scanner("waits"));
  ASSERT_EQ(ask(4000), 1U);
  EXPECT_TRUE(answer(4000, 0, page(5)).empty());
  ASSERT_EQ(ask(4001), 1U);
  EXPECT_EQ(answer(4001, 0, page(5)).size(), 2U) << "a reset each";
  EXPECT_EQ(objects(), Texts{"overload reset"});
  // The other one is not disturbed.
  ASSERT_TRUE(gateway_->set_scanner("answers"));
  gateway_->advance(1);
  EXPECT_EQ(gateway_->take_output().size(), 1U);
}

TEST_F(AntivirusBoundsTest, LetsObjectsPassBeyondItsRoom) {
  auto limits = kSmall;
  limits.objects = 1;
  start_scanning(limits, "overload pass;");
  ASSERT_TRUE(gateway_->set_scanner("waits"));
  ASSERT_EQ(ask(4000), 1U);
  EXPECT_TRUE(answer(4000, 0, page(5)).empty());
  ASSERT_EQ(ask(4001), 1U);
  EXPECT_EQ(answer(4001, 0, page(5)).size(), 1U);
}

// What an ended transfer leaves behind must not be kept until its session expires: a few hundred
// downloads that are broken off would take all memory.
TEST_F(AntivirusBoundsTest, ForgetsObjectsWhoseConnectionIsReset) {
  auto limits = kSmall;
  limits.objects = 1;
  start_scanning(limits, "hold-whole 4;");
  ASSERT_TRUE(gateway_->set_scanner("waits"));
  for (int port = 4000; port < 4004; ++port) {
    ASSERT_EQ(ask(port), 1U);
    const std::string whole = page(100);
    answer(port, 0, whole.substr(0, 60));
    answer(port, 60 - 4, whole.substr(60, 20));
    EXPECT_EQ(
        send("lan0", {fmt::format("tcp 10.0.1.10:{} > 203.0.113.1:80 flags R seq 1028", port)})
            .size(),
        1U);
    EXPECT_TRUE(objects().empty()) << "there was room";
    // Its server does not know yet; it is told by us.
    EXPECT_EQ(answer(port, 80 - 4, whole.substr(80)).size(), 1U);
    EXPECT_EQ(gateway_->drop_counts()["after-reset"], static_cast<uint64_t>(port - 4000 + 1));
  }
}

TEST_F(AntivirusBoundsTest, WaitsForAPlaceAmongTheScansForFiveSeconds) {
  auto limits = kSmall;
  limits.sessions = limits.objects = av::kScanSlots + 1;
  limits.blocks = 2 * av::kScanSlots;
  start_scanning(limits, "");
  ASSERT_TRUE(gateway_->set_scanner("waits"));
  for (int i = 0; i <= static_cast<int>(av::kScanSlots); ++i) {
    ASSERT_EQ(ask(4000 + i), 1U);
    EXPECT_TRUE(answer(4000 + i, 0, page(5)).empty());
  }
  gateway_->advance(4900);
  EXPECT_TRUE(gateway_->take_output().empty());
  EXPECT_TRUE(objects().empty());
  gateway_->advance(200);
  EXPECT_EQ(objects(), Texts{"overload answered"}) << "the one without a place";
}

TEST_F(AntivirusBoundsTest, DropsSegmentsThatItCannotHoldUntilThereIsRoom) {
  auto limits = kSmall;
  limits.held_segments = 1;
  start_scanning(limits, "");
  ASSERT_TRUE(gateway_->set_scanner("waits"));
  ASSERT_EQ(ask(4000), 1U);
  EXPECT_TRUE(answer(4000, 0, page(5)).empty());
  ASSERT_EQ(ask(4001), 1U);
  EXPECT_TRUE(answer(4001, 0, page(6)).empty());
  EXPECT_EQ(gateway_->drop_counts()["antivirus-no-room"], 1U);
  ASSERT_TRUE(gateway_->set_scanner("answers"));
  gateway_->advance(2);
  EXPECT_EQ(gateway_->take_output().size(), 1U);
  EXPECT_EQ(answer(4001, 0, page(6)).size(), 1U) << "the repetition";
}

TEST_F(AntivirusBoundsTest, DoesNotLetOneSessionHoldAll) {
  auto limits = kSmall;
  limits.held_per_session = 2;
  start_scanning(limits, "");
  ASSERT_TRUE(gateway_->set_scanner("waits"));
  ASSERT_EQ(ask(4000), 1U);
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(answer(4000, i * 43, page(5)).empty());
  EXPECT_EQ(gateway_->drop_counts()["antivirus-no-room"], 1U);
}

// A download flows however many segments come in one turn.
TEST_F(AntivirusBoundsTest, HoldsOneSegmentOfALargeDownload) {
  auto limits = kSmall;
  limits.held_per_session = 2;
  limits.blocks = 4096;
  start_scanning(limits, "");
  ASSERT_EQ(ask(4000), 1U);
  const std::string head = "HTTP/1.1 200 OK\\r\\nContent-Length: 100000\\r\\n\\r\\n";
  EXPECT_TRUE(answer(4000, 0, head).empty());
  for (size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(answer(4000, 43 + i * 1000, std::string(1000, 'c')).size(), 1U) << i;
  }
  EXPECT_EQ(gateway_->worker().guard().counters().segments_held_now.get(), 1U);
  EXPECT_EQ(gateway_->drop_counts()["antivirus-no-room"], 0U);
}

}  // namespace
}  // namespace masugata::test
