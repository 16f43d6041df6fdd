// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/session/expectation_table.h"

#include <gtest/gtest.h>

namespace masugata::dataplane {
namespace {

net::FlowKey data_key(uint16_t source_port, uint16_t destination_port) {
  net::FlowKey key;
  key.source = *net::IpAddress::parse("203.0.113.9");
  key.destination = *net::IpAddress::parse("198.51.100.1");
  key.source_port = net::Be16::from_host(source_port);
  key.destination_port = net::Be16::from_host(destination_port);
  key.protocol = net::Protocol::Tcp;
  return key;
}

Expectation expectation(uint16_t destination_port, uint32_t parent = 1,
                        uint32_t expires_ms = 10'000, uint16_t source_port = 0) {
  Expectation result;
  result.key = data_key(source_port, destination_port);
  result.parent = {parent, 5};
  result.expires_ms = expires_ms;
  result.policy_rule = destination_port;
  return result;
}

class ExpectationTableTest : public ::testing::Test {
 protected:
  void start(uint32_t capacity) {
    ASSERT_TRUE(table_.allocate(memory_, capacity, net::HashSecret{}));
  }
  HeapMemory memory_;
  ExpectationTable table_;
  Expectation found_;
};

TEST_F(ExpectationTableTest, IsTakenOnceFromAnySourcePort) {
  start(8);
  EXPECT_TRUE(table_.add(expectation(2000), 0));
  EXPECT_FALSE(table_.take(data_key(20, 2001), 0, found_));
  net::FlowKey other = data_key(20, 2000);
  other.protocol = net::Protocol::Udp;
  EXPECT_FALSE(table_.take(other, 0, found_));
  EXPECT_TRUE(table_.contains(data_key(20, 2000), 0));
  EXPECT_TRUE(table_.take(data_key(20, 2000), 0, found_));
  EXPECT_EQ(found_.policy_rule, 2000U);
  EXPECT_EQ(found_.parent, (SessionHandle{1, 5}));
  EXPECT_FALSE(table_.take(data_key(20, 2000), 0, found_));
  EXPECT_EQ(table_.size(), 0U);
  EXPECT_EQ(table_.counters().taken, 1U);
}

TEST_F(ExpectationTableTest, IsLookedUpAndStays) {
  start(8);
  EXPECT_FALSE(table_.look_up(data_key(20, 2000), 0, found_));
  EXPECT_TRUE(table_.add(expectation(2000), 0));
  EXPECT_TRUE(table_.look_up(data_key(20, 2000), 0, found_));
  EXPECT_EQ(found_.policy_rule, 2000U);
  EXPECT_TRUE(table_.look_up(data_key(21, 2000), 9'999, found_));
  EXPECT_FALSE(table_.look_up(data_key(20, 2000), 10'000, found_));
  EXPECT_EQ(table_.size(), 1U);
  EXPECT_EQ(table_.counters().taken, 0U);
}

TEST_F(ExpectationTableTest, AnExactSourcePortGoesFirst) {
  start(8);
  Expectation any = expectation(2000);
  any.policy_rule = 1;
  Expectation exact = expectation(2000, 1, 10'000, 20);
  exact.policy_rule = 2;
  EXPECT_TRUE(table_.add(any, 0));
  EXPECT_TRUE(table_.add(exact, 0));
  EXPECT_TRUE(table_.take(data_key(20, 2000), 0, found_));
  EXPECT_EQ(found_.policy_rule, 2U);
  EXPECT_TRUE(table_.take(data_key(20, 2000), 0, found_));
  EXPECT_EQ(found_.policy_rule, 1U);
}

TEST_F(ExpectationTableTest, ExpiresAlsoAcrossTheClocksWrap) {
  start(8);
  EXPECT_TRUE(table_.add(expectation(2000, 1, 500), 0xffffff00U));
  EXPECT_TRUE(table_.contains(data_key(20, 2000), 499));
  EXPECT_FALSE(table_.contains(data_key(20, 2000), 500));
  EXPECT_FALSE(table_.take(data_key(20, 2000), 500, found_));
  EXPECT_EQ(table_.size(), 1U);
  table_.expire(500, 8);
  EXPECT_EQ(table_.size(), 0U);
  EXPECT_EQ(table_.counters().expired, 1U);
}

TEST_F(ExpectationTableTest, AParentKeepsItsNewest) {
  start(32);
  for (uint16_t port = 0; port < 6; ++port) {
    EXPECT_TRUE(table_.add(expectation(static_cast<uint16_t>(3000 + port)), 0));
  }
  EXPECT_EQ(table_.size(), ExpectationTable::kPerParent);
  EXPECT_FALSE(table_.contains(data_key(20, 3001), 0));
  EXPECT_TRUE(table_.contains(data_key(20, 3002), 0));
  EXPECT_EQ(table_.counters().replaced, 2U);
  EXPECT_TRUE(table_.add(expectation(3005), 0));  // again: replaces itself
  EXPECT_EQ(table_.size(), ExpectationTable::kPerParent);
}

TEST_F(ExpectationTableTest, GoesWithItsParent) {
  start(32);
  for (uint32_t parent = 0; parent < 3; ++parent) {
    for (uint16_t port = 0; port < 3; ++port) {
      const auto number = static_cast<uint16_t>(4000 + 10 * parent + port);
      EXPECT_TRUE(table_.add(expectation(number, parent * 32), 0));  // one chain
    }
  }
  table_.remove_of_parent({32, 5});
  EXPECT_EQ(table_.size(), 6U);
  EXPECT_FALSE(table_.contains(data_key(20, 4011), 0));
  EXPECT_TRUE(table_.contains(data_key(20, 4001), 0));
  EXPECT_TRUE(table_.contains(data_key(20, 4021), 0));
  table_.remove_of_parent({32, 6});  // another session that lived in that slot
  EXPECT_EQ(table_.size(), 6U);
}

TEST_F(ExpectationTableTest, TheBoundHoldsAndOverdueOnesMakePlace) {
  start(4);
  for (uint16_t port = 0; port < 4; ++port) {
    EXPECT_TRUE(table_.add(expectation(static_cast<uint16_t>(5000 + port), port, 1000), 0));
  }
  EXPECT_FALSE(table_.add(expectation(6000, 9), 0));
  EXPECT_EQ(table_.counters().refused_full, 1U);
  EXPECT_TRUE(table_.add(expectation(6000, 9), 1000));
  EXPECT_EQ(table_.size(), 1U);
}

}  // namespace
}  // namespace masugata::dataplane
