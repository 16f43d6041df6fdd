// SPDX-License-Identifier: GPL-2.0-or-later
// Reasons to drop that need a gateway with less room than scenarios have.
#include <gtest/gtest.h>

#include "tests/in_process_gateway.h"
#include "tests/packets/packet_builder.h"

namespace masugata::test {
namespace {

constexpr const char* kConfiguration = R"(
interfaces {
    interface lan0 { device net_test_lan0; address 10.0.1.1/24; }
    interface wan0 { device net_test_wan0; address 203.0.113.2/24; mtu 600; }
}
zones { zone lan { interface lan0; } zone wan { interface wan0; } }
policy {
    from lan to wan { rule all { action permit; } }
    from lan to self { rule all { action permit; } }
}
)";

class BoundsTest : public ::testing::Test {
 protected:
  void start(const InProcessOptions& options) {
    gateway_ = std::make_unique<InProcessGateway>(options);
    const auto configured = gateway_->configure(kConfiguration);
    ASSERT_TRUE(configured) << configured.error().message();
    ASSERT_TRUE(gateway_->set_neighbour("wan0", "203.0.113.1", "02:00:00:00:03:01"));
  }

  Status send(const std::vector<std::string>& recipes) {
    std::vector<PortFrame> frames;
    for (const std::string& recipe : recipes) {
      auto bytes = build_packet(recipe, LinkDefaults{"02:00:00:00:01:0a", "02:00:00:00:00:01"});
      if (!bytes) return tl::unexpected(bytes.error());
      frames.push_back({"lan0", false, std::move(*bytes)});
    }
    return gateway_->send(frames);
  }

  std::unique_ptr<InProcessGateway> gateway_;
};

TEST_F(BoundsTest, CountsWhatATransmitQueueDoesNotTake) {
  InProcessOptions options;
  options.ring_size = 8;  // holds seven frames
  start(options);
  std::vector<std::string> burst(5, "udp 10.0.1.10:5000 > 203.0.113.1:53 payload-size 1000");
  ASSERT_TRUE(send(burst));
  // Two fragments each.
  EXPECT_EQ(gateway_->take_output().size(), 7U);
  EXPECT_EQ(gateway_->drop_counts()["transmit-queue-full"], 3U);
}

TEST_F(BoundsTest, CountsWhatTheKernelDoesNotTake) {
  start({});
  gateway_->worker().connect(nullptr, nullptr);
  ASSERT_TRUE(send({"udp 10.0.1.10:5000 > 10.0.1.1:53"}));
  EXPECT_TRUE(gateway_->take_output().empty());
  EXPECT_EQ(gateway_->drop_counts()["punt-queue-full"], 1U);
}

TEST_F(BoundsTest, CountsFragmentsForWhichThereIsNoBuffer) {
  InProcessOptions options;
  options.packet_buffers = 3;
  start(options);
  // One buffer for the packet itself, three for its fragments.
  ASSERT_TRUE(send({"udp 10.0.1.10:5000 > 203.0.113.1:53 payload-size 1400"}));
  EXPECT_TRUE(gateway_->take_output().empty());
  EXPECT_EQ(gateway_->drop_counts()["no-buffer"], 1U);
  EXPECT_EQ(gateway_->buffers_in_use(), 0U);
}

}  // namespace
}  // namespace masugata::test
