// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/headers/ipv6.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace masugata::net {
namespace {

using Bytes = std::vector<uint8_t>;
using Malformed = Ipv6View::Malformed;
using Outcome = Ipv6Chain::Outcome;

constexpr uint8_t kHop = 0, kUdp = 17, kRouting = 43, kFragment = 44, kDestination = 60;

Bytes packet(uint8_t next_header, const Bytes& payload) {
  Bytes bytes(40);
  bytes[0] = 0x6b;  // traffic class 0xb8
  bytes[1] = 0x80;
  store(&bytes[4], Be16::from_host(static_cast<uint16_t>(payload.size())));
  bytes[6] = next_header;
  bytes[7] = 64;
  bytes[23] = 1;
  bytes[39] = 2;
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

// An extension header of eight bytes, filled with PadN.
Bytes header(uint8_t next) { return {next, 0, 1, 4, 0, 0, 0, 0}; }
Bytes routing(uint8_t next, uint8_t segments_left) {
  return {next, 0, 4, segments_left, 0, 0, 0, 0};
}
Bytes fragment(uint8_t next, uint8_t high, uint8_t low) { return {next, 0, high, low, 0, 0, 0, 7}; }

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

const Bytes kUdpHeader{0, 5, 0, 53, 0, 8, 0, 0};

// Walks with `readable` bytes in a block of exactly that size.
Ipv6Chain walk(const Bytes& bytes, size_t readable) {
  const auto block = std::make_unique<uint8_t[]>(readable);
  std::copy_n(bytes.begin(), readable, block.get());
  Ipv6View view;
  EXPECT_EQ(Ipv6View::parse(block.get(), bytes.size(), view), Malformed::No);
  return Ipv6Chain::walk(view, readable);
}
Ipv6Chain walk(uint8_t first, std::initializer_list<Bytes> parts) {
  const Bytes bytes = packet(first, joined(parts));
  return walk(bytes, bytes.size());
}

TEST(Ipv6View, ReadsEveryField) {
  const Bytes bytes = packet(kUdp, kUdpHeader);
  Ipv6View view;
  ASSERT_EQ(Ipv6View::parse(bytes.data(), bytes.size(), view), Malformed::No);
  EXPECT_EQ(view.payload_length(), 8);
  EXPECT_EQ(view.total_length(), 48U);
  EXPECT_EQ(view.traffic_class(), 0xb8);
  EXPECT_EQ(view.next_header(), Protocol::Udp);
  EXPECT_EQ(view.hop_limit(), 64);
  EXPECT_EQ(view.source_bytes()[15], 1);
  EXPECT_EQ(view.destination_bytes()[15], 2);
}

TEST(Ipv6View, RefusesImpossibleLengths) {
  Bytes bytes = packet(kUdp, kUdpHeader);
  Ipv6View view;
  EXPECT_EQ(Ipv6View::parse(bytes.data(), 39, view), Malformed::Short);
  EXPECT_EQ(Ipv6View::parse(bytes.data(), 47, view), Malformed::BadPayloadLength);
  bytes[0] = 0x45;
  EXPECT_EQ(Ipv6View::parse(bytes.data(), 48, view), Malformed::BadVersion);
  bytes[0] = 0x60;
  bytes[5] = 0;
  EXPECT_EQ(Ipv6View::parse(bytes.data(), 48, view), Malformed::BadPayloadLength);
  bytes[6] = 59;
  EXPECT_EQ(Ipv6View::parse(bytes.data(), 48, view), Malformed::No) << "no next header";
}

TEST(Ipv6Chain, EndsAtTheUpperLayer) {
  const Ipv6Chain plain = walk(kUdp, {kUdpHeader});
  EXPECT_EQ(plain.outcome, Outcome::UpperLayer);
  EXPECT_EQ(plain.protocol, Protocol::Udp);
  EXPECT_EQ(plain.offset, 40);
  EXPECT_FALSE(plain.has_extensions);
  EXPECT_EQ(plain.next_header_offset, 6);

  const Ipv6Chain chain = walk(kHop, {header(kDestination), header(kRouting),
                                      routing(kDestination, 0), header(kUdp), kUdpHeader});
  EXPECT_EQ(chain.outcome, Outcome::UpperLayer);
  EXPECT_EQ(chain.protocol, Protocol::Udp);
  EXPECT_EQ(chain.offset, 72);
  EXPECT_EQ(chain.next_header_offset, 64);
  EXPECT_TRUE(chain.has_extensions);
}

TEST(Ipv6Chain, StopsAtFragmentsButNotAtAtomicOnes) {
  const Ipv6Chain first = walk(kFragment, {fragment(kUdp, 0, 1), kUdpHeader});
  EXPECT_EQ(first.outcome, Outcome::Fragment);
  EXPECT_EQ(first.protocol, Protocol::Ipv6Fragment);
  EXPECT_EQ(first.offset, 40);
  EXPECT_EQ(walk(kFragment, {fragment(kUdp, 0, 8), kUdpHeader}).outcome, Outcome::Fragment);
  const Ipv6Chain atomic = walk(kFragment, {fragment(kUdp, 0, 0), kUdpHeader});
  EXPECT_EQ(atomic.outcome, Outcome::UpperLayer);
  EXPECT_EQ(atomic.offset, 48);
}

TEST(Ipv6Chain, RefusesWrongOrder) {
  EXPECT_EQ(walk(kDestination, {header(kHop), header(kUdp), kUdpHeader}).outcome,
            Outcome::BadOrder);
  EXPECT_EQ(walk(kHop, {header(kHop), header(kUdp), kUdpHeader}).outcome, Outcome::BadOrder);
  EXPECT_EQ(walk(kRouting, {routing(kRouting, 0), routing(kUdp, 0), kUdpHeader}).outcome,
            Outcome::BadOrder);
}

TEST(Ipv6Chain, LetsDestinationOptionsRepeatWithinTheBound) {
  const auto repeated = [](unsigned headers) {
    Bytes payload;
    for (unsigned number = 1; number <= headers; ++number) {
      const Bytes one = header(number == headers ? kUdp : kDestination);
      payload.insert(payload.end(), one.begin(), one.end());
    }
    payload.insert(payload.end(), kUdpHeader.begin(), kUdpHeader.end());
    const Bytes bytes = packet(kDestination, payload);
    return walk(bytes, bytes.size()).outcome;
  };
  EXPECT_EQ(repeated(Ipv6Chain::kMaximumHeaders), Outcome::UpperLayer);
  EXPECT_EQ(repeated(Ipv6Chain::kMaximumHeaders + 1), Outcome::TooMany);
}

TEST(Ipv6Chain, RefusesRoutingWithSegmentsLeft) {
  EXPECT_EQ(walk(kRouting, {routing(kUdp, 1), kUdpHeader}).outcome, Outcome::RoutingHeader);
}

TEST(Ipv6Chain, RefusesOptionsThatMustBeDiscarded) {
  const auto with = [](uint8_t type) {
    return walk(kHop, {Bytes{kUdp, 0, type, 4, 0, 0, 0, 0}, kUdpHeader}).outcome;
  };
  EXPECT_EQ(with(0x05), Outcome::UpperLayer);
  EXPECT_EQ(with(0x3e), Outcome::UpperLayer) << "unknown, to be skipped";
  EXPECT_EQ(with(0x40), Outcome::UnknownOption);
  EXPECT_EQ(with(0x80), Outcome::UnknownOption);
  EXPECT_EQ(with(0xc2), Outcome::UnknownOption);
}

TEST(Ipv6Chain, RefusesMalformedHeaders) {
  EXPECT_EQ(walk(kHop, {Bytes{kUdp, 1, 1, 4, 0, 0, 0, 0}}).outcome, Outcome::Malformed)
      << "length beyond the packet";
  EXPECT_EQ(walk(kHop, {Bytes{kUdp, 0, 1, 5, 0, 0, 0, 0}, kUdpHeader}).outcome, Outcome::Malformed)
      << "option beyond its header";
  EXPECT_EQ(walk(kHop, {Bytes{kUdp, 0, 1, 3, 0, 0, 0, 5}, kUdpHeader}).outcome, Outcome::Malformed)
      << "option without a length";
  EXPECT_EQ(walk(kHop, {Bytes{kUdp, 0, 1}}).outcome, Outcome::Malformed) << "cut short";
}

TEST(Ipv6Chain, ReadsOnlyWhatIsReadable) {
  const Bytes bytes = packet(kHop, joined({header(kDestination), header(kUdp), kUdpHeader}));
  EXPECT_EQ(walk(bytes, 64).outcome, Outcome::UpperLayer);
  EXPECT_EQ(walk(bytes, 56).outcome, Outcome::UpperLayer);
  for (const size_t readable : {40U, 47U, 48U, 55U}) {
    EXPECT_EQ(walk(bytes, readable).outcome, Outcome::Malformed) << readable;
  }
}

}  // namespace
}  // namespace masugata::net
