// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/nat/rewrite.h"

#include <gtest/gtest.h>

#include <random>

#include "dataplane/nat/test_packet.h"

namespace masugata::dataplane {
namespace {

using net::IpAddress;
using net::Protocol;

class RandomKeys {
 public:
  explicit RandomKeys(uint32_t seed) : random_(seed) {}
  net::FlowKey key(Protocol protocol, bool v4) {
    net::FlowKey key;
    key.protocol = protocol;
    key.source = address(v4);
    key.destination = address(v4);
    const bool icmp = protocol == Protocol::Icmp || protocol == Protocol::Icmpv6;
    if (icmp || protocol == Protocol::Tcp || protocol == Protocol::Udp) {
      key.source_port = port();
      key.destination_port = icmp ? key.source_port : port();
    }
    return key;
  }

 private:
  // Zero and all-ones bytes more often than chance has it: the corners of one's complement.
  uint8_t byte() {
    const auto value = static_cast<uint32_t>(random_());
    return (value & 0x300U) == 0
               ? uint8_t{0}
               : ((value & 0xc00U) == 0 ? uint8_t{0xff} : static_cast<uint8_t>(value));
  }
  net::Be16 port() { return {static_cast<uint16_t>(byte() << 8U | byte())}; }
  IpAddress address(bool v4) {
    IpAddress address;
    for (uint8_t& value : address.bytes) value = byte();
    if (!v4) address.bytes[0] = 0x20;
    return v4 ? IpAddress::from_v4(net::load_be32(address.bytes.data())) : address;
  }
  std::mt19937 random_;
};

struct Case {
  Protocol protocol;
  bool v4;
};
constexpr Case kCases[] = {{Protocol::Tcp, true},    {Protocol::Udp, true},  {Protocol::Icmp, true},
                           {Protocol::Gre, true},    {Protocol::Tcp, false}, {Protocol::Udp, false},
                           {Protocol::Icmpv6, false}};

// +0 and -0 are the same sum; everything else must be equal to the byte.
void normalise_zero_checksums(test::Bytes& packet, const net::FlowKey& key) {
  const auto normalise = [&](size_t offset) {
    if (packet[offset] == 0xff && packet[offset + 1] == 0xff)
      packet[offset] = packet[offset + 1] = 0;
  };
  if (key.source.is_v4()) normalise(10);
  const size_t place = test::checksum_place(key.protocol);
  if (place != 0) normalise(test::network_bytes(key) + place);
}

TEST(Rewrite, EqualsThePacketWrittenAnew) {
  RandomKeys random(11);
  for (const Case& item : kCases) {
    for (int round = 0; round < 3000; ++round) {
      const net::FlowKey from = random.key(item.protocol, item.v4);
      const net::FlowKey to = random.key(item.protocol, item.v4);
      test::Bytes packet = test::make_packet(from);
      apply_rewrite(make_rewrite(from, to), packet.data(),
                    packet.data() + test::network_bytes(from));
      test::Bytes expected = test::make_packet(to);
      normalise_zero_checksums(packet, to);
      normalise_zero_checksums(expected, to);
      ASSERT_EQ(packet, expected) << from.to_string() << " to " << to.to_string();
    }
  }
}

TEST(Rewrite, ThereAndBackIsThePacketItWas) {
  RandomKeys random(12);
  for (const Case& item : kCases) {
    for (int round = 0; round < 500; ++round) {
      const net::FlowKey from = random.key(item.protocol, item.v4);
      const net::FlowKey to = random.key(item.protocol, item.v4);
      test::Bytes packet = test::make_packet(from);
      test::Bytes original = packet;
      uint8_t* const transport = packet.data() + test::network_bytes(from);
      apply_rewrite(make_rewrite(from, to), packet.data(), transport);
      apply_rewrite(make_rewrite(to, from), packet.data(), transport);
      normalise_zero_checksums(packet, from);
      normalise_zero_checksums(original, from);
      ASSERT_EQ(packet, original);
    }
  }
}

TEST(Rewrite, NothingToDoChangesNoByte) {
  RandomKeys random(13);
  for (const Case& item : kCases) {
    const net::FlowKey key = random.key(item.protocol, item.v4);
    const FlowRewrite rewrite = make_rewrite(key, key);
    EXPECT_FALSE(rewrite.changes);
    EXPECT_EQ(rewrite.deltas, ChecksumDeltas{});
    test::Bytes packet = test::make_packet(key);
    const test::Bytes before = packet;
    apply_rewrite(key, rewrite.deltas, packet.data(), packet.data() + test::network_bytes(key));
    EXPECT_EQ(packet, before);
  }
}

net::FlowKey udp_key(const char* source, uint16_t port) {
  return {*IpAddress::parse(source), *IpAddress::parse("198.51.100.9"), net::Be16::from_host(port),
          net::Be16::from_host(53), Protocol::Udp};
}

TEST(Rewrite, MissingUdpChecksumStaysMissing) {
  const net::FlowKey from = udp_key("10.0.0.1", 1025);
  test::Bytes packet = test::make_packet(from);
  packet[26] = packet[27] = 0;
  apply_rewrite(make_rewrite(from, udp_key("203.0.113.1", 2000)), packet.data(),
                packet.data() + 20);
  EXPECT_EQ(packet[26], 0);
  EXPECT_EQ(packet[27], 0);
  EXPECT_EQ(packet[20], 2000 >> 8);
}

// Walks through all source ports: one of them makes the sum zero.
TEST(Rewrite, UdpChecksumThatBecomesZeroIsSentAsAllOnes) {
  const net::FlowKey from = udp_key("10.0.0.1", 1025);
  const test::Bytes original = test::make_packet(from);
  size_t all_ones = 0;
  for (uint32_t port = 0; port <= 0xffff; ++port) {
    test::Bytes packet = original;
    apply_rewrite(make_rewrite(from, udp_key("10.0.0.1", static_cast<uint16_t>(port))),
                  packet.data(), packet.data() + 20);
    const uint16_t field = net::load_be16(packet.data() + 26).raw;
    ASSERT_NE(field, 0);
    all_ones += field == 0xffff ? 1 : 0;
  }
  EXPECT_GE(all_ones, 1U);
}

TEST(Rewrite, LaterFragmentsOnlyChangeTheirAddresses) {
  const net::FlowKey from = udp_key("10.0.0.1", 1025);
  const net::FlowKey to = udp_key("203.0.113.1", 2000);
  test::Bytes packet = test::make_packet(from);
  const test::Bytes before = packet;
  apply_rewrite(make_rewrite(from, to), packet.data(), nullptr);
  EXPECT_TRUE(std::equal(packet.begin() + 20, packet.end(), before.begin() + 20));
  EXPECT_EQ(test::checksum_of(packet.data(), 20), 0);
  EXPECT_EQ(IpAddress::from_v4(net::load_be32(packet.data() + 12)), to.source);
}

}  // namespace
}  // namespace masugata::dataplane
