// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/icmp/tcp_packet.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "dataplane/fragments/buffer_chain.h"
#include "dataplane/fragments/fragment_test_packets.h"

namespace masugata::dataplane {
namespace {

using test::BufferPool;
using test::free_packet;
using test::make_packet;

TcpFacts full_segment(const char* source, const char* destination) {
  TcpFacts segment;
  segment.key.source = *net::IpAddress::parse(source);
  segment.key.destination = *net::IpAddress::parse(destination);
  segment.key.source_port = net::Be16::from_host(80);
  segment.key.destination_port = net::Be16::from_host(40000);
  segment.key.protocol = net::Protocol::Tcp;
  segment.sequence = 0xfffffff0U;
  segment.acknowledgement = 77;
  segment.window = 4321;
  segment.flags = net::kTcpSyn | net::kTcpAck;
  segment.options.maximum_segment_size = 1440;
  segment.options.sack_permitted = true;
  segment.options.has_window_scale = true;
  segment.options.window_scale = 7;
  segment.options.has_timestamps = true;
  segment.options.timestamp_value = 1;
  segment.options.timestamp_echo = 2;
  return segment;
}

TEST(TcpPacketBuilder, WritesWhatItReads) {
  const BufferPool pool;
  Packet& received = make_packet(pool, test::udp_over_ipv4(30, 1));
  const TcpPacketBuilder builder(pool.get());
  for (const TcpFacts& segment :
       {full_segment("192.0.2.9", "192.0.2.1"), full_segment("2001:db8::9", "2001:db8::1")}) {
    rte_mbuf* buffer = builder.build(received, Heading::BackToSender, segment);
    ASSERT_NE(buffer, nullptr);
    Packet& packet = Packet::of(buffer);
    EXPECT_EQ(verify_chained_checksum(packet), DropReason::None);
    EXPECT_EQ(packet.tcp_flags, net::kTcpSyn | net::kTcpAck);
    TcpFacts read;
    ASSERT_TRUE(read_tcp_facts(packet, read));
    EXPECT_TRUE(read.key == segment.key);
    EXPECT_EQ(read.sequence, segment.sequence);
    EXPECT_EQ(read.acknowledgement, segment.acknowledgement);
    EXPECT_EQ(read.window, segment.window);
    EXPECT_EQ(read.flags, segment.flags);
    EXPECT_EQ(read.options, segment.options);
    EXPECT_EQ(read.payload_length, 0);
    rte_pktmbuf_free(buffer);
  }
  free_packet(received);
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(TcpPacketBuilder, HeadingDecidesTheLinkHeader) {
  const BufferPool pool;
  Packet& received = make_packet(pool, test::udp_over_ipv4(30, 1));
  const TcpPacketBuilder builder(pool.get());
  const TcpFacts segment = full_segment("192.0.2.9", "192.0.2.1");
  rte_mbuf* back = builder.build(received, Heading::BackToSender, segment);
  rte_mbuf* onward = builder.build(received, Heading::Onward, segment);
  ASSERT_TRUE(back != nullptr && onward != nullptr);
  EXPECT_TRUE(std::equal(received.frame(), received.frame() + 14, Packet::of(onward).frame()));
  EXPECT_EQ(Packet::of(onward).egress_interface, kNoInterface);
  EXPECT_TRUE(std::equal(received.frame(), received.frame() + 6, Packet::of(back).frame() + 6));
  EXPECT_TRUE(std::equal(received.frame() + 6, received.frame() + 12, Packet::of(back).frame()));
  EXPECT_EQ(Packet::of(back).egress_interface, received.ingress_interface);
  rte_pktmbuf_free(back);
  rte_pktmbuf_free(onward);
  free_packet(received);
}

TEST(TcpPacketBuilder, SaysWhenThereIsNoBuffer) {
  const BufferPool pool(1);
  Packet& received = make_packet(pool, test::udp_over_ipv4(30, 1));
  EXPECT_EQ(TcpPacketBuilder(pool.get())
                .build(received, Heading::Onward, full_segment("192.0.2.9", "192.0.2.1")),
            nullptr);
  free_packet(received);
}

TEST(TcpFactsReader, RefusesWhatIsNotTcp) {
  const BufferPool pool;
  Packet& received = make_packet(pool, test::udp_over_ipv4(30, 1));
  received.clear(kPacketIsFragment);
  received.transport_offset = 34;
  TcpFacts facts;
  received.key.protocol = net::Protocol::Udp;
  EXPECT_FALSE(read_tcp_facts(received, facts));
  received.key.protocol = net::Protocol::Tcp;
  received.frame()[34 + 12] = 0xf0;  // a header of 60 bytes, of which 38 are there
  EXPECT_FALSE(read_tcp_facts(received, facts));
  received.frame()[34 + 12] = 0x50;
  EXPECT_TRUE(read_tcp_facts(received, facts));
  received.set(kPacketIsFragment);
  EXPECT_FALSE(read_tcp_facts(received, facts));
  free_packet(received);
}

}  // namespace
}  // namespace masugata::dataplane
