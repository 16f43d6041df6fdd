// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/checksum.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace masugata::net {
namespace {

// RFC 1071 word by word, carries folded at once.
uint16_t slow_sum(const std::vector<uint8_t>& bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    const uint32_t second = i + 1 < bytes.size() ? bytes[i + 1] : 0U;
    sum += static_cast<uint32_t>(bytes[i]) << 8U | second;
    if (sum > 0xffff) sum = (sum & 0xffffU) + 1;
  }
  return static_cast<uint16_t>(sum);
}

std::vector<uint8_t> random_bytes(std::mt19937& random, size_t length) {
  std::vector<uint8_t> bytes(length);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

TEST(Checksum, SumsEveryLength) {
  std::mt19937 random(1);
  for (size_t length = 0; length < 200; ++length) {
    const std::vector<uint8_t> bytes = random_bytes(random, length);
    const Be16 folded{checksum_fold(checksum_add(bytes.data(), length))};
    ASSERT_EQ(folded.host(), slow_sum(bytes)) << length;
  }
}

TEST(Checksum, CarriesOfAMaximalPacketAreKept) {
  const std::vector<uint8_t> ones(65535, 0xff);
  EXPECT_EQ(Be16{checksum_fold(checksum_add(ones.data(), ones.size()))}.host(), slow_sum(ones));
}

TEST(Checksum, PartsOfEvenLengthAddUp) {
  std::mt19937 random(2);
  const std::vector<uint8_t> bytes = random_bytes(random, 101);
  const uint64_t first = checksum_add(bytes.data(), 34);
  EXPECT_EQ(checksum_fold(checksum_add(bytes.data() + 34, 67, first)),
            checksum_fold(checksum_add(bytes.data(), 101)));
}

// The example of RFC 1071 section 3.
TEST(Checksum, AgreesWithTheRfc) {
  const std::vector<uint8_t> bytes{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(Be16{checksum_fold(checksum_add(bytes.data(), bytes.size()))}.host(), 0xddf2);
}

TEST(Checksum, PseudoHeadersAreThoseOfTheRfcs) {
  const std::vector<uint8_t> v4{10, 0, 1, 10, 198, 51, 100, 5, 0, 17, 0x12, 0x34};
  EXPECT_EQ(Be16{checksum_fold(pseudo_header_sum(*IpAddress::parse("10.0.1.10"),
                                                 *IpAddress::parse("198.51.100.5"), Protocol::Udp,
                                                 0x1234))}
                .host(),
            slow_sum(v4));
  std::vector<uint8_t> v6;
  for (const char* text : {"2001:db8::10", "2001:db8:f::5"}) {
    const IpAddress address = *IpAddress::parse(text);
    v6.insert(v6.end(), address.bytes.begin(), address.bytes.end());
  }
  v6.insert(v6.end(), {0, 1, 0x23, 0x45, 0, 0, 0, 58});
  EXPECT_EQ(Be16{checksum_fold(pseudo_header_sum(*IpAddress::parse("2001:db8::10"),
                                                 *IpAddress::parse("2001:db8:f::5"),
                                                 Protocol::Icmpv6, 0x12345))}
                .host(),
            slow_sum(v6));
}

// RFC 1624: whatever changes in a packet, the updated field equals the one computed anew.
TEST(Checksum, IncrementalUpdateEqualsRecomputation) {
  std::mt19937 random(3);
  for (int round = 0; round < 5000; ++round) {
    std::vector<uint8_t> packet = random_bytes(random, 40);
    // A packet without content has no checksum to carry on; real ones have a header.
    packet[0] = 0x45;
    const auto field = static_cast<uint16_t>(~checksum_fold(checksum_add(packet.data(), 40)));
    std::vector<uint8_t> changed = packet;
    for (size_t i = 12; i < 20; ++i) changed[i] = static_cast<uint8_t>(random());
    for (size_t i = 24; i < 26; ++i) changed[i] = static_cast<uint8_t>(random());
    const uint16_t delta = checksum_delta_add(
        checksum_delta(checksum_add(&packet[12], 8), checksum_add(&changed[12], 8)),
        checksum_delta(checksum_add(&packet[24], 2), checksum_add(&changed[24], 2)));
    const auto anew = static_cast<uint16_t>(~checksum_fold(checksum_add(changed.data(), 40)));
    ASSERT_EQ(checksum_apply(field, delta), anew) << round;
  }
}

TEST(Checksum, UpdateWithoutChangeKeepsTheField) {
  std::mt19937 random(4);
  for (int round = 0; round < 1000; ++round) {
    const std::vector<uint8_t> bytes = random_bytes(random, 12);
    const uint64_t sum = checksum_add(bytes.data(), bytes.size());
    // 0xffff would be the checksum of nothing but zeros, which no header is.
    const auto field = static_cast<uint16_t>(random() & 0x7fffU);
    ASSERT_EQ(checksum_apply(field, checksum_delta(sum, sum)), field);
  }
}

}  // namespace
}  // namespace masugata::net
