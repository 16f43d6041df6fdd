// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/icmp/error_message.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "dataplane/fragments/buffer_chain.h"
#include "dataplane/fragments/fragment_test_packets.h"

namespace masugata::dataplane {
namespace {

using test::BufferPool;
using test::Bytes;
using test::free_packet;
using test::make_packet;
using test::network_bytes;
using test::udp_over_ipv4;
using test::udp_over_ipv6;

IcmpSilence judge(const Bytes& packet, IcmpError error = IcmpError::HostUnreachable,
                  bool link_multicast = false) {
  return may_answer_with(error, packet.data(), packet.size(), packet.size(), link_multicast);
}

Bytes icmp_over_ipv4(uint8_t type) {
  Bytes packet = udp_over_ipv4(40, 1);
  packet[9] = 1;
  packet[20] = type;
  return packet;
}

Bytes icmp_over_ipv6(uint8_t type) {
  Bytes packet = udp_over_ipv6(40);
  packet[6] = 58;
  packet[40] = type;
  return packet;
}

TEST(IcmpSilence, OrdinaryPacketsAreAnswered) {
  EXPECT_EQ(judge(udp_over_ipv4(10, 1)), IcmpSilence::Answer);
  EXPECT_EQ(judge(udp_over_ipv6(10)), IcmpSilence::Answer);
  EXPECT_EQ(judge(icmp_over_ipv4(8)), IcmpSilence::Answer);
  EXPECT_EQ(judge(icmp_over_ipv6(128)), IcmpSilence::Answer);
}

TEST(IcmpSilence, NeverAnswersIcmpErrors) {
  for (const int type : {3, 4, 5, 11, 12}) {
    EXPECT_EQ(judge(icmp_over_ipv4(static_cast<uint8_t>(type))), IcmpSilence::IcmpError) << type;
  }
  for (const int type : {1, 2, 3, 4, 127, 137}) {
    EXPECT_EQ(judge(icmp_over_ipv6(static_cast<uint8_t>(type))), IcmpSilence::IcmpError) << type;
  }
}

TEST(IcmpSilence, FindsIcmpErrorsBehindExtensionHeaders) {
  Bytes packet = icmp_over_ipv6(1);
  packet[6] = 60;
  const Bytes options{58, 0, 1, 4, 0, 0, 0, 0};
  packet.insert(packet.begin() + 40, options.begin(), options.end());
  packet[5] = static_cast<uint8_t>(packet.size() - 40);
  EXPECT_EQ(judge(packet), IcmpSilence::IcmpError);
  packet[41] = 200;
  EXPECT_EQ(judge(packet), IcmpSilence::Unreadable);
}

TEST(IcmpSilence, NeverAnswersMulticastOrBroadcast) {
  Bytes v4 = udp_over_ipv4(10, 1);
  EXPECT_EQ(judge(v4, IcmpError::HostUnreachable, true), IcmpSilence::Multicast);
  v4[16] = 224;
  EXPECT_EQ(judge(v4), IcmpSilence::Multicast);
  v4[16] = v4[17] = v4[18] = v4[19] = 255;
  EXPECT_EQ(judge(v4), IcmpSilence::Multicast);
  Bytes v6 = udp_over_ipv6(10);
  v6[24] = 0xff;
  EXPECT_EQ(judge(v6), IcmpSilence::Multicast);
  EXPECT_EQ(judge(v6, IcmpError::PacketTooBig), IcmpSilence::Answer) << "RFC 4443 2.4 (e.3)";
}

TEST(IcmpSilence, NeverAnswersLaterFragments) {
  const Bytes v4 = udp_over_ipv4(1000, 1);
  EXPECT_EQ(judge(test::fragment_of_ipv4(v4, 64, 64, true)), IcmpSilence::LaterFragment);
  EXPECT_EQ(judge(test::fragment_of_ipv4(v4, 0, 64, true)), IcmpSilence::Answer);
  const Bytes v6 = udp_over_ipv6(1000);
  EXPECT_EQ(judge(test::fragment_of_ipv6(v6, 64, 64, true, 1)), IcmpSilence::LaterFragment);
  EXPECT_EQ(judge(test::fragment_of_ipv6(v6, 0, 64, true, 1)), IcmpSilence::Answer);
}

TEST(IcmpSilence, NeverAnswersSourcesThatAreNoHost) {
  for (const int first : {0, 127, 224, 240, 255}) {
    Bytes packet = udp_over_ipv4(10, 1);
    packet[12] = static_cast<uint8_t>(first);
    EXPECT_EQ(judge(packet), IcmpSilence::SourceUnusable) << first;
  }
  Bytes packet = udp_over_ipv6(10);
  packet[8] = 0xff;
  EXPECT_EQ(judge(packet), IcmpSilence::SourceUnusable);
  std::fill(packet.begin() + 8, packet.begin() + 24, uint8_t{0});
  EXPECT_EQ(judge(packet), IcmpSilence::SourceUnusable) << "unspecified";
  packet[23] = 1;
  EXPECT_EQ(judge(packet), IcmpSilence::SourceUnusable) << "loopback";
  packet[18] = packet[19] = 0xff;
  EXPECT_EQ(judge(packet), IcmpSilence::SourceUnusable) << "v4-mapped";
}

TEST(IcmpSilence, NeverReadsBehindTheEnd) {
  for (const Bytes& packet : {icmp_over_ipv4(3), icmp_over_ipv6(1)}) {
    for (size_t length = 0; length < packet.size(); ++length) {
      const Bytes exact(packet.begin(), packet.begin() + static_cast<ptrdiff_t>(length));
      EXPECT_NE(
          may_answer_with(IcmpError::HostUnreachable, exact.data(), packet.size(), length, false),
          IcmpSilence::Answer);
    }
  }
}

class IcmpErrorTest : public ::testing::Test {
 protected:
  // The message's bytes; checks what holds for every message.
  Bytes build(Packet& offending, IcmpError error, const char* source, uint16_t mtu = 0) {
    const IcmpErrorRequest request{error, *net::IpAddress::parse(source), mtu};
    const IcmpErrorResult result = build_icmp_error(offending, request, pool_.get(), limiter_, 0);
    if (result.message == nullptr) return {};
    Packet& message = Packet::of(result.message);
    EXPECT_TRUE(message.has(kPacketGenerated));
    EXPECT_EQ(message.egress_interface, offending.ingress_interface);
    EXPECT_EQ(message.icmp_type, message.transport()[0]);
    EXPECT_EQ(verify_chained_checksum(message), DropReason::None);
    EXPECT_TRUE(std::equal(message.frame(), message.frame() + 6, offending.frame() + 6));
    EXPECT_TRUE(std::equal(message.frame() + 6, message.frame() + 12, offending.frame()));
    Bytes bytes = network_bytes(message);
    free_packet(message);
    return bytes;
  }

  BufferPool pool_;
  IcmpRateLimiter limiter_;
};

TEST_F(IcmpErrorTest, Ipv4FragmentationNeededNamesTheMtu) {
  const Bytes network = udp_over_ipv4(1400, 1);
  Packet& offending = make_packet(pool_, network);
  const Bytes message = build(offending, IcmpError::PacketTooBig, "192.0.2.254", 1300);
  ASSERT_EQ(message.size(), 576U);
  Bytes checked = message;
  test::set_ipv4_checksum(checked);
  EXPECT_EQ(checked, message);
  EXPECT_EQ(Bytes(message.begin() + 12, message.begin() + 20),
            (Bytes{192, 0, 2, 254, 192, 0, 2, 1}));
  EXPECT_EQ(message[20], 3);
  EXPECT_EQ(message[21], 4);
  EXPECT_EQ(Bytes(message.begin() + 24, message.begin() + 28),
            (Bytes{0, 0, 1300 >> 8, 1300 & 255}));
  EXPECT_TRUE(std::equal(message.begin() + 28, message.end(), network.begin()));
  free_packet(offending);
}

TEST_F(IcmpErrorTest, Ipv6PacketTooBigNamesTheMtu) {
  const Bytes network = udp_over_ipv6(1452);
  for (const uint16_t segment : {uint16_t{0}, uint16_t{300}}) {
    Packet& offending = make_packet(pool_, network, segment);
    const Bytes message = build(offending, IcmpError::PacketTooBig, "2001:db8::fe", 1400);
    ASSERT_EQ(message.size(), 1280U);
    EXPECT_EQ(message[40], 2);
    EXPECT_EQ(Bytes(message.begin() + 44, message.begin() + 48),
              (Bytes{0, 0, 1400 >> 8, 1400 & 255}));
    EXPECT_TRUE(std::equal(message.begin() + 48, message.end(), network.begin()));
    free_packet(offending);
  }
}

TEST_F(IcmpErrorTest, TypesAndCodesOfBothFamilies) {
  struct Case {
    IcmpError error;
    uint8_t v4_type, v4_code, v6_type, v6_code;
  };
  const Case cases[] = {
      {IcmpError::NetworkUnreachable, 3, 0, 1, 0}, {IcmpError::HostUnreachable, 3, 1, 1, 3},
      {IcmpError::PortUnreachable, 3, 3, 1, 4},    {IcmpError::AdminProhibited, 3, 13, 1, 1},
      {IcmpError::PacketTooBig, 3, 4, 2, 0},       {IcmpError::HopLimitExceeded, 11, 0, 3, 0},
      {IcmpError::ReassemblyTimeout, 11, 1, 3, 1}};
  Packet& v4 = make_packet(pool_, udp_over_ipv4(50, 1));
  Packet& v6 = make_packet(pool_, udp_over_ipv6(50));
  for (const Case& expected : cases) {
    Bytes message = build(v4, expected.error, "192.0.2.254", 1280);
    ASSERT_EQ(message.size(), 20U + 8 + 78);
    EXPECT_EQ(message[20], expected.v4_type);
    EXPECT_EQ(message[21], expected.v4_code);
    message = build(v6, expected.error, "2001:db8::fe", 1280);
    ASSERT_EQ(message.size(), 40U + 8 + 98);
    EXPECT_EQ(message[40], expected.v6_type);
    EXPECT_EQ(message[41], expected.v6_code);
  }
  free_packet(v4);
  free_packet(v6);
}

TEST_F(IcmpErrorTest, KeepsTheVlanTag) {
  Packet& offending = make_packet(pool_, udp_over_ipv4(50, 1));
  auto* frame = reinterpret_cast<uint8_t*>(rte_pktmbuf_prepend(&offending.mbuf(), 4));
  ASSERT_NE(frame, nullptr);
  std::copy(frame + 4, frame + 16, frame);
  const uint8_t tag[4] = {0x81, 0x00, 0x00, 0x0a};
  std::copy(tag, tag + 4, frame + 12);
  offending.link_length = 18;
  const IcmpErrorRequest request{IcmpError::HostUnreachable, *net::IpAddress::parse("192.0.2.254"),
                                 0};
  const auto result = build_icmp_error(offending, request, pool_.get(), limiter_, 0);
  ASSERT_NE(result.message, nullptr);
  EXPECT_TRUE(std::equal(tag, tag + 4, Packet::of(result.message).frame() + 12));
  EXPECT_EQ(Packet::of(result.message).network()[0], 0x45);
  rte_pktmbuf_free(result.message);
  free_packet(offending);
}

TEST_F(IcmpErrorTest, SaysWhyThereIsNone) {
  Packet& offending = make_packet(pool_, udp_over_ipv4(50, 1));
  IcmpErrorRequest request{IcmpError::HostUnreachable, *net::IpAddress::parse("2001:db8::1"), 0};
  EXPECT_EQ(build_icmp_error(offending, request, pool_.get(), limiter_, 0).silence,
            IcmpSilence::SourceUnusable)
      << "our address is of the other family";
  request.source = *net::IpAddress::parse("192.0.2.254");
  IcmpRateLimiter none(0, 0);
  EXPECT_EQ(build_icmp_error(offending, request, pool_.get(), none, 0).silence,
            IcmpSilence::RateLimited);
  const BufferPool tiny(3, 64);
  EXPECT_EQ(build_icmp_error(offending, request, tiny.get(), limiter_, 0).silence,
            IcmpSilence::NoBuffer);
  EXPECT_EQ(tiny.in_use(), 0U);
  offending.set(kPacketLinkMulticast);
  const uint64_t before = limiter_.allowed();
  EXPECT_EQ(build_icmp_error(offending, request, pool_.get(), limiter_, 0).silence,
            IcmpSilence::Multicast);
  EXPECT_EQ(limiter_.allowed(), before) << "no token for what must not be sent";
  free_packet(offending);
  EXPECT_EQ(pool_.in_use(), 0U);
}

}  // namespace
}  // namespace masugata::dataplane
