// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packets/packet_describer.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/packets/packet_builder.h"
#include "tests/packets/recipe_parser.h"

namespace masugata::test {
namespace {

const char* const kRecipes[] = {
    "udp 10.0.0.1:1 > 10.0.0.2:2",
    "udp 10.0.0.1:1 > 10.0.0.2:2 bad-checksum payload-size 9",
    "udp 10.0.0.1:1 > 10.0.0.2:2 checksum 0 payload \"x\"",
    "tcp 10.0.0.1:1 > 10.0.0.2:2 flags none seq 4294967295 ack 7 urgent 3",
    "tcp 10.0.0.1:1 > 10.0.0.2:2 flags CEUAPRSF opt nop nop sack 1-2,5-9 ts 1 2 option-bytes "
    "fd04abcd",
    "tcp 10.0.0.1:1 > 10.0.0.2:2 opt option-bytes 02ff payload \"data\"",
    "tcp 10.0.0.1:1 > 10.0.0.2:2 header-words 4",
    "tcp 10.0.0.1:1 > 10.0.0.2:2 payload-size 50 | truncate 45",
    "tcp 10.0.0.1:1 > 10.0.0.2:2 | truncate 30",
    "ipv4 tos 3 id 9 df ttl 1 options 94040000 | icmp echo-request 10.0.0.1 > 10.0.0.2 id 5 seq 6",
    "ipv4 reserved-flag more offset 24 protocol 17 10.0.0.1 > 10.0.0.2 payload-size 16",
    "ipv4 header-words 4 | udp 10.0.0.1:1 > 10.0.0.2:2",
    "ipv4 version 5 | udp 10.0.0.1:1 > 10.0.0.2:2",
    "ipv4 total-length 1000 | udp 10.0.0.1:1 > 10.0.0.2:2",
    "ipv4 total-length 3 | udp 10.0.0.1:1 > 10.0.0.2:2",
    "ipv4 10.0.0.1 > 10.0.0.2",
    "gre 10.0.0.1 > 10.0.0.2 payload 00000800",
    "protocol 200 10.0.0.1 > 10.0.0.2",
    "esp 2001:db8::1 > 2001:db8::2 payload-size 20",
    "sctp 10.0.0.1:1 > 10.0.0.2:2 tag 8 payload-size 4",
    "icmp unreachable needs-fragmentation 10.0.0.1 > 10.0.0.2 mtu 1400 quoting { ipv4 ttl 3 | tcp "
    "10.0.0.2:4 > 10.0.0.1:5 seq 77 | truncate 28 }",
    "icmp redirect host 10.0.0.1 > 10.0.0.2 gateway 10.0.0.3 quoting { udp 10.0.0.2:4 > 10.0.0.1:5 "
    "}",
    "icmp parameter-problem 10.0.0.1 > 10.0.0.2 pointer 20",
    "icmp type 99 code 3 10.0.0.1 > 10.0.0.2 rest 5",
    "icmp6 too-big 2001:db8::9 > 2001:db8::1 mtu 1280 quoting { udp [2001:db8::1]:1 > "
    "[2001:db8::2]:2 payload-size 100 | truncate 80 }",
    "icmp6 neighbour-solicitation fe80::1 > ff02::1:ff00:2 target fe80::2 link-address "
    "02:00:00:00:00:09",
    "ipv6 traffic-class 7 flow-label 5 | hop-by-hop options 05020000 | routing type 4 "
    "segments-left 1 "
    "data 00000000 | destination-options | tcp [2001:db8::1]:1 > [2001:db8::2]:2",
    "fragment offset 8 more id 7 next-header 17 | ipv6 2001:db8::1 > 2001:db8::2",
    "ipv6 2001:db8::1 > 2001:db8::2 | fragment offset 8 more id 7 next-header 17 payload-size 16",
    "ipv6 2001:db8::1 > 2001:db8::2 next-header 60 | raw 3b",
    "ipv6 2001:db8::1 > 2001:db8::2 payload-length 100",
    "arp request 10.0.0.1 > 10.0.0.2",
    "arp reply 10.0.0.1 > 10.0.0.2 sender-mac 02:00:00:00:00:05 target-mac 02:00:00:00:00:06 | "
    "padding 18",
    "vlan 7 priority 5 drop-eligible | vlan 9 | udp 10.0.0.1:1 > 10.0.0.2:2 | padding 4",
    "eth 02:00:00:00:00:05 > ff:ff:ff:ff:ff:ff type 0x1234 | raw 0102",
    "raw 0102030405",
};

// A recipe, its frame, the frame's recipe and that recipe's frame: the two frames are equal.
TEST(PacketDescriber, IsTheInverseOfTheBuilder) {
  for (const char* text : kRecipes) {
    const auto frame = build_packet(text);
    ASSERT_TRUE(frame) << text << ": " << frame.error().message();
    const std::string description = describe_packet(*frame);
    const auto again = build_packet(description);
    ASSERT_TRUE(again) << text << "\n" << description << ": " << again.error().message();
    EXPECT_EQ(to_hex(again->data(), again->size()), to_hex(frame->data(), frame->size()))
        << text << "\n"
        << description;
  }
}

// Whatever one bit does to a packet, the description still tells all of it.
TEST(PacketDescriber, TellsEveryBitOfDamagedPackets) {
  std::mt19937 random(1);
  for (const char* text : kRecipes) {
    auto frame = build_packet(text);
    ASSERT_TRUE(frame);
    for (int round = 0; round < 50; ++round) {
      std::vector<uint8_t> damaged = *frame;
      damaged[random() % damaged.size()] ^= static_cast<uint8_t>(1U << random() % 8);
      const std::string description = describe_packet(damaged);
      const auto again = build_packet(description);
      ASSERT_TRUE(again) << description << ": " << again.error().message();
      EXPECT_EQ(to_hex(again->data(), again->size()), to_hex(damaged.data(), damaged.size()))
          << text << "\n"
          << description;
    }
  }
}

TEST(PacketDescriber, NamesWrongChecksums) {
  const auto frame = build_packet("ipv4 bad-checksum | tcp 10.0.0.1:1 > 10.0.0.2:2 bad-checksum");
  ASSERT_TRUE(frame);
  const auto dissection = dissect_packet(*frame);
  ASSERT_EQ(dissection.defects.size(), 2U);
  EXPECT_TRUE(dissection.defects[0].starts_with("ipv4 checksum"));
  EXPECT_TRUE(dissection.defects[1].starts_with("tcp checksum 23130 is wrong"));
}

}  // namespace
}  // namespace masugata::test
