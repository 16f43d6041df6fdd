// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/fragments/fragment_facts.h"

#include <gtest/gtest.h>

#include <vector>

#include "dataplane/fragments/fragment_test_packets.h"

namespace masugata::dataplane {
namespace {

using test::Bytes;
using test::fragment_of_ipv4;
using test::fragment_of_ipv6;
using test::udp_over_ipv4;
using test::udp_over_ipv6;

FragmentFacts facts_of(const Bytes& packet) { return parse_fragment(packet.data(), packet.size()); }

// A packet whose transport header is TCP with a header of `words` words.
Bytes tcp_over_ipv4(size_t bytes, uint8_t words) {
  Bytes packet = udp_over_ipv4(bytes - 8, 9);
  packet[9] = 6;
  packet[20 + 12] = static_cast<uint8_t>(words << 4U);
  return packet;
}

TEST(FragmentFacts, ReadsIpv4Fields) {
  const Bytes whole = udp_over_ipv4(1000, 0xabcd);
  const FragmentFacts facts = facts_of(fragment_of_ipv4(whole, 512, 256, true));
  EXPECT_EQ(facts.problem, DropReason::None);
  EXPECT_TRUE(facts.is_fragment);
  EXPECT_TRUE(facts.more);
  EXPECT_FALSE(facts.first());
  EXPECT_EQ(facts.offset, 512);
  EXPECT_EQ(facts.data_offset, 20);
  EXPECT_EQ(facts.data_length, 256);
  EXPECT_EQ(facts.identification, 0xabcdU);
  EXPECT_EQ(facts.protocol, net::Protocol::Udp);
  EXPECT_EQ(facts.datagram.source.to_string(), "192.0.2.1");
}

TEST(FragmentFacts, ReadsIpv6FieldsBehindExtensionHeaders) {
  Bytes packet = fragment_of_ipv6(udp_over_ipv6(1000), 8, 16, false, 0x12345678);
  const Bytes destination_options{44, 0, 1, 4, 0, 0, 0, 0};
  packet[6] = 60;
  packet.insert(packet.begin() + 40, destination_options.begin(), destination_options.end());
  const FragmentFacts facts = facts_of(packet);
  EXPECT_EQ(facts.problem, DropReason::None);
  EXPECT_TRUE(facts.is_fragment);
  EXPECT_EQ(facts.fragment_header_offset, 48);
  EXPECT_EQ(facts.next_header_offset, 40);
  EXPECT_EQ(facts.data_offset, 56);
  EXPECT_EQ(facts.data_length, 16);
  EXPECT_EQ(facts.identification, 0x12345678U);
}

TEST(FragmentFacts, WholePacketsAreNoFragments) {
  EXPECT_FALSE(facts_of(udp_over_ipv4(10, 1)).is_fragment);
  EXPECT_FALSE(facts_of(udp_over_ipv6(10)).is_fragment);
}

TEST(FragmentFacts, KnowsAtomicFragments) {
  const Bytes whole = udp_over_ipv6(100);
  EXPECT_TRUE(facts_of(fragment_of_ipv6(whole, 0, 108, false, 1)).atomic());
  EXPECT_FALSE(facts_of(fragment_of_ipv6(whole, 0, 64, true, 1)).atomic());
}

TEST(FragmentFacts, RefusesEmptyAndUnevenFragments) {
  const Bytes v4 = udp_over_ipv4(1000, 1);
  EXPECT_EQ(facts_of(fragment_of_ipv4(v4, 64, 0, true)).problem, DropReason::Ipv4BadFragment);
  EXPECT_EQ(facts_of(fragment_of_ipv4(v4, 64, 0, false)).problem, DropReason::Ipv4BadFragment);
  EXPECT_EQ(facts_of(fragment_of_ipv4(v4, 64, 63, true)).problem, DropReason::Ipv4BadFragment);
  EXPECT_EQ(facts_of(fragment_of_ipv4(v4, 64, 63, false)).problem, DropReason::None);
  const Bytes v6 = udp_over_ipv6(1000);
  EXPECT_EQ(facts_of(fragment_of_ipv6(v6, 64, 0, false, 1)).problem, DropReason::Ipv6BadFragment);
  EXPECT_EQ(facts_of(fragment_of_ipv6(v6, 64, 63, true, 1)).problem, DropReason::Ipv6BadFragment);
}

TEST(FragmentFacts, RefusesDatagramsBeyondSixtyFourKibibytes) {
  const Bytes v4 = udp_over_ipv4(100, 1);
  EXPECT_EQ(facts_of(fragment_of_ipv4(v4, 65504, 11, false)).problem, DropReason::None);
  EXPECT_EQ(facts_of(fragment_of_ipv4(v4, 65504, 12, false)).problem, DropReason::FragmentTooLarge);
  const Bytes v6 = udp_over_ipv6(100);
  EXPECT_EQ(facts_of(fragment_of_ipv6(v6, 65488, 7, false, 1)).problem, DropReason::None);
  EXPECT_EQ(facts_of(fragment_of_ipv6(v6, 65488, 8, false, 1)).problem,
            DropReason::FragmentTooLarge);
}

TEST(FragmentFacts, FirstFragmentNeedsTheWholeTransportHeader) {
  EXPECT_EQ(facts_of(fragment_of_ipv4(tcp_over_ipv4(400, 5), 0, 16, true)).problem,
            DropReason::FragmentTooSmall);
  EXPECT_EQ(facts_of(fragment_of_ipv4(tcp_over_ipv4(400, 5), 0, 24, true)).problem,
            DropReason::None);
  EXPECT_EQ(facts_of(fragment_of_ipv4(tcp_over_ipv4(400, 8), 0, 24, true)).problem,
            DropReason::FragmentTooSmall);
  EXPECT_EQ(facts_of(fragment_of_ipv4(tcp_over_ipv4(400, 8), 0, 32, true)).problem,
            DropReason::None);
  EXPECT_EQ(facts_of(fragment_of_ipv4(udp_over_ipv4(400, 1), 0, 8, true)).problem,
            DropReason::None);
}

TEST(FragmentFacts, FirstIpv6FragmentNeedsTheWholeChain) {
  Bytes packet = fragment_of_ipv6(udp_over_ipv6(1000), 0, 16, true, 1);
  packet[40] = 60;  // the data begins with destination options ...
  packet[48] = 17;
  packet[49] = 1;  // ... that fill it, so that the UDP header comes later
  EXPECT_EQ(facts_of(packet).problem, DropReason::FragmentTooSmall);
  packet[49] = 0;  // eight bytes of options, then eight of UDP
  EXPECT_EQ(facts_of(packet).problem, DropReason::None);
}

TEST(FragmentFacts, LaterFragmentsMustNotBeginInsideTheTransportHeader) {
  const Bytes tcp = tcp_over_ipv4(400, 5);
  EXPECT_EQ(facts_of(fragment_of_ipv4(tcp, 8, 16, true)).problem, DropReason::FragmentTooSmall);
  EXPECT_EQ(facts_of(fragment_of_ipv4(tcp, 16, 16, true)).problem, DropReason::FragmentTooSmall);
  EXPECT_EQ(facts_of(fragment_of_ipv4(tcp, 24, 16, true)).problem, DropReason::None);
  EXPECT_EQ(facts_of(fragment_of_ipv4(udp_over_ipv4(400, 1), 8, 16, true)).problem,
            DropReason::None);
}

TEST(FragmentFacts, NeverReadsBehindTheBytesGiven) {
  const std::vector<Bytes> packets{
      fragment_of_ipv4(udp_over_ipv4(30, 1, 1, {0x94, 4, 0, 0}), 0, 32, true),
      fragment_of_ipv4(tcp_over_ipv4(64, 5), 0, 64, true),
      fragment_of_ipv6(udp_over_ipv6(30), 0, 32, true, 1)};
  for (const Bytes& packet : packets) {
    for (size_t length = 0; length <= packet.size(); ++length) {
      const Bytes exact(packet.begin(), packet.begin() + static_cast<ptrdiff_t>(length));
      const FragmentFacts facts = parse_fragment(exact.data(), exact.size());
      EXPECT_LE(size_t{facts.data_offset} + facts.data_length, exact.size());
    }
  }
  EXPECT_EQ(parse_fragment(nullptr, 0).problem, DropReason::Ipv4Short);
}

TEST(FragmentFacts, NamesWhatIsNoIpPacket) {
  Bytes packet = udp_over_ipv4(10, 1);
  packet[0] = 0x54;
  EXPECT_EQ(facts_of(packet).problem, DropReason::Ipv4BadVersion);
  packet[0] = 0x44;
  EXPECT_EQ(facts_of(packet).problem, DropReason::Ipv4BadHeaderLength);
}

}  // namespace
}  // namespace masugata::dataplane
