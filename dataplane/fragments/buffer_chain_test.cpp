// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/fragments/buffer_chain.h"

#include <gtest/gtest.h>

#include <array>

#include "dataplane/fragments/fragment_test_packets.h"
#include "net/checksum.h"

namespace masugata::dataplane {
namespace {

using test::BufferPool;
using test::Bytes;
using test::free_packet;
using test::make_packet;
using test::udp_over_ipv4;
using test::udp_over_ipv6;

TEST(BufferChain, ChecksumDoesNotDependOnWhereBuffersEnd) {
  const BufferPool pool;
  const Bytes network = udp_over_ipv4(701, 1);
  Packet& linear = make_packet(pool, network);
  for (const uint16_t segment : std::array<uint16_t, 4>{37, 64, 101, 255}) {
    Packet& chained = make_packet(pool, network, segment);
    for (const uint32_t offset : {0U, 13U, 14U, 99U, 202U}) {
      for (const uint32_t length : {0U, 1U, 2U, 77U, 300U, 513U}) {
        EXPECT_EQ(net::checksum_fold(checksum_chain(chained.mbuf(), offset, length)) % 0xffff,
                  net::checksum_fold(checksum_chain(linear.mbuf(), offset, length)) % 0xffff)
            << segment << " " << offset << " " << length;
      }
    }
    EXPECT_TRUE(equal_in_chains(chained.mbuf(), 3, linear.mbuf(), 3, 700));
    EXPECT_FALSE(equal_in_chains(chained.mbuf(), 30, linear.mbuf(), 31, 600));
    free_packet(chained);
  }
  free_packet(linear);
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(BufferChain, TrimsPaddingAcrossBuffers) {
  const BufferPool pool;
  Packet& packet = make_packet(pool, udp_over_ipv4(300, 1), 50);
  trim_chain(packet.mbuf(), 101);
  EXPECT_EQ(packet.mbuf().pkt_len, 101U);
  EXPECT_EQ(packet.mbuf().nb_segs, 3);
  EXPECT_EQ(pool.in_use(), 3U);
  trim_chain(packet.mbuf(), 50);
  EXPECT_EQ(packet.mbuf().nb_segs, 1);
  trim_chain(packet.mbuf(), 1000);
  EXPECT_EQ(packet.mbuf().pkt_len, 50U);
  rte_mbuf_sanity_check(&packet.mbuf(), 1);
  free_packet(packet);
  EXPECT_EQ(pool.in_use(), 0U);
}

class TransportChecksum : public ::testing::Test {
 protected:
  DropReason verify(const Bytes& network, uint16_t segment_bytes = 0) {
    Packet& packet = make_packet(pool_, network, segment_bytes);
    const DropReason reason = verify_chained_checksum(packet);
    free_packet(packet);
    return reason;
  }
  BufferPool pool_;
};

TEST_F(TransportChecksum, AcceptsRightOnesAndNamesWrongOnes) {
  for (const uint16_t segment : std::array<uint16_t, 3>{0, 80, 101}) {
    for (Bytes network : {udp_over_ipv4(301, 1), udp_over_ipv6(301)}) {
      EXPECT_EQ(verify(network, segment), DropReason::None);
      network.back() ^= 1U;
      EXPECT_EQ(verify(network, segment), DropReason::UdpBadChecksum);
    }
  }
}

TEST_F(TransportChecksum, UdpWithoutChecksumIsForIpv4Only) {
  Bytes v4 = udp_over_ipv4(10, 1);
  v4[26] = v4[27] = 0;
  EXPECT_EQ(verify(v4), DropReason::None);
  Bytes v6 = udp_over_ipv6(10);
  v6[46] = v6[47] = 0;
  EXPECT_EQ(verify(v6), DropReason::UdpBadChecksum);
}

TEST_F(TransportChecksum, NamesShortHeadersAndLengths) {
  Bytes packet = udp_over_ipv4(10, 1);
  packet[25] = 200;
  EXPECT_EQ(verify(packet), DropReason::UdpBadLength);
  packet[9] = 6;
  EXPECT_EQ(verify(packet), DropReason::TcpShort);
  packet[9] = 1;
  EXPECT_EQ(verify(packet), DropReason::IcmpBadChecksum);
  packet[9] = 50;
  EXPECT_EQ(verify(packet), DropReason::None);
}

}  // namespace
}  // namespace masugata::dataplane
