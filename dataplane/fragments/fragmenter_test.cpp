// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/fragments/fragmenter.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "dataplane/fragments/fragment_facts.h"
#include "dataplane/fragments/fragment_test_packets.h"
#include "dataplane/fragments/reassembly_table.h"

namespace masugata::dataplane {
namespace {

using test::BufferPool;
using test::Bytes;
using test::free_packet;
using test::make_packet;
using test::network_bytes;
using test::udp_over_ipv4;
using test::udp_over_ipv6;

Packet& whole_packet(const BufferPool& pool, const Bytes& network, uint16_t segment_bytes = 0) {
  Packet& packet = make_packet(pool, network, segment_bytes);
  packet.clear(kPacketIsFragment);
  return packet;
}

Packet& reassembled_packet(const BufferPool& pool, const Bytes& network, uint16_t largest) {
  Packet& packet = whole_packet(pool, network);
  packet.set(kPacketWasReassembled);
  packet.largest_fragment = largest;
  packet.fragment_identification = 0x01020304;
  return packet;
}

// Puts the fragments together again by the other half of this component.
Bytes reassemble(FragmentList& list, uint16_t limit) {
  ReassemblyTable table(ReassemblyLimits{}, net::HashSecret{});
  Bytes result;
  for (uint32_t index = 0; index < list.count; ++index) {
    Packet& piece = Packet::of(list.fragments[index]);
    EXPECT_LE(piece.network_length, limit);
    const auto offer = table.offer(piece, 0);
    if (index + 1 < list.count) {
      EXPECT_EQ(offer.outcome, ReassemblyTable::Offer::Outcome::Held);
    } else {
      EXPECT_EQ(offer.outcome, ReassemblyTable::Offer::Outcome::Completed)
          << drop_reason_name(offer.reason);
    }
    if (offer.packet != nullptr) {
      result = network_bytes(*offer.packet);
      free_packet(*offer.packet);
    }
  }
  return result;
}

TEST(FragmentationPlan, FollowsDontFragmentAndTheSender) {
  const BufferPool pool;
  Packet& packet = whole_packet(pool, udp_over_ipv4(1400, 1));
  EXPECT_EQ(plan_fragmentation(packet, 1500).need, FragmentationNeed::None);
  EXPECT_EQ(plan_fragmentation(packet, 1428).need, FragmentationNeed::None);
  EXPECT_EQ(plan_fragmentation(packet, 1427).need, FragmentationNeed::Fragment);
  EXPECT_EQ(plan_fragmentation(packet, 1427).limit, 1427);
  packet.network()[6] = 0x40;
  EXPECT_EQ(plan_fragmentation(packet, 1427).need, FragmentationNeed::TooBig);

  // It came in fragments of at most 1,000 bytes with DF: so it may leave.
  packet.set(kPacketWasReassembled);
  packet.largest_fragment = 1000;
  EXPECT_EQ(plan_fragmentation(packet, 1500).need, FragmentationNeed::Fragment);
  EXPECT_EQ(plan_fragmentation(packet, 1500).limit, 1000);
  EXPECT_EQ(plan_fragmentation(packet, 999).need, FragmentationNeed::TooBig);
  EXPECT_EQ(plan_fragmentation(packet, 999).limit, 999);
  packet.network()[6] = 0;
  EXPECT_EQ(plan_fragmentation(packet, 999).need, FragmentationNeed::Fragment);
  free_packet(packet);
}

TEST(FragmentationPlan, NeverSplitsIpv6ThatCameWhole) {
  const BufferPool pool;
  Packet& packet = whole_packet(pool, udp_over_ipv6(1400));
  EXPECT_EQ(plan_fragmentation(packet, 1500).need, FragmentationNeed::None);
  EXPECT_EQ(plan_fragmentation(packet, 1280).need, FragmentationNeed::TooBig);
  packet.set(kPacketWasReassembled);
  packet.largest_fragment = 1300;
  EXPECT_EQ(plan_fragmentation(packet, 1500).need, FragmentationNeed::Fragment);
  EXPECT_EQ(plan_fragmentation(packet, 1280).need, FragmentationNeed::TooBig);
  free_packet(packet);
}

TEST(Fragmenter, SplitsIpv4AndTheReceiverGetsTheSameBytes) {
  const BufferPool pool;
  const Bytes network = udp_over_ipv4(1401, 0x4711);
  for (const uint16_t segment : std::array<uint16_t, 2>{0, 200}) {
    for (const uint16_t limit : std::array<uint16_t, 3>{100, 576, 1427}) {
      Packet& packet = whole_packet(pool, network, segment);
      FragmentList list;
      ASSERT_EQ(fragment_packet(packet, limit, pool.get(), list), DropReason::None);
      EXPECT_EQ(network_bytes(packet), network) << "the original is left alone";
      EXPECT_GE(list.count, 2U);
      EXPECT_EQ(reassemble(list, limit), network);
      free_packet(packet);
    }
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(Fragmenter, CopiesLinkHeaderAndMetadata) {
  const BufferPool pool;
  Packet& packet = whole_packet(pool, udp_over_ipv4(1000, 1));
  packet.egress_interface = 9;
  packet.next_hop = 77;
  FragmentList list;
  ASSERT_EQ(fragment_packet(packet, 600, pool.get(), list), DropReason::None);
  ASSERT_EQ(list.count, 2U);
  for (uint32_t index = 0; index < list.count; ++index) {
    Packet& piece = Packet::of(list.fragments[index]);
    EXPECT_EQ(std::memcmp(piece.frame(), packet.frame(), test::kLinkBytes), 0);
    EXPECT_EQ(piece.egress_interface, 9);
    EXPECT_EQ(piece.next_hop, 77U);
    EXPECT_TRUE(piece.has(kPacketIsFragment));
    free_packet(piece);
  }
  free_packet(packet);
}

TEST(Fragmenter, CopiesOptionsAsTheirCopyBitSays) {
  const BufferPool pool;
  // Router alert (copied) and record route (not copied), padded with a no-operation.
  const Bytes options{7, 7, 4, 0, 0, 0, 0, 1, 0x94, 4, 0, 0};
  Packet& packet = whole_packet(pool, udp_over_ipv4(1000, 1, 1, options));
  FragmentList list;
  ASSERT_EQ(fragment_packet(packet, 600, pool.get(), list), DropReason::None);
  ASSERT_EQ(list.count, 2U);
  const Bytes first = network_bytes(Packet::of(list.fragments[0]));
  const Bytes later = network_bytes(Packet::of(list.fragments[1]));
  EXPECT_EQ(Bytes(first.begin() + 20, first.begin() + 32), options);
  EXPECT_EQ(later[0], 0x46);
  EXPECT_EQ(Bytes(later.begin() + 20, later.begin() + 24), (Bytes{0x94, 4, 0, 0}));
  Bytes checked = later;
  test::set_ipv4_checksum(checked);
  EXPECT_EQ(checked, later);
  EXPECT_EQ(reassemble(list, 600).size(), packet.network_length);
  free_packet(packet);
}

TEST(Fragmenter, SplitsReassembledIpv6WithItsIdentification) {
  const BufferPool pool;
  const Bytes network = udp_over_ipv6(1500);
  Packet& packet = reassembled_packet(pool, network, 1280);
  FragmentList list;
  ASSERT_EQ(fragment_packet(packet, 1280, pool.get(), list), DropReason::None);
  ASSERT_EQ(list.count, 2U);
  const Bytes first = network_bytes(Packet::of(list.fragments[0]));
  EXPECT_EQ(first.size(), 1280U);
  EXPECT_EQ(first[6], 44);
  EXPECT_EQ(Bytes(first.begin() + 40, first.begin() + 48), (Bytes{17, 0, 0, 1, 1, 2, 3, 4}));
  EXPECT_EQ(reassemble(list, 1280), network);
  free_packet(packet);
}

TEST(Fragmenter, RepeatsHopByHopOptionsOfIpv6) {
  const BufferPool pool;
  Bytes network = udp_over_ipv6(1500);
  const Bytes hop_by_hop{17, 0, 1, 4, 0, 0, 0, 0};
  network[6] = 0;
  network.insert(network.begin() + 40, hop_by_hop.begin(), hop_by_hop.end());
  const size_t payload = network.size() - 40;
  network[4] = static_cast<uint8_t>(payload >> 8U);
  network[5] = static_cast<uint8_t>(payload);
  Packet& packet = reassembled_packet(pool, network, 1280);
  FragmentList list;
  ASSERT_EQ(fragment_packet(packet, 1280, pool.get(), list), DropReason::None);
  for (uint32_t index = 0; index < list.count; ++index) {
    const Bytes piece = network_bytes(Packet::of(list.fragments[index]));
    EXPECT_EQ(piece[6], 0);
    EXPECT_EQ(piece[40], 44);
    EXPECT_EQ(piece[48], 17);
  }
  EXPECT_EQ(reassemble(list, 1280), network);
  free_packet(packet);
}

TEST(Fragmenter, RefusesIpv6ThatCameWhole) {
  const BufferPool pool;
  Packet& packet = whole_packet(pool, udp_over_ipv6(1500));
  FragmentList list;
  EXPECT_EQ(fragment_packet(packet, 1280, pool.get(), list), DropReason::InternalError);
  EXPECT_EQ(list.count, 0U);
  free_packet(packet);
}

TEST(Fragmenter, SplitsFragmentsFurther) {
  const BufferPool pool;
  const Bytes whole = udp_over_ipv4(2000, 3);
  Packet& middle = make_packet(pool, test::fragment_of_ipv4(whole, 504, 1000, true));
  FragmentList list;
  ASSERT_EQ(fragment_packet(middle, 600, pool.get(), list), DropReason::None);
  ASSERT_EQ(list.count, 2U);
  const Bytes last = network_bytes(Packet::of(list.fragments[1]));
  const FragmentFacts facts = parse_fragment(last.data(), last.size());
  EXPECT_EQ(facts.offset, 504 + 576);
  EXPECT_TRUE(facts.more);
  for (uint32_t index = 0; index < 2; ++index) free_packet(Packet::of(list.fragments[index]));
  free_packet(middle);
}

TEST(Fragmenter, RunsOutOfBuffersWithoutALeak) {
  const BufferPool pool(3);
  Packet& packet = whole_packet(pool, udp_over_ipv4(1900, 1));
  FragmentList list;
  EXPECT_EQ(fragment_packet(packet, 576, pool.get(), list), DropReason::NoBuffer);
  EXPECT_EQ(list.count, 0U);
  EXPECT_EQ(pool.in_use(), 1U);
  free_packet(packet);
}

TEST(Fragmenter, BoundsTheNumberOfFragments) {
  const BufferPool pool;
  Packet& packet = whole_packet(pool, udp_over_ipv4(1900, 1));
  FragmentList list;
  EXPECT_EQ(fragment_packet(packet, 30, pool.get(), list), DropReason::FragmentTooMany);
  EXPECT_EQ(fragment_packet(packet, 27, pool.get(), list), DropReason::InternalError);
  free_packet(packet);
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(Fragmenter, NeverWritesBeyondABuffersRoom) {
  const BufferPool large(63, 9000);
  const BufferPool small(63, 1024);
  const Bytes network = udp_over_ipv4(8000, 1);
  Packet& packet = whole_packet(large, network);
  FragmentList list;
  ASSERT_EQ(fragment_packet(packet, 4000, small.get(), list), DropReason::None);
  EXPECT_EQ(reassemble(list, 1024 - test::kLinkBytes), network);
  free_packet(packet);
}

}  // namespace
}  // namespace masugata::dataplane
