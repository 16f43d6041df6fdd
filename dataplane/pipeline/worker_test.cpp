// SPDX-License-Identifier: GPL-2.0-or-later
// The whole dataplane on ring ports without hugepages. Scenarios go into every corner; here is the
// main road and what only shows from inside.
#include "dataplane/pipeline/worker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/in_process_gateway.h"
#include "tests/packets/packet_builder.h"

namespace masugata::test {
namespace {

constexpr const char* kConfiguration = R"(
interfaces {
    interface lan0 { device "net_ring0"; address 10.0.1.1/24; }
    interface wan0 { device "net_ring1"; address 203.0.113.2/24; }
}
routes { route 0.0.0.0/0 { via 203.0.113.1; } }
zones { zone lan { interface lan0; } zone wan { interface wan0; } }
policy { from lan to wan { rule web { action permit; } } }
nat { source { rule out { from lan; to wan; translate interface; } } }
)";

class WholeDataplane : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(gateway_.configure(kConfiguration).has_value());
    ASSERT_TRUE(gateway_.set_neighbour("wan0", "203.0.113.1", "02:00:00:00:00:99").has_value());
    ASSERT_TRUE(gateway_.set_neighbour("lan0", "10.0.1.10", "02:00:00:00:01:0a").has_value());
  }
  std::vector<uint8_t> frame(const std::string& recipe) {
    auto bytes = build_packet(recipe, LinkDefaults{});
    EXPECT_TRUE(bytes.has_value()) << (bytes ? "" : bytes.error().message());
    return bytes.value_or(std::vector<uint8_t>{});
  }
  InProcessGateway gateway_;
};

TEST_F(WholeDataplane, TranslatesAndAnswers) {
  ASSERT_TRUE(gateway_
                  .send({{"lan0", false,
                          frame("eth 02:00:00:00:01:0a > 02:00:00:00:00:01 | udp 10.0.1.10:4000 > "
                                "198.51.100.5:53 payload \"question\"")}})
                  .has_value());
  auto output = gateway_.take_output();
  for (auto& [name, count] : gateway_.drop_counts()) ADD_FAILURE() << name << " " << count;
  ASSERT_EQ(output.size(), 1U);
  EXPECT_EQ(output[0].port, "wan0");
  EXPECT_EQ(gateway_.sessions().size(), 1U);
  EXPECT_EQ(gateway_.buffers_in_use(), 0U);
}

// The other worker does not run: what belongs to it gathers in front of it up to the bound.
TEST(TwoWorkers, AFullRingToTheOwnerIsANamedDrop) {
  InProcessOptions options;
  options.workers = 2;
  InProcessGateway gateway(options);
  ASSERT_TRUE(gateway.configure(kConfiguration).has_value());
  net::FlowKey key;
  key.source = *net::IpAddress::parse("10.0.1.10");
  key.destination = *net::IpAddress::parse("198.51.100.5");
  key.destination_port = net::Be16::from_host(53);
  key.protocol = net::Protocol::Udp;
  uint16_t port = 4000;
  do {
    key.source_port = net::Be16::from_host(++port);
  } while (dataplane::worker_of(key, 2) != 1);
  const auto bytes = build_packet("eth 02:00:00:00:01:0a > 02:00:00:00:00:01 | udp 10.0.1.10:" +
                                      std::to_string(port) + " > 198.51.100.5:53",
                                  LinkDefaults{});
  ASSERT_TRUE(bytes.has_value());
  dataplane::Worker& first = gateway.worker();
  constexpr uint32_t kMore = 10;
  for (uint32_t i = 0; i < dataplane::WorkerMessages::kPacketRingSize + kMore; ++i) {
    rte_mbuf* frame = rte_pktmbuf_alloc(first.context().packet_pool);
    ASSERT_NE(frame, nullptr);
    std::copy(bytes->begin(), bytes->end(),
              rte_pktmbuf_append(frame, static_cast<uint16_t>(bytes->size())));
    first.process(&frame, 1, 0, false, {1'000'000'000});
  }
  const auto drops = gateway.drop_counts();
  ASSERT_TRUE(drops.contains("handover-queue-full"));
  // A ring holds one less than its size.
  EXPECT_EQ(drops.at("handover-queue-full"), kMore + 1);
}

}  // namespace
}  // namespace masugata::test
