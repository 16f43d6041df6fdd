// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/headers/quoted_packet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

namespace masugata::net {
namespace {

using Bytes = std::vector<uint8_t>;

const Bytes kPorts{0x0f, 0xa0, 0, 53, 0, 90, 0, 0};

Bytes ipv4(uint8_t protocol, const Bytes& payload, const Bytes& options = {}) {
  // The length says more than is quoted.
  const std::array<uint8_t, 20> fixed{0x45, 0, 5,  0xdc, 0, 0,  0,   0,  1,   protocol,
                                      0,    0, 10, 0,    1, 10, 198, 51, 100, 5};
  Bytes bytes(fixed.size() + options.size() + payload.size());
  std::copy(fixed.begin(), fixed.end(), bytes.begin());
  std::copy(options.begin(), options.end(), bytes.begin() + fixed.size());
  std::copy(payload.begin(), payload.end(), bytes.end() - static_cast<ptrdiff_t>(payload.size()));
  bytes[0] = static_cast<uint8_t>(0x45U + options.size() / 4);
  return bytes;
}

Bytes ipv6(uint8_t next_header, const Bytes& payload) {
  Bytes bytes(40);
  bytes[0] = 0x60;
  bytes[4] = 5;
  bytes[6] = next_header;
  bytes[8] = bytes[24] = 0x20;
  bytes[9] = bytes[25] = 1;
  bytes[23] = 1;
  bytes[39] = 2;
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

bool parse(Family family, const Bytes& bytes, QuotedPacket& quoted) {
  const auto block = std::make_unique<uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), block.get());
  return QuotedPacket::parse(family, block.get(), bytes.size(), quoted);
}
bool accepts(Family family, const Bytes& bytes) {
  QuotedPacket quoted;
  return parse(family, bytes, quoted);
}

TEST(QuotedPacket, ReadsACutIpv4Packet) {
  QuotedPacket quoted;
  ASSERT_TRUE(parse(Family::Ipv4, ipv4(17, kPorts), quoted));
  EXPECT_EQ(quoted.key.to_string(), "udp 10.0.1.10:4000 > 198.51.100.5:53");
  EXPECT_EQ(quoted.transport_offset, 20);
  ASSERT_TRUE(parse(Family::Ipv4, ipv4(6, kPorts, {1, 1, 1, 1}), quoted));
  EXPECT_EQ(quoted.transport_offset, 24);
  EXPECT_EQ(quoted.key.protocol, Protocol::Tcp);
}

TEST(QuotedPacket, ReadsIpv6BehindExtensionHeaders) {
  QuotedPacket quoted;
  Bytes payload{44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1, 0, 0, 0, 7};  // hop-by-hop, first fragment
  payload.insert(payload.end(), kPorts.begin(), kPorts.end());
  ASSERT_TRUE(parse(Family::Ipv6, ipv6(0, payload), quoted));
  EXPECT_EQ(quoted.key.to_string(), "udp [2001::1]:4000 > [2001::2]:53");
  EXPECT_EQ(quoted.transport_offset, 56);
}

TEST(QuotedPacket, ReadsEchoesButNoErrors) {
  QuotedPacket quoted;
  ASSERT_TRUE(parse(Family::Ipv4, ipv4(1, {8, 0, 0, 0, 3, 9, 0, 1}), quoted));
  EXPECT_EQ(quoted.key.source_port.host(), 777);
  EXPECT_EQ(quoted.key.destination_port.host(), 777);
  EXPECT_EQ(quoted.icmp_type, 8);
  EXPECT_FALSE(accepts(Family::Ipv4, ipv4(1, {3, 3, 0, 0, 0, 0, 0, 0})));
  ASSERT_TRUE(parse(Family::Ipv6, ipv6(58, {128, 0, 0, 0, 3, 9, 0, 1}), quoted));
  EXPECT_EQ(quoted.icmp_type, 128);
  EXPECT_FALSE(accepts(Family::Ipv6, ipv6(58, {1, 4, 0, 0, 0, 0, 0, 0})));
}

TEST(QuotedPacket, RefusesWhatNamesNoFlow) {
  Bytes bytes = ipv4(17, kPorts);
  bytes.pop_back();
  EXPECT_FALSE(accepts(Family::Ipv4, bytes)) << "seven bytes of transport header";
  EXPECT_FALSE(accepts(Family::Ipv6, ipv4(17, kPorts))) << "of the other family";
  bytes = ipv4(17, kPorts);
  bytes[7] = 1;
  EXPECT_FALSE(accepts(Family::Ipv4, bytes)) << "later fragment";
  bytes = ipv4(17, kPorts);
  bytes[0] = 0x44;
  EXPECT_FALSE(accepts(Family::Ipv4, bytes)) << "header too short";
  bytes[0] = 0x46;
  EXPECT_FALSE(accepts(Family::Ipv4, bytes)) << "header beyond the quote";
  EXPECT_FALSE(accepts(Family::Ipv4, ipv4(58, kPorts))) << "ICMPv6 over IPv4";
  EXPECT_FALSE(accepts(Family::Ipv6, ipv6(1, kPorts))) << "ICMP over IPv6";
  EXPECT_FALSE(accepts(Family::Ipv6, ipv6(17, {0, 5, 0, 53, 0, 8, 0})));
  Bytes later{17, 0, 0, 8, 0, 0, 0, 7};
  later.insert(later.end(), kPorts.begin(), kPorts.end());
  EXPECT_FALSE(accepts(Family::Ipv6, ipv6(44, later))) << "later fragment";
  EXPECT_FALSE(accepts(Family::Ipv6, ipv6(0, {17, 9, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})))
      << "extension header beyond the quote";
}

TEST(FillPorts, KnowsWhichProtocolsHavePorts) {
  const auto filled = [](Protocol protocol, const Bytes& transport) {
    FlowKey key;
    key.protocol = protocol;
    EXPECT_TRUE(fill_ports(key, transport.data()));
    return key;
  };
  EXPECT_EQ(filled(Protocol::Sctp, kPorts).source_port.host(), 4000);
  EXPECT_EQ(filled(Protocol::Gre, kPorts).source_port.raw, 0);
  EXPECT_EQ(filled(Protocol::Icmp, {13, 0, 0, 0, 3, 9, 0, 1}).source_port.host(), 777);
  FlowKey key;
  key.protocol = Protocol::Icmp;
  const Bytes redirect{5, 1, 0, 0, 0, 0, 0, 0};
  EXPECT_FALSE(fill_ports(key, redirect.data()));
}

}  // namespace
}  // namespace masugata::net
