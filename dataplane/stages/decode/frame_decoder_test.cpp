// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/decode/frame_decoder.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/packets/packet_builder.h"

namespace masugata::dataplane {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes frame_of(const std::string& recipe) {
  auto built = test::build_packet(recipe);
  EXPECT_TRUE(built.has_value()) << recipe << ": " << (built ? "" : built.error().message());
  return built.value_or(Bytes(14));
}

struct Decoded {
  Verdict<FrameKind> verdict{FrameKind::Drop};
  Packet packet;
};

// With only the first `readable` bytes at hand, in a block of exactly that size.
Decoded decode(const Bytes& frame, size_t readable, const ReceiveChecks& checks = {}) {
  const auto bytes = std::make_unique<uint8_t[]>(readable);
  std::copy_n(frame.begin(), readable, bytes.get());
  Decoded decoded;
  net::EthernetView link;
  EXPECT_EQ(net::EthernetView::parse(bytes.get(), readable, link),
            net::EthernetView::Malformed::No);
  decoded.verdict =
      decode_frame(link, {bytes.get(), readable, frame.size()}, checks, decoded.packet);
  return decoded;
}

Decoded decode(const std::string& recipe, const ReceiveChecks& checks = {}) {
  const Bytes frame = frame_of(recipe);
  return decode(frame, frame.size(), checks);
}

DropReason refusal(const std::string& recipe) {
  const Decoded decoded = decode(recipe);
  EXPECT_EQ(decoded.verdict.next, FrameKind::Drop) << recipe;
  return decoded.verdict.reason;
}

TEST(FrameDecoder, ReadsUdpOverIpv4) {
  const Decoded decoded =
      decode("ipv4 df | udp 10.0.1.10:4000 > 198.51.100.5:53 payload \"12345\"");
  const Packet& packet = decoded.packet;
  EXPECT_EQ(decoded.verdict.next, FrameKind::Flow);
  EXPECT_EQ(decoded.verdict.reason, DropReason::None);
  EXPECT_EQ(packet.key.to_string(), "udp 10.0.1.10:4000 > 198.51.100.5:53");
  EXPECT_EQ(packet.link_length, 14);
  EXPECT_EQ(packet.transport_offset, 34);
  EXPECT_EQ(packet.payload_offset, 42);
  EXPECT_EQ(packet.payload_length, 5);
  EXPECT_EQ(packet.network_length, 33);
  EXPECT_EQ(packet.flags, kPacketDontFragment);
}

TEST(FrameDecoder, ReadsTcpOverIpv6BehindATag) {
  const Decoded decoded = decode(
      "vlan 10 | tcp [2001:db8:2::10]:5 > [2001:db8:f::5]:80 flags PA opt nop nop ts 1 2 "
      "payload \"GET\"");
  const Packet& packet = decoded.packet;
  EXPECT_EQ(decoded.verdict.next, FrameKind::Flow);
  EXPECT_EQ(packet.key.to_string(), "tcp [2001:db8:2::10]:5 > [2001:db8:f::5]:80");
  EXPECT_EQ(packet.link_length, 18);
  EXPECT_EQ(packet.transport_offset, 58);
  EXPECT_EQ(packet.payload_offset, 90);
  EXPECT_EQ(packet.payload_length, 3);
  EXPECT_EQ(packet.tcp_flags, 0x18);
  EXPECT_TRUE(packet.has(kPacketDontFragment));
}

TEST(FrameDecoder, LeavesLinkPaddingOutside) {
  const Decoded decoded = decode("udp 10.0.1.10:5 > 198.51.100.5:53 payload \"x\" | padding 17");
  EXPECT_EQ(decoded.verdict.next, FrameKind::Flow);
  EXPECT_EQ(decoded.packet.network_length, 29);
  EXPECT_EQ(decoded.packet.payload_length, 1);
}

TEST(FrameDecoder, TakesEchoIdentifiersForPorts) {
  const Decoded decoded = decode("icmp echo-request 10.0.1.10 > 198.51.100.5 id 777 seq 3");
  EXPECT_EQ(decoded.verdict.next, FrameKind::Flow);
  EXPECT_EQ(decoded.packet.key.source_port.host(), 777);
  EXPECT_EQ(decoded.packet.key.destination_port.host(), 777);
  EXPECT_EQ(decoded.packet.icmp_type, 8);
}

TEST(FrameDecoder, KeysOtherProtocolsByAddressesAlone) {
  const Decoded decoded = decode("ipv4 10.0.1.10 > 198.51.100.5 protocol 47 payload-size 30");
  EXPECT_EQ(decoded.verdict.next, FrameKind::Flow);
  EXPECT_EQ(decoded.packet.key.protocol, net::Protocol::Gre);
  EXPECT_EQ(decoded.packet.key.source_port.raw, 0);
  EXPECT_EQ(decoded.packet.payload_offset, decoded.packet.transport_offset);
  EXPECT_EQ(decode("sctp 10.0.1.10:7 > 198.51.100.5:8").packet.key.destination_port.host(), 8);
}

TEST(FrameDecoder, KeysAnErrorByTheReverseOfItsQuote) {
  const Decoded decoded = decode(
      "icmp unreachable port 198.51.100.5 > 10.0.1.10 quoting "
      "{ udp 10.0.1.10:4000 > 198.51.100.5:53 }");
  EXPECT_EQ(decoded.verdict.next, FrameKind::Flow);
  EXPECT_TRUE(decoded.packet.has(kPacketIsIcmpError));
  EXPECT_EQ(decoded.packet.key.to_string(), "udp 198.51.100.5:53 > 10.0.1.10:4000");
}

TEST(FrameDecoder, LeavesFragmentsWithoutPorts) {
  for (const char* recipe :
       {"udp 10.0.1.10:5 > 198.51.100.5:53 payload-pattern 100 | cut 0+64 id 7",
        "udp 10.0.1.10:5 > 198.51.100.5:53 payload-pattern 100 | cut 64+44 id 7",
        "udp [2001:db8:2::10]:5 > [2001:db8:f::5]:53 payload-pattern 100 | "
        "cut 0+64 id 7"}) {
    const Decoded decoded = decode(recipe);
    EXPECT_EQ(decoded.verdict.next, FrameKind::Fragment) << recipe;
    EXPECT_TRUE(decoded.packet.has(kPacketIsFragment));
    EXPECT_EQ(decoded.packet.key.source_port.raw, 0);
  }
}

TEST(FrameDecoder, SendsLinkProtocolsToTheKernel) {
  EXPECT_EQ(decode("arp request 10.0.1.10 > 10.0.1.1").verdict.next, FrameKind::Kernel);
  EXPECT_EQ(decode("icmp6 type 135 code 0 fe80::1 > ff02::1 payload-size 20").verdict.next,
            FrameKind::Kernel);
}

TEST(FrameDecoder, MarksGroupDestinations) {
  EXPECT_TRUE(decode("udp 10.0.1.10:5 > 224.0.0.251:5353").packet.has(kPacketNetworkLocal));
  EXPECT_TRUE(decode("udp 0.0.0.0:68 > 255.255.255.255:67").packet.has(kPacketNetworkLocal));
  EXPECT_FALSE(decode("udp 10.0.1.10:5 > 198.51.100.5:53").packet.has(kPacketNetworkLocal));
}

struct Refused {
  const char* recipe;
  DropReason reason;
};

TEST(FrameDecoder, RefusesMalformedIpv4) {
  for (const Refused& refused : std::vector<Refused>{
           {"udp 10.0.1.10:5 > 198.51.100.5:53 | truncate 19", DropReason::Ipv4Short},
           {"ipv4 version 5 | udp 10.0.1.10:5 > 198.51.100.5:53", DropReason::Ipv4BadVersion},
           {"ipv4 header-words 4 | udp 10.0.1.10:5 > 198.51.100.5:53",
            DropReason::Ipv4BadHeaderLength},
           {"ipv4 total-length 29 | udp 10.0.1.10:5 > 198.51.100.5:53",
            DropReason::Ipv4BadTotalLength},
           {"ipv4 bad-checksum | udp 10.0.1.10:5 > 198.51.100.5:53", DropReason::Ipv4BadChecksum},
           {"ipv4 bad-checksum options 94040000 | udp 10.0.1.10:5 > 198.51.100.5:53",
            DropReason::Ipv4BadChecksum},
           {"ipv4 options 44010000 | udp 10.0.1.10:5 > 198.51.100.5:53",
            DropReason::Ipv4BadOptions},
           {"ipv4 options 8307040a00020100 | udp 10.0.1.10:5 > 198.51.100.5:53",
            DropReason::Ipv4SourceRoute},
           {"ipv4 reserved-flag | udp 10.0.1.10:5 > 198.51.100.5:53", DropReason::Ipv4ReservedFlag},
           {"udp 127.0.0.1:5 > 198.51.100.5:53", DropReason::MartianSource},
           {"udp 0.0.0.0:5 > 198.51.100.5:53", DropReason::MartianSource},
           {"udp 224.0.0.5:5 > 198.51.100.5:53", DropReason::MartianSource},
           {"udp 10.0.1.10:5 > 127.0.0.1:53", DropReason::MartianDestination},
           {"udp 10.0.1.10:5 > 0.0.0.0:53", DropReason::MartianDestination},
           {"udp 10.0.1.10:5 > 250.0.0.1:53", DropReason::MartianDestination},
           {"tcp 10.0.1.10:80 > 10.0.1.10:80", DropReason::Land},
       }) {
    EXPECT_EQ(drop_reason_name(refusal(refused.recipe)), drop_reason_name(refused.reason))
        << refused.recipe;
  }
}

TEST(FrameDecoder, RefusesMalformedIpv6) {
  const std::string udp = "udp [2001:db8:2::10]:5 > [2001:db8:f::5]:53";
  for (const auto& [recipe, reason] : std::vector<std::pair<std::string, DropReason>>{
           {udp + " | truncate 39", DropReason::Ipv6Short},
           {"ipv6 version 7 | " + udp, DropReason::Ipv6BadVersion},
           {"ipv6 payload-length 9 | " + udp, DropReason::Ipv6BadPayloadLength},
           {"ipv6 payload-length 0 | " + udp, DropReason::Ipv6BadPayloadLength},
           {"hop-by-hop length-units 9 | " + udp, DropReason::Ipv6BadExtension},
           {"destination-options | hop-by-hop | " + udp, DropReason::Ipv6ExtensionOrder},
           {"routing | routing | " + udp, DropReason::Ipv6ExtensionOrder},
           {"hop-by-hop options c20400000000 | " + udp, DropReason::Ipv6UnknownOption},
           {"udp [::1]:5 > [2001:db8:f::5]:53", DropReason::MartianSource},
           {"udp [::]:5 > [2001:db8:f::5]:53", DropReason::MartianSource},
           {"udp [ff02::1]:5 > [2001:db8:f::5]:53", DropReason::MartianSource},
           {"udp [2001:db8:2::10]:5 > [::1]:53", DropReason::MartianDestination},
           {"udp [2001:db8:2::10]:5 > [::]:53", DropReason::MartianDestination},
           {"udp [2001:db8:2::10]:5 > [2001:db8:2::10]:53", DropReason::Land},
           {udp + " checksum 0", DropReason::UdpBadChecksum},
       }) {
    EXPECT_EQ(drop_reason_name(refusal(recipe)), drop_reason_name(reason)) << recipe;
  }
}

TEST(FrameDecoder, RefusesMalformedTransport) {
  const std::string tcp = "tcp 10.0.1.10:5 > 198.51.100.5:80 ";
  const std::string udp = "udp 10.0.1.10:5 > 198.51.100.5:53 ";
  for (const auto& [recipe, reason] : std::vector<std::pair<std::string, DropReason>>{
           {"ipv4 total-length 39 | " + tcp + "| truncate 39", DropReason::TcpShort},
           {tcp + "header-words 4", DropReason::TcpBadOffset},
           {tcp + "header-words 6", DropReason::TcpBadOffset},
           {tcp + "bad-checksum", DropReason::TcpBadChecksum},
           {tcp + "flags none", DropReason::TcpBadFlags},
           {tcp + "flags SF", DropReason::TcpBadFlags},
           {tcp + "flags UPF", DropReason::TcpBadFlags},
           {tcp + "option-bytes 02ff05b4", DropReason::TcpBadOptions},
           {"tcp 10.0.1.10:0 > 198.51.100.5:80", DropReason::TcpPortZero},
           {"tcp 10.0.1.10:5 > 198.51.100.5:0", DropReason::TcpPortZero},
           {"ipv4 total-length 27 | " + udp + "| truncate 27", DropReason::UdpShort},
           {udp + "length 7", DropReason::UdpBadLength},
           {udp + "length 9", DropReason::UdpBadLength},
           {udp + "bad-checksum", DropReason::UdpBadChecksum},
           {"udp 10.0.1.10:5 > 198.51.100.5:0", DropReason::UdpPortZero},
           {"icmp echo-request 10.0.1.10 > 198.51.100.5 bad-checksum", DropReason::IcmpBadChecksum},
           {"icmp redirect host 10.0.1.10 > 198.51.100.5 gateway 10.0.1.11",
            DropReason::IcmpUnknownType},
           {"icmp6 type 200 code 0 2001:db8:2::10 > 2001:db8:f::5", DropReason::IcmpUnknownType},
           {"icmp unreachable port 198.51.100.5 > 10.0.1.10", DropReason::IcmpBadQuote},
           {"icmp unreachable port 198.51.100.5 > 10.0.1.10 quoting "
            "{ udp 10.0.1.11:5 > 198.51.100.5:53 }",
            DropReason::IcmpBadQuote},
           {"ipv4 10.0.1.10 > 198.51.100.5 protocol 132 payload-size 11", DropReason::SctpShort},
       }) {
    EXPECT_EQ(drop_reason_name(refusal(recipe)), drop_reason_name(reason)) << recipe;
  }
}

TEST(FrameDecoder, RefusesUnknownEtherTypes) {
  EXPECT_EQ(refusal("eth 02:00:00:00:01:0a > 02:00:00:00:00:01 type 0x88cc | raw 0102030405"),
            DropReason::UnknownEtherType);
}

TEST(FrameDecoder, BelievesThePortAboutChecksums) {
  const std::string network = "ipv4 bad-checksum | udp 10.0.1.10:5 > 198.51.100.5:53";
  const std::string transport = "udp 10.0.1.10:5 > 198.51.100.5:53 bad-checksum";
  EXPECT_EQ(decode(network, {true, false}).verdict.next, FrameKind::Flow);
  EXPECT_EQ(decode(network, {false, true}).verdict.reason, DropReason::Ipv4BadChecksum);
  EXPECT_EQ(decode(transport, {false, true}).verdict.next, FrameKind::Flow);
  EXPECT_EQ(decode(transport, {true, false}).verdict.reason, DropReason::UdpBadChecksum);
}

// The rest of a chained frame lies elsewhere: nothing behind `readable` is touched (the block ends
// there), lengths count the whole frame, and the transport checksum is left to others.
TEST(FrameDecoder, ReadsOnlyTheFirstBufferOfAChain) {
  const Bytes frame =
      frame_of("udp 10.0.1.10:5 > 198.51.100.5:53 bad-checksum payload-pattern 2000");
  const Decoded decoded = decode(frame, 100);
  EXPECT_EQ(decoded.verdict.next, FrameKind::Flow);
  EXPECT_EQ(decoded.packet.payload_length, 2000);
  EXPECT_EQ(decoded.packet.network_length, 2028);
  for (const size_t readable : {size_t{33}, size_t{41}}) {
    EXPECT_EQ(decode(frame, readable).verdict.next, FrameKind::Drop) << readable;
  }
  EXPECT_EQ(decode(frame, 42).verdict.next, FrameKind::Flow);
}

TEST(FrameDecoder, WantsHeadersInTheFirstBuffer) {
  const Bytes tcp = frame_of("tcp 10.0.1.10:5 > 198.51.100.5:80 opt mss 1460 payload-pattern 900");
  EXPECT_EQ(decode(tcp, 50).verdict.reason, DropReason::TcpShort);
  EXPECT_EQ(decode(tcp, 57).verdict.reason, DropReason::TcpBadOffset);
  EXPECT_EQ(decode(tcp, 58).verdict.next, FrameKind::Flow);
  const Bytes options = frame_of("ipv4 options 94040000 | udp 10.0.1.10:5 > 198.51.100.5:53");
  EXPECT_EQ(decode(options, 37).verdict.reason, DropReason::Ipv4Short);
  const Bytes extension =
      frame_of("hop-by-hop options 050200000100 | udp [2001:db8:2::10]:5 > [2001:db8:f::5]:53");
  EXPECT_EQ(decode(extension, 61).verdict.reason, DropReason::Ipv6BadExtension);
}

}  // namespace
}  // namespace masugata::dataplane
