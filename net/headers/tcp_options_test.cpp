// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/headers/tcp_options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <vector>

namespace masugata::net {
namespace {

// A SYN with the given option bytes and a checksum that makes the header sum up to 0xffff.
std::vector<uint8_t> header_with(std::initializer_list<uint8_t> options) {
  std::vector<uint8_t> header(kTcpMinimumHeaderBytes, 0);
  for (const uint8_t byte : options) header.push_back(byte);
  while (header.size() % 4 != 0) header.push_back(0);
  header[0] = 0x12;
  header[12] = static_cast<uint8_t>((header.size() / 4) << 4U);
  header[13] = kTcpSyn;
  const auto sum = checksum_fold(checksum_add(header.data(), header.size()));
  store(header.data() + 16, Be16{static_cast<uint16_t>(~sum)});
  return header;
}

bool sums_up(const std::vector<uint8_t>& header) {
  return checksum_fold(checksum_add(header.data(), header.size())) == 0xffff;
}

TEST(TcpOptions, ReadsWhatAModernSynSays) {
  const auto header =
      header_with({2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 7, 1, 3, 3, 8});
  TcpOptionFacts facts;
  ASSERT_TRUE(parse_tcp_options(header.data(), header.size(), facts));
  EXPECT_EQ(facts.maximum_segment_size, 1460);
  EXPECT_TRUE(facts.sack_permitted);
  EXPECT_TRUE(facts.has_timestamps);
  EXPECT_EQ(facts.timestamp_value, 9U);
  EXPECT_EQ(facts.timestamp_echo, 7U);
  EXPECT_TRUE(facts.has_window_scale);
  EXPECT_EQ(facts.window_scale, 8);
}

TEST(TcpOptions, NoOptionsAreValid) {
  const auto header = header_with({});
  TcpOptionFacts facts;
  EXPECT_TRUE(parse_tcp_options(header.data(), header.size(), facts));
  EXPECT_EQ(facts, TcpOptionFacts{});
}

TEST(TcpOptions, StopsAtTheEndMark) {
  const auto header = header_with({0, 2, 4, 0x05, 0xb4});
  TcpOptionFacts facts;
  EXPECT_TRUE(parse_tcp_options(header.data(), header.size(), facts));
  EXPECT_EQ(facts.maximum_segment_size, 0);
}

TEST(TcpOptions, CutsWindowScalesAtFourteen) {
  const auto header = header_with({3, 3, 200});
  TcpOptionFacts facts;
  ASSERT_TRUE(parse_tcp_options(header.data(), header.size(), facts));
  EXPECT_EQ(facts.window_scale, 14);
}

TEST(TcpOptions, RefusesWhatIsMalformed) {
  const std::vector<std::vector<uint8_t>> broken{
      header_with({2, 1, 0, 0}),             // shorter than kind and length
      header_with({2, 0, 0, 0}),             // no length at all
      header_with({1, 1, 1, 2}),             // kind without length
      header_with({2, 4, 5, 180, 1, 3, 3}),  // the padding is the value: valid
      header_with({254, 9, 0, 0}),           // longer than the header
      header_with({2, 3, 5, 0}),             // wrong length for its kind
      header_with({4, 3, 0, 0}),
      header_with({5, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
      header_with({8, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
  };
  for (size_t index = 0; index < broken.size(); ++index) {
    const bool valid = index == 3;  // the padding byte is the missing scale
    EXPECT_EQ(tcp_options_valid(broken[index].data(), broken[index].size()), valid) << index;
    TcpOptionFacts facts;
    EXPECT_EQ(parse_tcp_options(broken[index].data(), broken[index].size(), facts), valid) << index;
  }
}

TEST(TcpOptions, PassesOverUnknownKinds) {
  const auto header = header_with({253, 6, 1, 2, 3, 4, 2, 4, 0x02, 0x18});
  TcpOptionFacts facts;
  ASSERT_TRUE(parse_tcp_options(header.data(), header.size(), facts));
  EXPECT_EQ(facts.maximum_segment_size, 536);
}

TEST(MssClamp, LowersAndKeepsTheChecksum) {
  auto header = header_with({2, 4, 0x05, 0xb4});
  ASSERT_TRUE(sums_up(header));
  EXPECT_TRUE(clamp_tcp_maximum_segment_size(header.data(), header.size(), 1400));
  TcpOptionFacts facts;
  ASSERT_TRUE(parse_tcp_options(header.data(), header.size(), facts));
  EXPECT_EQ(facts.maximum_segment_size, 1400);
  EXPECT_TRUE(sums_up(header));
}

TEST(MssClamp, KeepsTheChecksumAtOddOffsets) {
  auto header = header_with({1, 2, 4, 0x05, 0xb4});
  ASSERT_TRUE(sums_up(header));
  EXPECT_TRUE(clamp_tcp_maximum_segment_size(header.data(), header.size(), 1207));
  TcpOptionFacts facts;
  ASSERT_TRUE(parse_tcp_options(header.data(), header.size(), facts));
  EXPECT_EQ(facts.maximum_segment_size, 1207);
  EXPECT_TRUE(sums_up(header));
}

TEST(MssClamp, NeverRaisesOrInvents) {
  auto small = header_with({2, 4, 0x02, 0x18});
  const auto before = small;
  EXPECT_FALSE(clamp_tcp_maximum_segment_size(small.data(), small.size(), 1400));
  EXPECT_EQ(small, before);
  auto none = header_with({1, 1, 4, 2});
  EXPECT_FALSE(clamp_tcp_maximum_segment_size(none.data(), none.size(), 1400));
}

TEST(MssClamp, LeavesMalformedOptionsAlone) {
  auto header = header_with({2, 40, 0xff, 0xff});
  const auto before = header;
  EXPECT_FALSE(clamp_tcp_maximum_segment_size(header.data(), header.size(), 100));
  EXPECT_EQ(header, before);
}

}  // namespace
}  // namespace masugata::net
