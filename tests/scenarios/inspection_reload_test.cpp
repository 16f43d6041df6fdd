// SPDX-License-Identifier: GPL-2.0-or-later
// Rules are loaded again while traffic flows: no packet is lost, sessions go on being inspected,
// the old plan is freed.
#include "dataplane/inspection/inspection_set.h"
#include "tests/scenarios/inspected_traffic.h"

namespace masugata::test {
namespace {

constexpr const char* kRules =
    R"(drop tcp any any -> any any (flow:established; content:"evilword"; sid:1;)
drop http any any -> any any (http.uri; content:"/attack"; sid:2;))";

constexpr int kConnections = 16;
constexpr int kReloads = 3;

// The payload of an Ethernet frame with IPv4 and TCP.
std::string payload_of(const PortFrame& frame) {
  const std::vector<uint8_t>& bytes = frame.bytes;
  const size_t network = 14;
  const size_t end = network + (size_t{bytes[network + 2]} << 8U | bytes[network + 3]);
  const size_t transport = network + (bytes[network] & 15U) * size_t{4};
  const size_t begin = transport + (bytes[transport + 12] >> 4U) * size_t{4};
  return {bytes.begin() + static_cast<std::ptrdiff_t>(begin),
          bytes.begin() + static_cast<std::ptrdiff_t>(end)};
}

class InspectionReloadTest : public InspectedTrafficTest {
 protected:
  // One segment of every connection; all of it must come out, in order.
  void send_round() {
    std::vector<std::string> recipes;
    std::vector<std::string> sent;
    for (int i = 0; i < kConnections; ++i) {
      sent.push_back("round " + std::to_string(rounds_) + " of " + std::to_string(i) + ";");
      recipes.push_back(segment(4000 + i, positions_[i], sent.back()));
      positions_[i] += sent.back().size();
    }
    ++rounds_;
    std::vector<std::string> received;
    for (const PortFrame& frame : send("lan0", recipes)) received.push_back(payload_of(frame));
    ASSERT_EQ(received, sent);
  }

  std::shared_ptr<const ids::DetectionPlan> plan() {
    return gateway_->inspection().running()->slots.at(0).plan;
  }

  size_t positions_[kConnections] = {};
  int rounds_ = 0;
};

TEST_F(InspectionReloadTest, LosesNoPacketAndFreesThePlanBefore) {
  start({}, "", kRules);
  for (int i = 0; i < kConnections; ++i) connect(4000 + i);
  for (int reload = 0; reload < kReloads; ++reload) {
    send_round();
    const std::weak_ptr<const ids::DetectionPlan> before = plan();
    ASSERT_FALSE(before.expired());
    ASSERT_TRUE(gateway_->inspection().reread_rules());
    std::string ended;
    do {
      send_round();
    } while (!HasFatalFailure() && !gateway_->inspection().tick(ended));
    EXPECT_NE(plan(), before.lock());
    EXPECT_FALSE(before.expired()) << "the worker has not turned to the new one";
    send_round();
    EXPECT_FALSE(gateway_->inspection().tick(ended));
    EXPECT_TRUE(before.expired());
  }
  EXPECT_TRUE(gateway_->drop_counts().empty());
}

TEST_F(InspectionReloadTest, WhatBeganUnderTheOldRulesIsJudgedByTheNew) {
  start({}, "", kRules);
  connect(4000);
  EXPECT_EQ(send("lan0", {segment(4000, 0, "GET /att")}).size(), 1U);
  ASSERT_TRUE(gateway_->inspection().reread_rules());
  gateway_->inspection().finish_loading();
  EXPECT_TRUE(send("lan0", {segment(4000, 8, "ack HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")}).empty());
  EXPECT_EQ(gateway_->take_alerts(), std::vector<std::string>{"2 blocked"});
}

}  // namespace
}  // namespace masugata::test
