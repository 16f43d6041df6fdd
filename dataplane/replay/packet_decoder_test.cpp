// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/replay/packet_decoder.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dataplane/replay/link_type.h"

namespace masugata::dataplane {
namespace {

using Bytes = std::vector<uint8_t>;

// What the tests look at, kept beyond the call.
struct Seen {
  std::string payload;
  bool is_ip = false;
  bool has_flow = false;
  bool from_tunnel = false;
  uint16_t vlan[2] = {};
  ids::EventSet events;
};

class PacketDecoderTest : public testing::Test, private PacketReceiver {
 protected:
  void decode(const Bytes& bytes, LinkType link) {
    CapturedFrame frame;
    frame.bytes = bytes;
    frame.link_type = static_cast<uint16_t>(link);
    decoder_.decode(frame);
  }
  static bool has(const Seen& seen, std::string_view event) {
    return seen.events.test(*ids::find_event(ids::decode_events(), event));
  }
  // UDP from port 1 to `port` with `payload`, in IPv4.
  static Bytes datagram(const Bytes& payload, uint16_t port = 2) {
    const auto udp = static_cast<uint8_t>(8 + payload.size());
    Bytes bytes{
        0x45, 0, 0, static_cast<uint8_t>(20 + udp), 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10,
        0,    0, 2};
    const Bytes header{0, 1, static_cast<uint8_t>(port >> 8U), static_cast<uint8_t>(port), 0, udp,
                       0, 0};
    bytes.insert(bytes.end(), header.begin(), header.end());
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return bytes;
  }
  static Bytes joined(Bytes first, const Bytes& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
  }
  std::vector<Seen> seen_;

 private:
  void receive(DecodedPacket& packet) override {
    const ids::PacketFacts& facts = packet.facts;
    seen_.push_back({{facts.payload.begin(), facts.payload.end()},
                     facts.is_ip,
                     packet.has_flow,
                     facts.from_tunnel,
                     {facts.vlan[0], facts.vlan[1]},
                     facts.decode_events});
  }
  PacketDecoder decoder_{{.verify_checksums = false}, *this};
};

TEST_F(PacketDecoderTest, FindsIpBehindEveryLinkHeader) {
  const Bytes packet = datagram({'x'});
  const Bytes zeros12(12);
  const Bytes zeros14(14);
  decode(joined(joined(zeros12, {8, 0}), packet), LinkType::Ethernet);
  decode(packet, LinkType::Raw);
  decode(joined({2, 0, 0, 0}, packet), LinkType::Null);
  decode(joined({0, 0, 0, 2}, packet), LinkType::Loop);
  decode(joined(joined(zeros14, {8, 0}), packet), LinkType::LinuxSll);
  decode(joined(joined({8, 0}, Bytes(18)), packet), LinkType::LinuxSll2);
  decode(joined({0xff, 3, 0, 0x21}, packet), LinkType::Ppp);
  decode(joined({0x0f, 0, 8, 0}, packet), LinkType::CiscoHdlc);
  ASSERT_EQ(seen_.size(), 8U);
  for (const Seen& seen : seen_) {
    EXPECT_TRUE(seen.has_flow);
    EXPECT_EQ(seen.payload, "x");
  }
}

TEST_F(PacketDecoderTest, NotesVlans) {
  decode(joined(joined(Bytes(12), {0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0}), datagram({'x'})),
         LinkType::Ethernet);
  ASSERT_EQ(seen_.size(), 1U);
  EXPECT_EQ(seen_[0].vlan[0], 5);
  EXPECT_EQ(seen_[0].vlan[1], 6);
}

TEST_F(PacketDecoderTest, HandsOnTheInnerPacketFirst) {
  Bytes outer = datagram({'y'});
  outer.resize(20);
  outer[9] = 4;
  const Bytes inner = datagram({'x'});
  outer[3] = static_cast<uint8_t>(20 + inner.size());
  decode(joined(outer, inner), LinkType::Raw);
  ASSERT_EQ(seen_.size(), 2U);
  EXPECT_TRUE(seen_[0].from_tunnel);
  EXPECT_EQ(seen_[0].payload, "x");
  EXPECT_FALSE(seen_[1].from_tunnel);
}

TEST_F(PacketDecoderTest, TakesForTeredoOnlyWhatCanBeRead) {
  Bytes inner(40);
  inner[0] = 0x60;
  inner[5] = 1;
  inner[6] = 59;  // no next header
  inner.push_back('x');
  decode(datagram(inner), LinkType::Raw);
  ASSERT_EQ(seen_.size(), 2U);
  EXPECT_TRUE(seen_[0].from_tunnel);
  seen_.clear();
  inner[6] = 0;  // hop-by-hop options, for which one byte is too little
  decode(datagram(inner), LinkType::Raw);
  ASSERT_EQ(seen_.size(), 1U);
  EXPECT_FALSE(seen_[0].from_tunnel);
  EXPECT_FALSE(has(seen_[0], "ipv6.trunc_exthdr"));
}

TEST_F(PacketDecoderTest, StopsInEndlessTunnels) {
  Bytes packet = datagram({'x'});
  for (unsigned layer = 0; layer < 2 * PacketDecoder::kMaximumLayers; ++layer) {
    Bytes outer = datagram({});
    outer.resize(20);
    outer[9] = 4;
    const size_t total = 20 + packet.size();
    outer[2] = static_cast<uint8_t>(total >> 8U);
    outer[3] = static_cast<uint8_t>(total);
    packet = joined(outer, packet);
  }
  decode(packet, LinkType::Raw);
  ASSERT_FALSE(seen_.empty());
  EXPECT_TRUE(has(seen_.front(), "too_many_layers"));
  EXPECT_LE(seen_.size(), PacketDecoder::kMaximumLayers + 1);
}

TEST_F(PacketDecoderTest, NamesWhatCannotBeRead) {
  Bytes truncated = datagram({'x', 'y'});
  truncated.pop_back();
  decode(truncated, LinkType::Raw);
  decode({1, 2, 3}, LinkType::Ethernet);
  Bytes short_udp = datagram({});
  short_udp[25] = 4;
  decode(short_udp, LinkType::Raw);
  ASSERT_EQ(seen_.size(), 3U);
  EXPECT_FALSE(seen_[0].is_ip);
  EXPECT_TRUE(has(seen_[0], "ipv4.trunc_pkt"));
  EXPECT_TRUE(has(seen_[1], "ethernet.pkt_too_small"));
  EXPECT_TRUE(has(seen_[2], "udp.len_invalid"));
  EXPECT_FALSE(seen_[2].has_flow);
}

TEST_F(PacketDecoderTest, ReadsEveryPrefixWithoutReadingBeyondIt) {
  const Bytes whole = joined(joined(Bytes(12), {0x81, 0, 0, 5, 8, 0}),
                             datagram(joined({8, 0, 0, 0, 0, 0, 1, 0}, Bytes(34)), 4789));
  for (size_t length = 0; length <= whole.size(); ++length) {
    // A copy of exactly that size, so that a checker of memory sees a read beyond it.
    decode(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length)),
           LinkType::Ethernet);
  }
  EXPECT_GE(seen_.size(), whole.size());
}

}  // namespace
}  // namespace masugata::dataplane
