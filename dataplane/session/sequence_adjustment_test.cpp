// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/session/sequence_adjustment.h"

#include <gtest/gtest.h>

#include <vector>

#include "net/byte_order.h"
#include "net/checksum.h"

namespace masugata::dataplane {
namespace {

TEST(StreamAdjustment, LeavesAnUnchangedStreamAlone) {
  const StreamAdjustment stream;
  EXPECT_FALSE(stream.active());
  EXPECT_EQ(stream.shown_sequence(123), 123U);
  EXPECT_EQ(stream.own_sequence(123), 123U);
}

TEST(StreamAdjustment, FollowsGrowthAndShrinking) {
  for (const uint32_t base : {1000U, 0xffffffe0U, 0x7fffffe0U}) {
    StreamAdjustment stream;
    EXPECT_TRUE(stream.add_change(base + 10, base + 30, 5));   // 20 bytes became 25
    EXPECT_TRUE(stream.add_change(base + 50, base + 60, -8));  // 10 became 2
    EXPECT_EQ(stream.shown_sequence(base), base);
    EXPECT_EQ(stream.shown_sequence(base + 10), base + 10);
    EXPECT_EQ(stream.shown_sequence(base + 30), base + 35);
    EXPECT_EQ(stream.shown_sequence(base + 50), base + 55);
    EXPECT_EQ(stream.shown_sequence(base + 60), base + 57);
    EXPECT_EQ(stream.shown_sequence(base + 90), base + 87);

    EXPECT_EQ(stream.own_sequence(base + 10), base + 10);
    EXPECT_EQ(stream.own_sequence(base + 20), base + 10);  // within replaced bytes
    EXPECT_EQ(stream.own_sequence(base + 34), base + 10);
    EXPECT_EQ(stream.own_sequence(base + 35), base + 30);
    EXPECT_EQ(stream.own_sequence(base + 55), base + 50);
    EXPECT_EQ(stream.own_sequence(base + 56), base + 50);
    EXPECT_EQ(stream.own_sequence(base + 57), base + 60);
    EXPECT_EQ(stream.own_sequence(base + 87), base + 90);
  }
}

TEST(StreamAdjustment, ARetransmissionIsNotCountedTwice) {
  StreamAdjustment stream;
  EXPECT_TRUE(stream.add_change(100, 120, 4));
  EXPECT_FALSE(stream.add_change(100, 120, 4));
  EXPECT_EQ(stream.shown_sequence(120), 124U);
}

TEST(StreamAdjustment, OldChangesMergeIntoTheBase) {
  StreamAdjustment stream;
  for (uint32_t change = 0; change < 10; ++change) {
    EXPECT_TRUE(stream.add_change(change * 100, change * 100 + 10, 1));
  }
  EXPECT_EQ(stream.shown_sequence(950), 960U);
  EXPECT_EQ(stream.own_sequence(960), 950U);
  EXPECT_EQ(stream.shown_sequence(850), 859U);
  EXPECT_EQ(stream.shown_sequence(750), 758U);
  stream.set_initial_offset(1'000'000);
  EXPECT_EQ(stream.shown_sequence(5), 1'000'005U);
  EXPECT_EQ(stream.own_sequence(1'000'005), 5U);
}

std::vector<uint8_t> tcp_header(uint32_t sequence, uint32_t acknowledgement,
                                const std::vector<uint8_t>& options) {
  std::vector<uint8_t> header(20, 0);
  header.insert(header.end(), options.begin(), options.end());
  net::store(&header[4], net::Be32::from_host(sequence));
  net::store(&header[8], net::Be32::from_host(acknowledgement));
  header[12] = static_cast<uint8_t>(header.size() / 4 << 4U);
  header[13] = 0x10;
  const uint16_t checksum =
      static_cast<uint16_t>(~net::checksum_fold(net::checksum_add(header.data(), header.size())));
  std::memcpy(&header[16], &checksum, 2);
  return header;
}

void apply(std::vector<uint8_t>& header, uint16_t delta) {
  uint16_t field;
  std::memcpy(&field, &header[16], 2);
  field = net::checksum_apply(field, delta);
  std::memcpy(&header[16], &field, 2);
}

bool checksum_holds(const std::vector<uint8_t>& header) {
  return net::checksum_fold(net::checksum_add(header.data(), header.size())) == 0xffff;
}

TEST(SequenceAdjustment, RewritesAcknowledgementAndSackBlocks) {
  SequenceAdjustment adjustment;
  adjustment.streams[1].set_initial_offset(500);  // what the server sends is shown 500 higher
  // SACK at an even and, after one NOP less, at an odd offset.
  const std::vector<uint8_t> block{5, 10, 0, 0, 0x10, 0, 0, 0, 0x20, 0};
  std::vector<uint8_t> even{1, 1};
  even.insert(even.end(), block.begin(), block.end());
  std::vector<uint8_t> odd{1};
  odd.insert(odd.end(), block.begin(), block.end());
  odd.push_back(0);
  for (const auto& [options, at] : {std::pair{even, 24U}, std::pair{odd, 23U}}) {
    std::vector<uint8_t> header = tcp_header(77, 9000, options);
    ASSERT_TRUE(checksum_holds(header));
    const uint16_t delta =
        take_back_acknowledgement(adjustment, Direction::Original, header.data(), header.size());
    apply(header, delta);
    EXPECT_TRUE(checksum_holds(header));
    EXPECT_EQ(net::load_be32(&header[4]).host(), 77U);
    EXPECT_EQ(net::load_be32(&header[8]).host(), 8500U);
    EXPECT_EQ(net::load_be32(&header[at]).host(), 0x1000U - 500);
    EXPECT_EQ(net::load_be32(&header[at + 4]).host(), 0x2000U - 500);
  }
}

TEST(SequenceAdjustment, RewritesTheSequenceOfOneDirectionOnly) {
  SequenceAdjustment adjustment;
  adjustment.streams[1].set_initial_offset(0xfffffff0U);
  std::vector<uint8_t> header = tcp_header(100, 200, {});
  EXPECT_EQ(show_sequence(adjustment, Direction::Original, header.data(), header.size()), 0);
  EXPECT_EQ(take_back_acknowledgement(adjustment, Direction::Reply, header.data(), header.size()),
            0);
  apply(header, show_sequence(adjustment, Direction::Reply, header.data(), header.size()));
  EXPECT_TRUE(checksum_holds(header));
  EXPECT_EQ(net::load_be32(&header[4]).host(), 84U);
  EXPECT_EQ(net::load_be32(&header[8]).host(), 200U);
}

TEST(SequenceAdjustment, MalformedOptionsStayWithinTheHeader) {
  SequenceAdjustment adjustment;
  adjustment.streams[1].set_initial_offset(1);
  for (const uint8_t length : std::initializer_list<uint8_t>{0, 1, 2, 3, 7, 12, 40, 255}) {
    std::vector<uint8_t> header = tcp_header(1, 2, {5, length, 9, 9, 9, 9, 9, 5});
    apply(header,
          take_back_acknowledgement(adjustment, Direction::Original, header.data(), header.size()));
    EXPECT_TRUE(checksum_holds(header));
  }
}

TEST(SequenceAdjustmentTable, IsBoundedAndGivesBack) {
  HeapMemory memory;
  SequenceAdjustmentTable table;
  ASSERT_TRUE(table.allocate(memory, 2));
  Session sessions[3];
  EXPECT_EQ(table.find(sessions[0]), nullptr);
  SequenceAdjustment* first = table.acquire(sessions[0]);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(table.acquire(sessions[0]), first);
  first->streams[0].set_initial_offset(7);
  ASSERT_NE(table.acquire(sessions[1]), nullptr);
  EXPECT_EQ(table.acquire(sessions[2]), nullptr);
  EXPECT_EQ(table.in_use(), 2U);
  table.release(sessions[0]);
  table.release(sessions[0]);
  EXPECT_EQ(sessions[0].flags & kSessionSequenceAdjusted, 0);
  SequenceAdjustment* again = table.acquire(sessions[2]);
  ASSERT_NE(again, nullptr);
  EXPECT_FALSE(again->streams[0].active());
}

}  // namespace
}  // namespace masugata::dataplane
