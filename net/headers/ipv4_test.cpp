// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/headers/ipv4.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace masugata::net {
namespace {

using Malformed = Ipv4View::Malformed;
using Bytes = std::vector<uint8_t>;

// 10.0.1.10 > 198.51.100.5, UDP, id 0x1234, DF, ttl 63, tos 0xb8, 8 bytes of payload.
Bytes packet(const Bytes& options = {}) {
  constexpr std::array<uint8_t, 20> kFixed{0x45, 0xb8, 0,  28, 0x12, 0x34, 0x40, 0,  63,  17,
                                           0,    0,    10, 0,  1,    10,   198,  51, 100, 5};
  const size_t header = kFixed.size() + options.size();
  Bytes bytes(header + 8, 0xab);
  std::copy(kFixed.begin(), kFixed.end(), bytes.begin());
  std::copy(options.begin(), options.end(), bytes.begin() + kFixed.size());
  bytes[0] = static_cast<uint8_t>(0x40U | (header / 4));
  bytes[3] = static_cast<uint8_t>(bytes.size());
  const auto checksum = static_cast<uint16_t>(~checksum_fold(checksum_add(bytes.data(), header)));
  store(&bytes[10], Be16{checksum});
  return bytes;
}

Malformed parse(const Bytes& bytes, Ipv4View& view) {
  return Ipv4View::parse(bytes.data(), bytes.size(), view);
}

Ipv4View::Options options_of(const Bytes& options) {
  const Bytes bytes = packet(options);
  Ipv4View view;
  EXPECT_EQ(parse(bytes, view), Malformed::No);
  EXPECT_TRUE(view.has_options());
  EXPECT_TRUE(view.checksum_valid());
  return view.check_options();
}

TEST(Ipv4View, ReadsEveryField) {
  const Bytes bytes = packet();
  Ipv4View view;
  ASSERT_EQ(parse(bytes, view), Malformed::No);
  EXPECT_EQ(view.header_bytes(), 20);
  EXPECT_EQ(view.total_length(), 28);
  EXPECT_EQ(view.traffic_class(), 0xb8);
  EXPECT_EQ(view.identification().host(), 0x1234);
  EXPECT_TRUE(view.dont_fragment());
  EXPECT_FALSE(view.more_fragments());
  EXPECT_FALSE(view.reserved_flag());
  EXPECT_FALSE(view.is_fragment());
  EXPECT_EQ(view.ttl(), 63);
  EXPECT_EQ(view.protocol(), Protocol::Udp);
  EXPECT_EQ(view.source().host(), 0x0a00010aU);
  EXPECT_EQ(view.destination().host(), 0xc6336405U);
  EXPECT_FALSE(view.has_options());
}

TEST(Ipv4View, ReadsFragmentFields) {
  Bytes bytes = packet();
  Ipv4View view;
  ASSERT_EQ(parse(bytes, view), Malformed::No);
  bytes[6] = 0x20;
  EXPECT_TRUE(view.is_fragment());
  EXPECT_TRUE(view.more_fragments());
  bytes[6] = 0x1f;
  bytes[7] = 0xff;
  EXPECT_TRUE(view.is_fragment());
  EXPECT_EQ(view.fragment_offset(), 65528U);
  bytes[6] = 0x80;
  bytes[7] = 0;
  EXPECT_TRUE(view.reserved_flag());
  EXPECT_FALSE(view.is_fragment());
}

TEST(Ipv4View, RefusesImpossibleLengths) {
  Ipv4View view;
  const Bytes good = packet();
  EXPECT_EQ(Ipv4View::parse(good.data(), 19, view), Malformed::Short);
  EXPECT_EQ(Ipv4View::parse(good.data(), 27, view), Malformed::BadTotalLength);
  Bytes bad = good;
  bad[0] = 0x55;
  EXPECT_EQ(parse(bad, view), Malformed::BadVersion);
  bad[0] = 0x44;
  EXPECT_EQ(parse(bad, view), Malformed::BadHeaderLength);
  bad[0] = 0x48;  // 32 bytes of 28
  EXPECT_EQ(parse(bad, view), Malformed::BadHeaderLength);
  bad = good;
  bad[3] = 19;
  EXPECT_EQ(parse(bad, view), Malformed::BadTotalLength);
  bad[3] = 29;
  EXPECT_EQ(parse(bad, view), Malformed::BadTotalLength);
  bad[3] = 20;
  EXPECT_EQ(parse(bad, view), Malformed::No) << "link padding behind an empty packet";
}

TEST(Ipv4View, ChecksTheHeaderChecksum) {
  for (const Bytes& options : {Bytes{}, Bytes{0x94, 4, 0, 0}}) {
    Bytes bytes = packet(options);
    Ipv4View view;
    ASSERT_EQ(parse(bytes, view), Malformed::No);
    EXPECT_TRUE(view.checksum_valid());
    for (size_t byte = 0; byte < view.header_bytes(); ++byte) {
      if (byte == 0) continue;  // the header's length would change
      bytes[byte] ^= 1U;
      EXPECT_FALSE(view.checksum_valid()) << byte;
      bytes[byte] ^= 1U;
    }
    bytes.back() ^= 1U;
    EXPECT_TRUE(view.checksum_valid()) << "covers the header alone";
  }
}

TEST(Ipv4View, WalksOptions) {
  using Options = Ipv4View::Options;
  EXPECT_EQ(options_of({1, 1, 1, 1}), Options::Fine);
  EXPECT_EQ(options_of({0x94, 4, 0, 0}), Options::Fine);
  EXPECT_EQ(options_of({0, 0x44, 1, 0}), Options::Fine) << "nothing counts behind the end";
  EXPECT_EQ(options_of({0x44, 1, 0, 0}), Options::Malformed);
  EXPECT_EQ(options_of({0x44, 0, 0, 0}), Options::Malformed);
  EXPECT_EQ(options_of({7, 5, 4, 0}), Options::Malformed);
  EXPECT_EQ(options_of({1, 1, 1, 7}), Options::Malformed) << "no room for a length";
  EXPECT_EQ(options_of({131, 7, 4, 10, 0, 2, 1, 0}), Options::SourceRoute);
  EXPECT_EQ(options_of({1, 137, 7, 4, 10, 0, 2, 1}), Options::SourceRoute);
  EXPECT_EQ(options_of({131, 3, 4, 0x44, 9, 0, 0, 0}), Options::Malformed);
}

}  // namespace
}  // namespace masugata::net
