// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/icmp/tcp_reset.h"

#include <gtest/gtest.h>

#include "dataplane/fragments/buffer_chain.h"
#include "dataplane/fragments/fragment_test_packets.h"

namespace masugata::dataplane {
namespace {

TcpFacts segment_with(uint8_t flags, uint16_t payload = 0) {
  TcpFacts segment;
  segment.key.source = *net::IpAddress::parse("192.0.2.1");
  segment.key.destination = *net::IpAddress::parse("198.51.100.7");
  segment.key.source_port = net::Be16::from_host(40000);
  segment.key.destination_port = net::Be16::from_host(80);
  segment.key.protocol = net::Protocol::Tcp;
  segment.sequence = 0xffffffffU;
  segment.acknowledgement = 5000;
  segment.flags = flags;
  segment.payload_length = payload;
  return segment;
}

TEST(TcpReset, AnswersAnAckWithTheNumberItAcknowledges) {
  TcpFacts reset;
  ASSERT_TRUE(reset_for(segment_with(net::kTcpAck | net::kTcpPsh, 10), reset));
  EXPECT_EQ(reset.sequence, 5000U);
  EXPECT_EQ(reset.acknowledgement, 0U);
  EXPECT_EQ(reset.flags, net::kTcpRst);
  EXPECT_TRUE(reset.key == segment_with(0).key.reversed());
}

TEST(TcpReset, AcknowledgesTheWholeSegmentWithoutAck) {
  TcpFacts reset;
  ASSERT_TRUE(reset_for(segment_with(net::kTcpSyn), reset));
  EXPECT_EQ(reset.sequence, 0U);
  EXPECT_EQ(reset.acknowledgement, 0U) << "SYN counts, and numbers wrap";
  EXPECT_EQ(reset.flags, net::kTcpRst | net::kTcpAck);
  ASSERT_TRUE(reset_for(segment_with(net::kTcpFin, 9), reset));
  EXPECT_EQ(reset.acknowledgement, 9U);
}

TEST(TcpReset, NeverAnswersAReset) {
  TcpFacts reset;
  EXPECT_FALSE(reset_for(segment_with(net::kTcpRst), reset));
  EXPECT_FALSE(reset_for(segment_with(net::kTcpRst | net::kTcpAck), reset));
}

TEST(TcpReset, IsBuiltFromThePacketForBothFamilies) {
  const test::BufferPool pool;
  const TcpPacketBuilder builder(pool.get());
  Packet& carrier = test::make_packet(pool, test::udp_over_ipv4(30, 1));
  for (const bool ipv6 : {false, true}) {
    TcpFacts syn = segment_with(net::kTcpSyn);
    if (ipv6) {
      syn.key.source = *net::IpAddress::parse("2001:db8::1");
      syn.key.destination = *net::IpAddress::parse("2001:db8::2");
    }
    rte_mbuf* received = builder.build(carrier, Heading::Onward, syn);
    ASSERT_NE(received, nullptr);
    rte_mbuf* reset = build_tcp_reset(Packet::of(received), builder);
    ASSERT_NE(reset, nullptr);
    EXPECT_EQ(verify_chained_checksum(Packet::of(reset)), DropReason::None);
    TcpFacts read;
    ASSERT_TRUE(read_tcp_facts(Packet::of(reset), read));
    EXPECT_TRUE(read.key == syn.key.reversed());
    EXPECT_EQ(read.flags, net::kTcpRst | net::kTcpAck);
    EXPECT_EQ(build_tcp_reset(Packet::of(reset), builder), nullptr);
    rte_pktmbuf_free(reset);
    rte_pktmbuf_free(received);
  }
  test::free_packet(carrier);
  EXPECT_EQ(pool.in_use(), 0U);
}

}  // namespace
}  // namespace masugata::dataplane
