// SPDX-License-Identifier: GPL-2.0-or-later
// For tests: a gateway between lan and wan whose traffic a profile inspects, and the two ends of
// TCP connections through it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/in_process_gateway.h"
#include "tests/packets/packet_builder.h"

namespace masugata::test {

// `choices` stand in the profile: "overload pass;".
class InspectedTrafficTest : public ::testing::Test {
 protected:
  void start(const InProcessOptions& options, const std::string& choices,
             const std::string& rules) {
    gateway_ = std::make_unique<InProcessGateway>(options);
    ASSERT_TRUE(gateway_->set_rules(rules));
    const auto configured = gateway_->configure(R"(
interfaces {
    interface lan0 { device net_test_lan0; address 10.0.1.1/24; }
    interface wan0 { device net_test_wan0; address 203.0.113.2/24; }
}
zones { zone lan { interface lan0; } zone wan { interface wan0; } }
ips { profile test { )" + choices + R"( } }
policy { from lan to wan { rule all { action permit; inspect { ips test; } } } }
)");
    ASSERT_TRUE(configured) << configured.error().message();
    ASSERT_TRUE(gateway_->set_neighbour("wan0", "203.0.113.1", "02:00:00:00:03:01"));
    ASSERT_TRUE(gateway_->set_neighbour("lan0", "10.0.1.10", "02:00:00:00:01:0a"));
  }

  // All in one burst. What goes out is returned, in order.
  std::vector<PortFrame> send(const std::string& port, const std::vector<std::string>& recipes) {
    std::vector<PortFrame> frames;
    for (const std::string& recipe : recipes) {
      const std::string from = port == "lan0" ? "02:00:00:00:01:0a" : "02:00:00:00:03:01";
      auto bytes = build_packet(recipe, LinkDefaults{from, *gateway_->mac_of_port(port)});
      EXPECT_TRUE(bytes) << recipe;
      if (bytes) frames.push_back({port, false, std::move(*bytes)});
    }
    EXPECT_TRUE(gateway_->send(frames));
    return gateway_->take_output();
  }

  // The handshake of a connection from that port; both sides begin at sequence number 1000.
  void connect(int client_port) {
    const std::string port = std::to_string(client_port);
    EXPECT_EQ(send("lan0", {"tcp 10.0.1.10:" + port + " > 203.0.113.1:80 flags S seq 999"}).size(),
              1U);
    EXPECT_EQ(
        send("wan0", {"tcp 203.0.113.1:80 > 10.0.1.10:" + port + " flags SA seq 999 ack 1000"})
            .size(),
        1U);
    EXPECT_EQ(
        send("lan0", {"tcp 10.0.1.10:" + port + " > 203.0.113.1:80 flags A seq 1000 ack 1000"})
            .size(),
        1U);
  }

  // A segment of the client, `at` bytes behind the first.
  static std::string segment(int client_port, size_t at, const std::string& text) {
    return "tcp 10.0.1.10:" + std::to_string(client_port) + " > 203.0.113.1:80 flags AP seq " +
           std::to_string(1000 + at) + " ack 1000 payload \"" + text + "\"";
  }

  const dataplane::InspectionCounters& counters() {
    return gateway_->worker().inspector().counters();
  }

  std::unique_ptr<InProcessGateway> gateway_;
};

}  // namespace masugata::test
