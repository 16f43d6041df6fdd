// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/held_segments.h"

#include <gtest/gtest.h>

#include <vector>

#include "dataplane/fragments/fragment_test_packets.h"

namespace masugata::dataplane {
namespace {

constexpr auto kAll = [](uint32_t) { return true; };

class HeldSegmentsTest : public ::testing::Test {
 protected:
  [[nodiscard]] bool push(SegmentQueue& queue, uint32_t end) {
    Packet& packet = test::make_packet(pool_, test::udp_over_ipv4(8, 1));
    if (held_.push(queue, packet, end)) return true;
    test::free_packet(packet);
    return false;
  }
  // Ends of those that went, in order.
  template <class Goes>
  std::vector<uint32_t> take(SegmentQueue& queue, Goes goes) {
    std::vector<uint32_t> asked;
    std::vector<uint32_t> taken;
    held_.take_if(
        queue,
        [&](uint32_t end) {
          asked.push_back(end);
          return goes(end);
        },
        [&](HeldPacket&&) { taken.push_back(asked.back()); });
    return taken;
  }

  test::BufferPool pool_;
  HeldSegments held_{3};
  SegmentQueue one_;
  SegmentQueue other_;
};

using Ends = std::vector<uint32_t>;

TEST_F(HeldSegmentsTest, GivesThemInOrderOfArrival) {
  for (const uint32_t end : {30U, 10U, 20U}) ASSERT_TRUE(push(one_, end));
  EXPECT_EQ(held_.held(), 3U);
  EXPECT_EQ(take(one_, kAll), (Ends{30, 10, 20}));
  EXPECT_EQ(held_.held(), 0U);
  EXPECT_EQ(one_.count, 0U);
  EXPECT_EQ(held_.front(one_), nullptr);
  EXPECT_EQ(pool_.in_use(), 0U) << "who takes a packet and drops it frees it";
}

TEST_F(HeldSegmentsTest, RefusesAtTheBoundAndHasRoomAgain) {
  for (const uint32_t end : {1U, 2U, 3U}) ASSERT_TRUE(push(one_, end));
  EXPECT_FALSE(push(other_, 4));
  EXPECT_EQ(pool_.in_use(), 3U);
  EXPECT_EQ(take(one_, [](uint32_t end) { return end == 2; }), Ends{2});
  EXPECT_TRUE(push(other_, 4));
  EXPECT_EQ(take(one_, kAll), (Ends{1, 3}));
  EXPECT_EQ(take(other_, kAll), Ends{4});
}

// First, middle and last place of a queue, each followed by a push.
TEST_F(HeldSegmentsTest, KeepsTheOrderOfWhatStays) {
  for (const uint32_t leaves : {1U, 2U, 3U}) {
    SCOPED_TRACE(leaves);
    for (const uint32_t end : {1U, 2U, 3U}) ASSERT_TRUE(push(one_, end));
    EXPECT_EQ(take(one_, [&](uint32_t end) { return end == leaves; }), Ends{leaves});
    ASSERT_TRUE(push(one_, 9));
    Ends rest{1, 2, 3};
    std::erase(rest, leaves);
    rest.push_back(9);
    EXPECT_EQ(take(one_, kAll), rest);
  }
}

TEST_F(HeldSegmentsTest, KeepsQueuesApart) {
  ASSERT_TRUE(push(one_, 1));
  ASSERT_TRUE(push(other_, 2));
  ASSERT_TRUE(push(one_, 3));
  EXPECT_NE(held_.front(one_), held_.front(other_));
  EXPECT_EQ(take(other_, kAll), Ends{2});
  EXPECT_EQ(take(one_, kAll), (Ends{1, 3}));
}

TEST_F(HeldSegmentsTest, FreesWhatItStillHas) {
  {
    HeldSegments held(2);
    SegmentQueue queue;
    ASSERT_TRUE(held.push(queue, test::make_packet(pool_, test::udp_over_ipv4(8, 1)), 1));
    EXPECT_EQ(pool_.in_use(), 1U);
  }
  EXPECT_EQ(pool_.in_use(), 0U);
}

TEST_F(HeldSegmentsTest, HasNoRoomUnlessItIsGiven) {
  HeldSegments held;
  SegmentQueue queue;
  Packet& packet = test::make_packet(pool_, test::udp_over_ipv4(8, 1));
  EXPECT_FALSE(held.push(queue, packet, 1));
  test::free_packet(packet);
}

}  // namespace
}  // namespace masugata::dataplane
