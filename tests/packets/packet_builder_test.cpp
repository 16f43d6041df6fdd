// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packets/packet_builder.h"

#include <gtest/gtest.h>

#include "tests/packets/packet_describer.h"
#include "tests/packets/recipe_parser.h"

namespace masugata::test {
namespace {

std::string built_hex(std::string_view recipe) {
  const auto frame = build_packet(recipe);
  return frame ? to_hex(frame->data(), frame->size()) : frame.error().message();
}

// The frames were written by another implementation (scapy), so that a shared mistake shows.
TEST(PacketBuilder, WritesTcpAsOthersDo) {
  EXPECT_EQ(
      built_hex("ipv4 id 7 df ttl 63 | tcp 10.0.1.10:40000 > 198.51.100.5:80 flags S seq 1000 "
                "win 64240 opt mss 1460 wscale 7 sack-permitted ts 1 0 payload \"GET /\""),
      "02000000000102000000010a080045000041000740003f06066e0a00010ac63364059c400050000003e800000000"
      "a002faf0a5f00000020405b40303070402080a000000010000000000474554202f");
}

TEST(PacketBuilder, WritesIpv6ExtensionHeadersAsOthersDo) {
  EXPECT_EQ(
      built_hex("ipv6 hop-limit 9 | destination-options | udp [2001:db8:2::10]:5 > "
                "[2001:db8:f::5]:53 payload \"abc\""),
      "02000000000102000000010a86dd6000000000133c0920010db800020000000000000000001020010db8000f0000"
      "0000000000000005110001040000000000050035000bdfa3616263");
}

TEST(PacketBuilder, WritesIcmpErrorsAsOthersDo) {
  EXPECT_EQ(
      built_hex("icmp unreachable needs-fragmentation 10.0.1.1 > 10.0.1.10 mtu 1400 quoting { "
                "ipv4 id 3 | udp 10.0.1.10:1000 > 198.51.100.5:53 payload \"abcd\" }"),
      "02000000000102000000010a08004500003c00000000400164b70a0001010a00010a03042ce40000057845000020"
      "00030000401145880a00010ac633640503e80035000c01b061626364");
}

TEST(PacketBuilder, WritesVlanTagsAsOthersDo) {
  EXPECT_EQ(
      built_hex("vlan 10 priority 3 | icmp6 echo-request 2001:db8:2::10 > 2001:db8:f::5 id 1 "
                "seq 2 payload \"hi\""),
      "02000000000102000000010a8100600a86dd60000000000a3a4020010db800020000000000000000001020010db8"
      "000f000000000000000000058000bbb6000100026869");
}

TEST(PacketBuilder, WritesSctpAsOthersDo) {
  EXPECT_EQ(
      built_hex("sctp 10.0.1.10:1 > 198.51.100.5:2 tag 3 payload \"abcd\""),
      "02000000000102000000010a08004500002400000000408445140a00010ac63364050001000200000003fe5a5a87"
      "61626364");
}

TEST(PacketBuilder, NamedFieldsWinOverComputedOnes) {
  EXPECT_EQ(describe_packet(*build_packet("ipv4 total-length 9 version 4 | udp 10.0.0.1:1 > "
                                          "10.0.0.2:2 length 7 checksum 0")),
            "eth 02:00:00:00:01:0a > 02:00:00:00:00:01 | ipv4 total-length 9 ttl 64 id 0 | "
            "udp 10.0.0.1:1 > 10.0.0.2:2 length 7 checksum 0");
}

TEST(PacketBuilder, BadChecksumsAreBad) {
  for (const char* recipe : {"ipv4 bad-checksum | udp 10.0.0.1:1 > 10.0.0.2:2",
                             "udp 10.0.0.1:1 > 10.0.0.2:2 bad-checksum",
                             "tcp [2001:db8::1]:1 > [2001:db8::2]:2 bad-checksum",
                             "icmp echo-request 10.0.0.1 > 10.0.0.2 bad-checksum",
                             "icmp6 echo-request 2001:db8::1 > 2001:db8::2 bad-checksum"}) {
    EXPECT_EQ(dissect_packet(*build_packet(recipe)).defects.size(), 1U) << recipe;
  }
}

TEST(PacketBuilder, CutsFragmentsThatMakeUpTheWhole) {
  const std::string whole = "tcp 10.0.0.1:1 > 10.0.0.2:2 payload-pattern 100";
  std::string together;
  for (const char* cut : {" | cut 0+48 id 9", " | cut 48+48 id 9", " | cut 96+48 id 9"}) {
    const auto frame = build_packet(whole + cut);
    ASSERT_TRUE(frame) << frame.error().message();
    const auto dissection = dissect_packet(*frame);
    EXPECT_TRUE(dissection.defects.empty());
    const Layer& network = *dissection.recipe.find(LayerKind::Ipv4);
    EXPECT_EQ(network.number_or("id", 0), 9U);
    EXPECT_EQ(network.number_or("offset", 0), together.size() / 2);
    together += *dissection.recipe.find(LayerKind::Payload)->find("bytes");
    EXPECT_EQ(network.has("more"), together.size() / 2 < 120);
  }
  const std::string hex = built_hex(whole);
  EXPECT_EQ(together, hex.substr(2 * (14 + 20)));
}

TEST(PacketBuilder, CutsIpv6BehindTheUnfragmentablePart) {
  EXPECT_EQ(
      describe_packet(*build_packet("hop-by-hop | udp [2001:db8::1]:1 > [2001:db8::2]:2 "
                                    "payload \"0123456789abcdef\" | cut 8+8 id 5")),
      "eth 02:00:00:00:01:0a > 02:00:00:00:00:01 | ipv6 2001:db8::1 > 2001:db8::2 hop-limit 64 | "
      "hop-by-hop options 010400000000 | fragment next-header 17 offset 8 more id 5 | "
      "payload \"01234567\"");
}

TEST(PacketBuilder, RefusesWhatOnlyAMatcherUnderstands) {
  EXPECT_FALSE(build_packet("tcp 10.0.0.1:$p > 10.0.0.2:2"));
  EXPECT_FALSE(build_packet("tcp 10.0.0.1:* > 10.0.0.2:2"));
  EXPECT_FALSE(build_packet("tcp 10.0.0.1:1 > 10.0.0.2:2 without mss"));
  EXPECT_FALSE(build_packet("tcp 10.0.0.1:1 > 10.0.0.2:2 payload-any"));
  EXPECT_FALSE(build_packet("tcp 10.0.0.1:1 > 10.0.0.2:2 payload-begins \"a\""));
  EXPECT_FALSE(build_packet("tcp 10.0.0.1:1 > [2001:db8::2]:2"));
  EXPECT_FALSE(build_packet("ipv4 ttl 3"));
  EXPECT_FALSE(build_packet("udp 10.0.0.1:1 > 10.0.0.2:2 | cut 8+8"));
}

}  // namespace
}  // namespace masugata::test
