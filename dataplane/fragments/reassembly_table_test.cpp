// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/fragments/reassembly_table.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

#include "dataplane/fragments/fragment_test_packets.h"

namespace masugata::dataplane {
namespace {

using test::BufferPool;
using test::Bytes;
using test::fragment_of_ipv4;
using test::fragment_of_ipv6;
using test::free_packet;
using test::make_packet;
using test::network_bytes;
using test::udp_over_ipv4;
using test::udp_over_ipv6;
using Outcome = ReassemblyTable::Offer::Outcome;

class ReassemblyTableTest : public ::testing::Test {
 protected:
  void TearDown() override {
    table_.reset();
    EXPECT_EQ(pool_.in_use(), 0U) << "leaked or lost buffers";
  }

  ReassemblyTable::Offer offer(const Bytes& fragment, uint32_t now_ms = 0,
                               uint16_t segment_bytes = 0) {
    return table_->offer(make_packet(pool_, fragment, segment_bytes), now_ms);
  }
  void expect_refused(const ReassemblyTable::Offer& result, DropReason reason) {
    ASSERT_EQ(result.outcome, Outcome::Refused);
    EXPECT_EQ(drop_reason_name(result.reason), drop_reason_name(reason));
    free_packet(*result.packet);
  }
  void expect_completed(const ReassemblyTable::Offer& result, const Bytes& whole) {
    ASSERT_EQ(result.outcome, Outcome::Completed) << drop_reason_name(result.reason);
    Packet& packet = *result.packet;
    EXPECT_EQ(network_bytes(packet), whole);
    EXPECT_TRUE(packet.has(kPacketWasReassembled));
    EXPECT_FALSE(packet.has(kPacketIsFragment));
    EXPECT_EQ(packet.mbuf().pkt_len, whole.size() + test::kLinkBytes);
    EXPECT_NE(packet.mbuf().ol_flags & RTE_MBUF_F_RX_L4_CKSUM_GOOD, 0U);
    free_packet(packet);
  }

  BufferPool pool_;
  std::unique_ptr<ReassemblyTable> table_ =
      std::make_unique<ReassemblyTable>(ReassemblyLimits{}, net::HashSecret{});
};

TEST_F(ReassemblyTableTest, RestoresAnIpv4DatagramInOneBuffer) {
  const Bytes whole = udp_over_ipv4(1000, 0x1234);
  EXPECT_EQ(offer(fragment_of_ipv4(whole, 0, 504, true)).outcome, Outcome::Held);
  const auto done = offer(fragment_of_ipv4(whole, 504, 504, false));
  ASSERT_EQ(done.outcome, Outcome::Completed);
  EXPECT_EQ(done.packet->mbuf().nb_segs, 1);
  EXPECT_EQ(done.packet->largest_fragment, 524);
  expect_completed(done, whole);
}

TEST_F(ReassemblyTableTest, RestoresWhateverTheOrder) {
  const Bytes whole = udp_over_ipv4(800, 77);
  const std::array<Bytes, 3> parts{fragment_of_ipv4(whole, 0, 16, true),
                                   fragment_of_ipv4(whole, 16, 8, true),
                                   fragment_of_ipv4(whole, 24, 784, false)};
  const size_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (const auto& order : orders) {
    EXPECT_EQ(offer(parts[order[0]]).outcome, Outcome::Held);
    EXPECT_EQ(offer(parts[order[1]]).outcome, Outcome::Held);
    expect_completed(offer(parts[order[2]]), whole);
  }
  EXPECT_EQ(table_->counters().completed, 6U);
}

TEST_F(ReassemblyTableTest, RestoresAnIpv6DatagramAndRemovesTheFragmentHeader) {
  const Bytes whole = udp_over_ipv6(1500);
  EXPECT_EQ(offer(fragment_of_ipv6(whole, 1232, 276, false, 0xdeadbeef)).outcome, Outcome::Held);
  const auto done = offer(fragment_of_ipv6(whole, 0, 1232, true, 0xdeadbeef));
  ASSERT_EQ(done.outcome, Outcome::Completed);
  EXPECT_EQ(done.packet->fragment_identification, 0xdeadbeefU);
  EXPECT_EQ(done.packet->largest_fragment, 1280);
  const uint8_t* frame = done.packet->frame();
  EXPECT_EQ(frame[12], 0x86);
  EXPECT_EQ(frame[5], 1);
  expect_completed(done, whole);
}

TEST_F(ReassemblyTableTest, ChainsWhatDoesNotFitOneBuffer) {
  const Bytes whole = udp_over_ipv4(60000, 5);
  ReassemblyTable::Offer last;
  for (size_t offset = 0; offset < 60008; offset += 1480) {
    const size_t length = std::min<size_t>(1480, 60008 - offset);
    last = offer(fragment_of_ipv4(whole, offset, length, offset + length < 60008));
  }
  ASSERT_EQ(last.outcome, Outcome::Completed);
  const rte_mbuf& head = last.packet->mbuf();
  EXPECT_EQ(rte_pktmbuf_tailroom(&head), 0) << "the first buffer is filled to its end";
  EXPECT_GT(head.nb_segs, 25);
  expect_completed(last, whole);
}

TEST_F(ReassemblyTableTest, TakesFragmentsThatAreChainsThemselves) {
  const Bytes whole = udp_over_ipv6(2000);
  EXPECT_EQ(offer(fragment_of_ipv6(whole, 0, 1000, true, 9), 0, 97).outcome, Outcome::Held);
  expect_completed(offer(fragment_of_ipv6(whole, 1000, 1008, false, 9), 0, 130), whole);
}

TEST_F(ReassemblyTableTest, KeepsTheDontFragmentBit) {
  Bytes whole = udp_over_ipv4(100, 6);
  whole[6] = 0x40;
  test::set_ipv4_checksum(whole);
  EXPECT_EQ(offer(fragment_of_ipv4(whole, 0, 64, true)).outcome, Outcome::Held);
  expect_completed(offer(fragment_of_ipv4(whole, 64, 44, false)), whole);
}

TEST_F(ReassemblyTableTest, CarriesCongestionMarksOver) {
  Bytes whole = udp_over_ipv4(100, 6);
  whole[1] = 0x02;
  test::set_ipv4_checksum(whole);
  Bytes marked = fragment_of_ipv4(whole, 64, 44, false);
  marked[1] = 0x03;
  EXPECT_EQ(offer(fragment_of_ipv4(whole, 0, 64, true)).outcome, Outcome::Held);
  const auto done = offer(marked);
  whole[1] = 0x03;
  test::set_ipv4_checksum(whole);
  expect_completed(done, whole);
}

TEST_F(ReassemblyTableTest, TakesAtomicFragmentsInIsolation) {
  const Bytes whole = udp_over_ipv6(200);
  // An open datagram of the same identity is not touched (RFC 6946).
  EXPECT_EQ(offer(fragment_of_ipv6(whole, 0, 64, true, 4)).outcome, Outcome::Held);
  expect_completed(offer(fragment_of_ipv6(whole, 0, 208, false, 4)), whole);
  EXPECT_EQ(table_->open_datagrams(), 1U);
  expect_completed(offer(fragment_of_ipv6(whole, 64, 144, false, 4)), whole);
}

TEST_F(ReassemblyTableTest, OverlapDropsTheWholeDatagram) {
  const Bytes v4 = udp_over_ipv4(1000, 1);
  const Bytes v6 = udp_over_ipv6(1000);
  const std::array<std::array<Bytes, 3>, 2> families{
      {{fragment_of_ipv4(v4, 0, 64, true), fragment_of_ipv4(v4, 56, 64, true),
        fragment_of_ipv4(v4, 64, 944, false)},
       {fragment_of_ipv6(v6, 0, 64, true, 1), fragment_of_ipv6(v6, 56, 64, true, 1),
        fragment_of_ipv6(v6, 64, 944, false, 1)}}};
  for (const auto& parts : families) {
    EXPECT_EQ(offer(parts[0]).outcome, Outcome::Held);
    const auto overlap = offer(parts[1]);
    EXPECT_EQ(overlap.discarded_fragments, 1);
    expect_refused(overlap, DropReason::FragmentOverlap);
    expect_refused(offer(parts[2]), DropReason::FragmentOverlap);
    expect_refused(offer(parts[0]), DropReason::FragmentOverlap);
  }
  EXPECT_EQ(pool_.in_use(), 0U);
  EXPECT_EQ(table_->expire(30000, 8).datagrams, 2U);
  EXPECT_EQ(offer(families[0][0], 30001).outcome, Outcome::Held);
}

TEST_F(ReassemblyTableTest, IgnoresExactDuplicatesOnly) {
  const Bytes whole = udp_over_ipv4(1000, 1);
  Bytes part = fragment_of_ipv4(whole, 0, 504, true);
  EXPECT_EQ(offer(part).outcome, Outcome::Held);
  expect_refused(offer(part), DropReason::FragmentDuplicate);
  EXPECT_EQ(table_->counters().duplicates, 1U);
  expect_completed(offer(fragment_of_ipv4(whole, 504, 504, false)), whole);

  EXPECT_EQ(offer(part).outcome, Outcome::Held);
  part.back() ^= 1U;
  const auto forged = offer(part);
  EXPECT_EQ(forged.discarded_fragments, 1);
  expect_refused(forged, DropReason::FragmentOverlap);
}

TEST_F(ReassemblyTableTest, NamesEveryRefusal) {
  const Bytes whole = udp_over_ipv4(1000, 1);
  expect_refused(offer(fragment_of_ipv4(whole, 8, 63, true)), DropReason::Ipv4BadFragment);
  expect_refused(offer(fragment_of_ipv4(whole, 65528, 8, false)), DropReason::FragmentTooLarge);
  expect_refused(offer(whole), DropReason::InternalError);  // no fragment at all
  EXPECT_EQ(offer(fragment_of_ipv4(whole, 64, 64, false)).outcome, Outcome::Held);
  expect_refused(offer(fragment_of_ipv4(whole, 128, 64, false)), DropReason::FragmentInconsistent);
}

TEST_F(ReassemblyTableTest, RefusesDatagramsThatOnlyTheFirstHeaderMakesTooLarge) {
  const Bytes plain = udp_over_ipv4(65000, 3);
  const Bytes options = udp_over_ipv4(65000, 3, 1, Bytes(40, 1));
  ReassemblyTable::Offer last;
  for (size_t offset = 0; offset < 65504; offset += 1480) {
    const size_t length = std::min<size_t>(1480, 65504 - offset);
    const Bytes& model = offset == 0 ? options : plain;
    last = offer(fragment_of_ipv4(model, offset, length, true));
    ASSERT_EQ(last.outcome, Outcome::Held);
  }
  expect_refused(offer(fragment_of_ipv4(plain, 65504, 8, false)), DropReason::FragmentTooLarge);
}

TEST_F(ReassemblyTableTest, VerifiesTheTransportChecksumOfTheWhole) {
  const Bytes whole = udp_over_ipv4(3001, 1);
  Bytes broken = fragment_of_ipv4(whole, 1504, 1505, false);
  broken.back() ^= 0x40U;
  EXPECT_EQ(offer(fragment_of_ipv4(whole, 0, 1504, true)).outcome, Outcome::Held);
  expect_refused(offer(broken), DropReason::UdpBadChecksum);
  EXPECT_EQ(table_->open_datagrams(), 0U);
}

TEST_F(ReassemblyTableTest, KeepsInterfacesApart) {
  const Bytes whole = udp_over_ipv4(1000, 1);
  EXPECT_EQ(offer(fragment_of_ipv4(whole, 0, 504, true)).outcome, Outcome::Held);
  Packet& elsewhere = make_packet(pool_, fragment_of_ipv4(whole, 504, 504, false));
  elsewhere.ingress_interface = 4;
  EXPECT_EQ(table_->offer(elsewhere, 0).outcome, Outcome::Held);
  EXPECT_EQ(table_->open_datagrams(), 2U);
}

TEST_F(ReassemblyTableTest, ExpiryGivesFirstFragmentsBack) {
  const Bytes whole = udp_over_ipv4(1000, 1);
  const Bytes other = udp_over_ipv4(1000, 2);
  EXPECT_EQ(offer(fragment_of_ipv4(whole, 0, 64, true), 100).outcome, Outcome::Held);
  EXPECT_EQ(offer(fragment_of_ipv4(whole, 64, 64, true), 200).outcome, Outcome::Held);
  EXPECT_EQ(offer(fragment_of_ipv4(other, 64, 64, true), 100).outcome, Outcome::Held);
  EXPECT_EQ(table_->expire(30099, 10).datagrams, 0U);
  const auto expired = table_->expire(30100, 10);
  EXPECT_EQ(expired.datagrams, 2U);
  EXPECT_EQ(expired.first_count, 1U);
  EXPECT_EQ(expired.freed_fragments, 2U);
  ASSERT_NE(expired.first_fragments[0], nullptr);
  EXPECT_EQ(network_bytes(*expired.first_fragments[0]), fragment_of_ipv4(whole, 0, 64, true));
  free_packet(*expired.first_fragments[0]);
  EXPECT_EQ(table_->counters().timed_out, 2U);
}

TEST_F(ReassemblyTableTest, ExpiryDoesNoMoreThanAsked) {
  for (uint16_t id = 0; id < 5; ++id) {
    EXPECT_EQ(offer(fragment_of_ipv4(udp_over_ipv4(100, id), 64, 8, true)).outcome, Outcome::Held);
  }
  EXPECT_EQ(table_->expire(40000, 2).datagrams, 2U);
  EXPECT_EQ(table_->open_datagrams(), 3U);
}

TEST_F(ReassemblyTableTest, FreesWhatItHoldsAtItsEnd) {
  EXPECT_EQ(offer(fragment_of_ipv4(udp_over_ipv4(100, 1), 64, 8, true)).outcome, Outcome::Held);
  EXPECT_EQ(pool_.in_use(), 1U);
}

}  // namespace
}  // namespace masugata::dataplane
