// SPDX-License-Identifier: GPL-2.0-or-later
// Headers around and inside of tunnels, sizes, transport mode's clear part.
#include "ipsec/esp/outer_header.h"

#include <gtest/gtest.h>

#include "ipsec/esp/ecn.h"
#include "ipsec/esp/packet_size.h"
#include "ipsec/esp/reference_esp.h"
#include "ipsec/esp/transport_mode.h"
#include "net/checksum.h"
#include "net/headers/ipv4.h"
#include "net/headers/ipv6.h"

namespace masugata::ipsec::reference {
namespace {

constexpr EspTransform kGcm{Encryption::AesGcm128, Integrity::Combined};
const Bytes kPayload(40, 0x11);

SaParameters outbound(bool v6 = false, bool udp = false) {
  SaParameters parameters = parameters_of(kGcm, Direction::Outbound);
  if (v6) {
    parameters.local = *net::IpAddress::parse("2001:db8:ffff::1");
    parameters.remote = *net::IpAddress::parse("2001:db8:fffe::1");
  }
  if (udp) parameters.udp = {4500, 62000};
  return parameters;
}

net::Ipv4View view_of(const Bytes& packet) {
  net::Ipv4View view;
  EXPECT_EQ(net::Ipv4View::parse(packet.data(), packet.size(), view), net::Ipv4View::Malformed::No);
  EXPECT_EQ(view.total_length(), packet.size());
  EXPECT_TRUE(view.checksum_valid());
  return view;
}

TEST(OuterHeader, Ipv4) {
  Fixture fixture;
  EspSa* sa = fixture.add(outbound());
  for (uint16_t sequence = 1; sequence < 600; ++sequence) {
    const auto traffic_class = static_cast<uint8_t>(sequence);
    const bool df = sequence % 3 == 0;
    const auto sent =
        fixture.encapsulate(sa, ipv4_packet(17, Bytes(sequence, 1), traffic_class, df));
    ASSERT_EQ(sent.refusal, EspRefusal::None);
    const net::Ipv4View view = view_of(sent.packet);
    EXPECT_EQ(view.header_bytes(), 20);
    EXPECT_EQ(view.traffic_class(), traffic_class);
    EXPECT_EQ(view.dont_fragment(), df);
    EXPECT_EQ(view.identification().host(), sequence);
    EXPECT_EQ(view.ttl(), 64);
    EXPECT_EQ(view.protocol(), net::Protocol::Esp);
    EXPECT_EQ(net::IpAddress::from_v4(view.source()), sa ? outbound().local : net::IpAddress{});
    EXPECT_EQ(net::IpAddress::from_v4(view.destination()), outbound().remote);
  }
}

TEST(OuterHeader, Ipv4Udp) {
  Fixture fixture;
  const auto sent =
      fixture.encapsulate(fixture.add(outbound(false, true)), ipv4_packet(6, kPayload));
  const net::Ipv4View view = view_of(sent.packet);
  EXPECT_EQ(view.protocol(), net::Protocol::Udp);
  const uint8_t* udp = sent.packet.data() + 20;
  EXPECT_EQ(net::load_be16(udp).host(), 4500);
  EXPECT_EQ(net::load_be16(udp + 2).host(), 62000);
  EXPECT_EQ(net::load_be16(udp + 4).host(), sent.packet.size() - 20);
  EXPECT_EQ(net::load_be16(udp + 6).host(), 0) << "no checksum, RFC 3948 section 2.1";
}

TEST(OuterHeader, Ipv6) {
  Fixture fixture;
  const auto sent =
      fixture.encapsulate(fixture.add(outbound(true)), ipv6_packet(6, kPayload, 0xb9));
  net::Ipv6View view;
  ASSERT_EQ(net::Ipv6View::parse(sent.packet.data(), sent.packet.size(), view),
            net::Ipv6View::Malformed::No);
  EXPECT_EQ(view.total_length(), sent.packet.size());
  EXPECT_EQ(view.traffic_class(), 0xb9);
  EXPECT_EQ(view.hop_limit(), 64);
  EXPECT_EQ(view.next_header(), net::Protocol::Esp);
  EXPECT_EQ(net::IpAddress::from_v6(view.source_bytes()), outbound(true).local);
  EXPECT_EQ(net::IpAddress::from_v6(view.destination_bytes()), outbound(true).remote);
}

TEST(OuterHeader, Ipv6UdpHasAChecksum) {
  Fixture fixture;
  EspSa* sa = fixture.add(outbound(true, true));
  for (size_t size = 0; size < 70; ++size) {
    const auto sent = fixture.encapsulate(sa, ipv4_packet(6, Bytes(size, 3)));
    const auto length = static_cast<uint32_t>(sent.packet.size() - 40);
    EXPECT_NE(net::load_be16(sent.packet.data() + 46).host(), 0);
    const uint64_t pseudo = net::pseudo_header_sum(outbound(true).local, outbound(true).remote,
                                                   net::Protocol::Udp, length);
    EXPECT_EQ(net::checksum_fold(net::checksum_add(sent.packet.data() + 40, length, pseudo)),
              0xffff);
  }
}

TEST(OuterHeader, NewAddressesTakeEffectWithoutNewKeys) {
  Fixture fixture;
  EspSa* sa = fixture.add(outbound());
  const auto before = fixture.encapsulate(sa, ipv4_packet(6, kPayload));
  sa->set_outer(*net::IpAddress::parse("2001:db8::1"), *net::IpAddress::parse("2001:db8::2"),
                {4500, 4501});
  const auto after = fixture.encapsulate(sa, ipv4_packet(6, kPayload));
  EXPECT_EQ(after.packet.size(), before.packet.size() + 20 + 8);
  EXPECT_EQ(net::load_be32(after.packet.data() + 48 + 4).host(), 2U) << "numbers go on";
}

TEST(OuterHeader, DontFragmentAndTrafficClassAsConfigured) {
  struct Case {
    TunnelHeaderHandling handling;
    uint8_t inner_class;
    bool inner_df;
    uint8_t outer_class;
    bool outer_df;
  };
  const TunnelHeaderHandling copy;
  TunnelHeaderHandling set = copy;
  set.df = DfHandling::Set;
  TunnelHeaderHandling clear = copy;
  clear.df = DfHandling::Clear;
  TunnelHeaderHandling fixed = copy;
  fixed.copy_dscp_out = false;
  fixed.dscp = 46;
  TunnelHeaderHandling compatible = copy;
  compatible.ecn = EcnHandling::Compatibility;
  const Case cases[] = {{copy, 0xb9, true, 0xb9, true},
                        {copy, 0, false, 0, false},
                        {set, 0, false, 0, true},
                        {clear, 0, true, 0, false},
                        {fixed, 0x05, false, 0xb9, false},
                        {fixed, 0xfc, false, 0xb8, false},
                        {compatible, 0xb9, true, 0xb8, true}};
  for (const Case& one : cases) {
    Fixture fixture;
    SaParameters parameters = outbound();
    parameters.header = one.handling;
    const auto sent = fixture.encapsulate(fixture.add(parameters),
                                          ipv4_packet(6, kPayload, one.inner_class, one.inner_df));
    EXPECT_EQ(view_of(sent.packet).traffic_class(), one.outer_class);
    EXPECT_EQ(view_of(sent.packet).dont_fragment(), one.outer_df);
  }
  Fixture fixture;
  const auto six = fixture.encapsulate(fixture.add(outbound()), ipv6_packet(6, kPayload));
  EXPECT_TRUE(view_of(six.packet).dont_fragment()) << "nobody cuts IPv6 packets on their way";
}

// RFC 6040 section 4.2, figure 4, cell by cell; both versions inside and outside.
TEST(Ecn, CombinedAsTheRfcSays) {
  constexpr uint8_t kNot = 0;
  constexpr uint8_t kOne = 1;
  constexpr uint8_t kZero = 2;
  constexpr uint8_t kCe = 3;
  constexpr uint8_t kExpected[4][4] = {
      // outer: Not-ECT, ECT(1), ECT(0), CE
      {kNot, kNot, kNot, kEcnDrop},
      {kOne, kOne, kOne, kCe},
      {kZero, kOne, kZero, kCe},
      {kCe, kCe, kCe, kCe},
  };
  for (uint8_t inner = 0; inner < 4; ++inner) {
    for (uint8_t outer = 0; outer < 4; ++outer) {
      EXPECT_EQ(combine_ecn(inner, outer), kExpected[inner][outer]) << +inner << " " << +outer;
    }
  }
}

// The same for packets, with what routers on the way make of the outer field.
TEST(Ecn, EveryCombinationThroughATunnel) {
  for (const bool inside_ipv4 : {true, false}) {
    for (const bool outside_ipv4 : {true, false}) {
      for (uint8_t combination = 0; combination < 16; ++combination) {
        const auto inner = static_cast<uint8_t>(0xb8 | combination >> 2U);
        const auto outer = static_cast<uint8_t>(combination & 3U);
        Fixture fixture;
        SaParameters parameters = outbound();
        if (!outside_ipv4) {
          parameters.local = *net::IpAddress::parse("2001:db8::1");
          parameters.remote = *net::IpAddress::parse("2001:db8::2");
        }
        EspSa* out = fixture.add(parameters);
        EspSa* in = fixture.add(peer_of(parameters));
        const auto packet_of = [&](uint8_t traffic_class) {
          return inside_ipv4 ? ipv4_packet(17, kPayload, traffic_class)
                             : ipv6_packet(17, kPayload, traffic_class);
        };
        auto sent = fixture.encapsulate(out, packet_of(inner));
        ASSERT_EQ(sent.refusal, EspRefusal::None);
        EXPECT_EQ(traffic_class_of(sent.packet.data()), inner) << "copied out, congestion too";
        set_traffic_class(sent.packet.data(), static_cast<uint8_t>(0xb8 | outer));
        const auto received = fixture.decapsulate(in, sent.packet);
        const uint8_t expected = combine_ecn(inner, outer);
        if (expected == kEcnDrop) {
          EXPECT_EQ(received.refusal, EspRefusal::CongestionUnmarkable);
          continue;
        }
        ASSERT_EQ(received.refusal, EspRefusal::None);
        EXPECT_EQ(received.packet, packet_of(static_cast<uint8_t>(0xb8 | expected)));
      }
    }
  }
}

TEST(Ecn, TrafficClassIsWrittenWhereItStands) {
  for (unsigned value = 0; value < 256; ++value) {
    const auto traffic_class = static_cast<uint8_t>(value);
    Bytes v4 = ipv4_packet(17, kPayload, 0x5a);
    set_traffic_class(v4.data(), traffic_class);
    EXPECT_EQ(v4, ipv4_packet(17, kPayload, traffic_class));
    EXPECT_EQ(traffic_class_of(v4.data()), traffic_class);
    Bytes v6 = ipv6_packet(17, kPayload, 0x5a);
    v6[1] |= 0x07;  // of the flow label
    set_traffic_class(v6.data(), traffic_class);
    Bytes expected = ipv6_packet(17, kPayload, traffic_class);
    expected[1] |= 0x07;
    EXPECT_EQ(v6, expected);
    EXPECT_EQ(traffic_class_of(v6.data()), traffic_class);
  }
}

TEST(Ecn, DscpComesInOnlyWhenAskedFor) {
  for (const bool copy_in : {false, true}) {
    Fixture fixture;
    SaParameters parameters = outbound();
    parameters.header.copy_dscp_out = false;
    parameters.header.dscp = 10;
    parameters.header.copy_dscp_in = copy_in;
    EspSa* out = fixture.add(parameters);
    EspSa* in = fixture.add(peer_of(parameters));
    const auto sent = fixture.encapsulate(out, ipv4_packet(6, kPayload, 0xb9));
    const auto received = fixture.decapsulate(in, sent.packet);
    EXPECT_EQ(received.packet, ipv4_packet(6, kPayload, copy_in ? 10 << 2 | 1 : 0xb9));
  }
}

TEST(PacketSize, KnownFigures) {
  const EspTransform cbc{Encryption::AesCbc128, Integrity::HmacSha256128};
  SaParameters parameters = outbound();
  EXPECT_EQ(maximum_inner_size(parameters, 1500), 1446U);
  EXPECT_EQ(maximum_tcp_segment(parameters, net::Family::Ipv4, 1500), 1406);
  EXPECT_EQ(maximum_tcp_segment(parameters, net::Family::Ipv6, 1500), 1386);
  parameters.udp = {4500, 4500};
  EXPECT_EQ(maximum_inner_size(parameters, 1500), 1438U);
  parameters.transform = cbc;
  EXPECT_EQ(maximum_inner_size(parameters, 1500), 1422U);
  parameters.udp = {};
  EXPECT_EQ(maximum_inner_size(parameters, 1500), 1438U);
  EXPECT_EQ(maximum_inner_size(parameters, 75), 0U);
  EXPECT_EQ(maximum_tcp_segment(parameters, net::Family::Ipv6, 100), 0);
}

TEST(PacketSize, IsExactForEverySa) {
  for (const EspTransform transform : all_transforms()) {
    for (int variant = 0; variant < 8; ++variant) {
      const bool transport = (variant & 4) != 0;
      const bool v6 = (variant & 1) != 0;
      if (transport && (variant & 2) != 0) continue;
      SaParameters parameters = outbound(v6, (variant & 2) != 0);
      const SaParameters keys = parameters_of(transform, Direction::Outbound);
      parameters.transform = transform;
      parameters.encryption_key = keys.encryption_key.duplicate();
      parameters.integrity_key = keys.integrity_key.duplicate();
      parameters.mode = transport ? Mode::Transport : Mode::Tunnel;
      Fixture fixture;
      EspSa* sa = fixture.add(parameters);
      const size_t header = transport && v6 ? 40 : 20;
      const auto packet = [&](size_t size) {
        const Bytes payload(size - header, 1);
        return header == 40 ? ipv6_packet(17, payload) : ipv4_packet(17, payload);
      };
      for (uint32_t mtu = 1280; mtu <= 1500; mtu += 13) {
        const uint32_t size = maximum_inner_size(parameters, mtu);
        EXPECT_LE(fixture.encapsulate(sa, packet(size)).packet.size(), mtu);
        EXPECT_GT(fixture.encapsulate(sa, packet(size + 1)).packet.size(), mtu);
      }
    }
  }
}

TEST(TransportMode, OptionsAndExtensionHeadersStayOutside) {
  const Bytes options =
      from_hex("46000020123400004011000 00a0000010a0100019404000011223344aabbccdd");
  Bytes v4 = options;
  v4[3] = static_cast<uint8_t>(v4.size());
  const ClearPart four = find_clear_part(v4.data(), static_cast<uint32_t>(v4.size()));
  EXPECT_EQ(four.refusal, EspRefusal::None);
  EXPECT_EQ(four.bytes, 24);
  // Hop-by-hop options, routing header, destination options: the last are encrypted.
  const Bytes chain =
      from_hex("2b00000000000000 3c00000000000000 1100000000000000 0102030405060708");
  const Bytes v6 = ipv6_packet(0, chain);
  const ClearPart six = find_clear_part(v6.data(), static_cast<uint32_t>(v6.size()));
  EXPECT_EQ(six.refusal, EspRefusal::None);
  EXPECT_EQ(six.bytes, 56);
  EXPECT_EQ(six.next_header, 60);
  EXPECT_EQ(six.next_header_offset, 48);

  SaParameters parameters = outbound(true);
  parameters.mode = Mode::Transport;
  Fixture fixture;
  EspSa* out = fixture.add(parameters);
  const auto sent = fixture.encapsulate(out, v6);
  ASSERT_EQ(sent.refusal, EspRefusal::None);
  EXPECT_EQ(sent.packet[48], 50);
  PacketBuffer buffer(sent.packet, 0, 0);
  EspPacket packet = buffer.packet(fixture.add(peer_of(parameters)), 56);
  fixture.worker().decapsulate({&packet, 1}, 0);
  ASSERT_EQ(packet.refusal, EspRefusal::None);
  EXPECT_EQ(bytes_of(packet), v6);
}

TEST(TransportMode, CutShortIsRefusedAtEveryLength) {
  const Bytes chain = from_hex("2b01000000000000 0000000000000000 3c00000000000000");
  for (size_t cut = 0; cut < 40 + chain.size(); ++cut) {
    Bytes packet = ipv6_packet(0, chain);
    packet.resize(cut);
    if (cut > 40) packet[5] = static_cast<uint8_t>(cut - 40);
    const Bytes exact = packet;
    const ClearPart part = find_clear_part(exact.data(), static_cast<uint32_t>(exact.size()));
    EXPECT_EQ(part.refusal, EspRefusal::InnerMalformed) << cut;
  }
}

}  // namespace
}  // namespace masugata::ipsec::reference
