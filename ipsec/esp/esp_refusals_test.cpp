// SPDX-License-Identifier: GPL-2.0-or-later
// Each reason to refuse a packet, and what it must not change.
#include <gtest/gtest.h>

#include <set>

#include "ipsec/esp/packet_size.h"
#include "ipsec/esp/reference_esp.h"

namespace masugata::ipsec::reference {
namespace {

constexpr EspTransform kGcm{Encryption::AesGcm128, Integrity::Combined};
constexpr EspTransform kCbc{Encryption::AesCbc128, Integrity::HmacSha256128};
const Bytes kPacket = ipv4_packet(17, Bytes(40, 0x11));

class EspRefusals : public ::testing::Test {
 protected:
  EspSa* outbound(EspTransform transform = kGcm) {
    return fixture_.add(parameters_of(transform, Direction::Outbound));
  }
  EspSa* inbound(EspTransform transform = kGcm) {
    return fixture_.add(parameters_of(transform, Direction::Inbound));
  }
  // An authentic packet whose decrypted text is `text`.
  static Bytes crafted(EspTransform transform, uint64_t sequence, const Bytes& text,
                       uint8_t outer_class = 0) {
    const SaParameters parameters = parameters_of(transform, Direction::Inbound);
    return ipv4_packet(50, seal(parameters, sequence, Bytes(transform.iv_bytes(), 7), text),
                       outer_class);
  }
  EspRefusal refusal_of(EspSa* sa, const Bytes& outer) {
    return fixture_.decapsulate(sa, outer).refusal;
  }

  Fixture fixture_;
};

TEST_F(EspRefusals, NamesAreAllDifferent) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kEspRefusalCount; ++i) names.insert(name_of(static_cast<EspRefusal>(i)));
  EXPECT_EQ(names.size(), kEspRefusalCount);
  EXPECT_FALSE(names.contains(""));
}

TEST_F(EspRefusals, WrongDirection) {
  EXPECT_EQ(fixture_.encapsulate(inbound(), kPacket).refusal, EspRefusal::WrongDirection);
  EXPECT_EQ(refusal_of(outbound(), crafted(kGcm, 1, padded(kGcm, kPacket, 4))),
            EspRefusal::WrongDirection);
}

TEST_F(EspRefusals, NoRoom) {
  EspSa* sa = outbound();
  for (const auto& [headroom, tailroom] : {std::pair{kEspHeadroomBytes - 1, kEspTailroomBytes},
                                           std::pair{kEspHeadroomBytes, kEspTailroomBytes - 1}}) {
    PacketBuffer buffer(kPacket, static_cast<uint16_t>(headroom), static_cast<uint16_t>(tailroom));
    EspPacket packet = buffer.packet(sa);
    fixture_.worker().encapsulate({&packet, 1}, 0);
    EXPECT_EQ(packet.refusal, EspRefusal::NoRoom);
  }
  EXPECT_EQ(sa->sequence(), 0U) << "no number was taken";
}

TEST_F(EspRefusals, SequenceExhaustedAndNeverWrapped) {
  EspSa* sa = outbound();
  sa->advance_sequence(0xffffffff);
  EXPECT_EQ(sa->state(0), LifetimeState::Soft);
  const auto last = fixture_.encapsulate(sa, kPacket);
  ASSERT_EQ(last.refusal, EspRefusal::None);
  EXPECT_EQ(net::load_be32(last.packet.data() + 24).host(), 0xffffffffU);
  EXPECT_EQ(sa->state(0), LifetimeState::Hard);
  const uint64_t packets = sa->lifetime().packets();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(fixture_.encapsulate(sa, kPacket).refusal, EspRefusal::SequenceExhausted);
  }
  EXPECT_EQ(sa->lifetime().packets(), packets);
  sa->advance_sequence(5);
  EXPECT_EQ(fixture_.encapsulate(sa, kPacket).refusal, EspRefusal::SequenceExhausted)
      << "numbers never go back";
}

TEST_F(EspRefusals, ExtendedSequenceEndsAtItsOwnLast) {
  SaParameters parameters = parameters_of(kGcm, Direction::Outbound);
  parameters.extended_sequence = true;
  EspSa* sa = fixture_.add(parameters);
  sa->advance_sequence(uint64_t{1} << 32U);
  EXPECT_EQ(sa->state(0), LifetimeState::Fresh);
  EXPECT_EQ(fixture_.encapsulate(sa, kPacket).refusal, EspRefusal::None);
  sa->advance_sequence(~uint64_t{0});
  EXPECT_EQ(fixture_.encapsulate(sa, kPacket).refusal, EspRefusal::None);
  EXPECT_EQ(fixture_.encapsulate(sa, kPacket).refusal, EspRefusal::SequenceExhausted);
}

TEST_F(EspRefusals, LifetimeOfAnOutboundSa) {
  SaParameters parameters = parameters_of(kGcm, Direction::Outbound);
  parameters.soft = {.seconds = 10, .bytes = 0, .packets = 2};
  parameters.hard = {.seconds = 20, .bytes = 0, .packets = 3};
  EspSa* sa = fixture_.add(parameters, 1000);
  EXPECT_EQ(fixture_.encapsulate(sa, kPacket, 1000).refusal, EspRefusal::None);
  EXPECT_EQ(sa->state(1000), LifetimeState::Fresh);
  EXPECT_EQ(sa->state(11'000), LifetimeState::Soft);
  EXPECT_EQ(fixture_.encapsulate(sa, kPacket, 21'000).refusal, EspRefusal::LifetimeExpired);
  EXPECT_EQ(sa->sequence(), 1U) << "a refused packet takes no number";
  EXPECT_EQ(fixture_.encapsulate(sa, kPacket, 1001).refusal, EspRefusal::None);
  EXPECT_EQ(fixture_.encapsulate(sa, kPacket, 1001).refusal, EspRefusal::None);
  EXPECT_EQ(sa->state(1001), LifetimeState::Hard);
  EXPECT_EQ(fixture_.encapsulate(sa, kPacket, 1001).refusal, EspRefusal::LifetimeExpired);
}

TEST_F(EspRefusals, LifetimeOfAnInboundSaCountsAuthenticFreshPacketsOnly) {
  SaParameters parameters = parameters_of(kGcm, Direction::Inbound);
  parameters.hard.bytes = 2 * kPacket.size();
  EspSa* sa = fixture_.add(parameters);
  const Bytes first = crafted(kGcm, 1, padded(kGcm, kPacket, 4));
  Bytes forged = crafted(kGcm, 2, padded(kGcm, kPacket, 4));
  forged.back() ^= 0x80;
  EXPECT_EQ(refusal_of(sa, first), EspRefusal::None);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(refusal_of(sa, first), EspRefusal::ReplayDuplicate);
    EXPECT_EQ(refusal_of(sa, forged), EspRefusal::AuthenticationFailed);
  }
  EXPECT_EQ(sa->lifetime().bytes(), kPacket.size());
  EXPECT_EQ(refusal_of(sa, crafted(kGcm, 3, padded(kGcm, kPacket, 4))), EspRefusal::None);
  EXPECT_EQ(sa->state(0), LifetimeState::Hard);
  EXPECT_EQ(refusal_of(sa, crafted(kGcm, 4, padded(kGcm, kPacket, 4))),
            EspRefusal::LifetimeExpired);
  EXPECT_EQ(sa->replays(), 5U);
  EXPECT_EQ(sa->authentication_failures(), 5U);
}

TEST_F(EspRefusals, InnerMalformed) {
  EspSa* sa = outbound();
  Bytes longer = kPacket;
  longer.push_back(0);
  Bytes shorter = kPacket;
  shorter.pop_back();
  Bytes version = kPacket;
  version[0] = 0x55;
  Bytes header = kPacket;
  header[0] = 0x44;
  Bytes six = ipv6_packet(17, Bytes(8, 1));
  six.pop_back();
  for (const Bytes& packet : {longer, shorter, version, header, six, Bytes{0x45}, Bytes{}}) {
    EXPECT_EQ(fixture_.encapsulate(sa, packet).refusal, EspRefusal::InnerMalformed);
  }
  EXPECT_EQ(sa->sequence(), 0U);
}

TEST_F(EspRefusals, InnerFragmentInTransportMode) {
  SaParameters parameters = parameters_of(kGcm, Direction::Outbound);
  parameters.mode = Mode::Transport;
  EspSa* sa = fixture_.add(parameters);
  Bytes first = kPacket;
  first[6] = 0x20;
  Bytes last = kPacket;
  last[7] = 4;
  const Bytes six = ipv6_packet(44, from_hex("11000001 00000001 0001020304050607"));
  for (const Bytes& packet : {first, last, six}) {
    EXPECT_EQ(fixture_.encapsulate(sa, packet).refusal, EspRefusal::InnerFragment);
  }
  EXPECT_EQ(fixture_.encapsulate(outbound(), first).refusal, EspRefusal::None)
      << "a tunnel carries fragments";
}

TEST_F(EspRefusals, TooLong) {
  EspSa* sa = outbound();
  const size_t largest = maximum_inner_size(parameters_of(kGcm, Direction::Outbound), 65535);
  EXPECT_EQ(fixture_.encapsulate(sa, ipv4_packet(17, Bytes(largest - 20, 1))).refusal,
            EspRefusal::None);
  EXPECT_EQ(fixture_.encapsulate(sa, ipv4_packet(17, Bytes(largest - 19, 1))).refusal,
            EspRefusal::TooLong);
}

TEST_F(EspRefusals, TooShortAndBadAlignment) {
  for (const EspTransform transform : all_transforms()) {
    EspSa* sa = fixture_.add(parameters_of(transform, Direction::Inbound));
    const size_t least = 8 + transform.iv_bytes() + transform.icv_bytes();
    for (size_t size = 0; size < least + 40; ++size) {
      const size_t text = size > least ? size - least : 0;
      EspRefusal expected = EspRefusal::TooShort;
      if (text >= transform.alignment_bytes()) {
        expected = text % transform.alignment_bytes() == 0 ? EspRefusal::AuthenticationFailed
                                                           : EspRefusal::BadAlignment;
      }
      EXPECT_EQ(refusal_of(sa, ipv4_packet(50, Bytes(size, 1))), expected)
          << name_of(transform) << " " << size;
    }
  }
}

TEST_F(EspRefusals, AnOffsetThatCannotBe) {
  EspSa* sa = inbound();
  PacketBuffer buffer(crafted(kGcm, 1, padded(kGcm, kPacket, 4)), 0, 0);
  for (const uint16_t offset : {uint16_t{0}, uint16_t{19}, uint16_t{60000}}) {
    EspPacket packet = buffer.packet(sa, offset);
    fixture_.worker().decapsulate({&packet, 1}, 0);
    EXPECT_EQ(packet.refusal, EspRefusal::TooShort);
  }
}

TEST_F(EspRefusals, ForgedNumbersDoNotMoveTheWindow) {
  EspSa* sa = inbound();
  ASSERT_EQ(refusal_of(sa, crafted(kGcm, 100, padded(kGcm, kPacket, 4))), EspRefusal::None);
  Bytes forged = crafted(kGcm, 5000, padded(kGcm, kPacket, 4));
  forged.back() ^= 1;
  EXPECT_EQ(refusal_of(sa, forged), EspRefusal::AuthenticationFailed);
  EXPECT_EQ(sa->sequence(), 100U);
  EXPECT_EQ(refusal_of(sa, crafted(kGcm, 37, padded(kGcm, kPacket, 4))), EspRefusal::None);
  EXPECT_EQ(refusal_of(sa, crafted(kGcm, 36, padded(kGcm, kPacket, 4))), EspRefusal::ReplayOld);
}

TEST_F(EspRefusals, WrongHighHalfOfTheNumberFailsToAuthenticate) {
  for (const EspTransform transform : {kGcm, kCbc}) {
    SaParameters parameters = parameters_of(transform, Direction::Inbound);
    parameters.extended_sequence = true;
    EspSa* sa = fixture_.add(parameters);
    const Bytes text = padded(transform, kPacket, 4);
    const Bytes iv(transform.iv_bytes(), 3);
    const Bytes other = ipv4_packet(50, seal(parameters, (uint64_t{1} << 32U) + 9, iv, text));
    EXPECT_EQ(refusal_of(sa, other), EspRefusal::AuthenticationFailed);
    const Bytes good = ipv4_packet(50, seal(parameters, 9, iv, text));
    EXPECT_EQ(refusal_of(sa, good), EspRefusal::None);
  }
}

TEST_F(EspRefusals, BadPadding) {
  EspSa* sa = inbound();
  Bytes beyond = kPacket;
  beyond.insert(beyond.end(), {1, 255, 4});
  beyond.insert(beyond.begin(), 1, 0x45);
  ASSERT_EQ(beyond.size() % 4, 0U);
  EXPECT_EQ(refusal_of(sa, crafted(kGcm, 1, beyond)), EspRefusal::BadPadding);
  Bytes content = kPacket;
  content.insert(content.end(), {1, 3, 2, 4});
  EXPECT_EQ(refusal_of(sa, crafted(kGcm, 2, content)), EspRefusal::BadPadding);
  EXPECT_EQ(refusal_of(sa, crafted(kGcm, 2, padded(kGcm, kPacket, 4))), EspRefusal::ReplayDuplicate)
      << "it was authentic: its number is used up";
}

TEST_F(EspRefusals, LongestPaddingIsTaken) {
  EspSa* sa = inbound();
  Bytes text = ipv4_packet(17, Bytes(3, 1));
  for (unsigned i = 1; i <= 255; ++i) text.push_back(static_cast<uint8_t>(i));
  text.insert(text.end(), {255, 4});
  ASSERT_EQ(text.size() % 4, 0U);
  const auto outcome = fixture_.decapsulate(sa, crafted(kGcm, 1, text));
  EXPECT_EQ(outcome.refusal, EspRefusal::None);
  EXPECT_EQ(outcome.packet, ipv4_packet(17, Bytes(3, 1)));
}

TEST_F(EspRefusals, BadNextHeader) {
  EspSa* sa = inbound();
  uint64_t sequence = 0;
  for (const uint8_t next : Bytes{0, 6, 17, 50, 255}) {
    EXPECT_EQ(refusal_of(sa, crafted(kGcm, ++sequence, padded(kGcm, kPacket, next))),
              EspRefusal::BadNextHeader);
  }
}

TEST_F(EspRefusals, DummyPacketsAreNoError) {
  EspSa* sa = inbound();
  // RFC 4303 section 2.6: what is in them need not be anything.
  EXPECT_EQ(refusal_of(sa, crafted(kGcm, 1, padded(kGcm, Bytes(50, 0xaa), 59))), EspRefusal::Dummy);
  EXPECT_EQ(refusal_of(sa, crafted(kGcm, 2, padded(kGcm, {}, 59))), EspRefusal::Dummy);
  EXPECT_EQ(sa->lifetime().packets(), 2U);
  EXPECT_EQ(sa->lifetime().bytes(), 50U);
}

TEST_F(EspRefusals, BadInnerLength) {
  EspSa* sa = inbound();
  Bytes v4 = kPacket;
  v4.pop_back();
  Bytes v6 = ipv6_packet(17, Bytes(8, 1));
  v6.pop_back();
  const Bytes header(19, 0x45);
  const Bytes version = ipv6_packet(17, Bytes(8, 1));
  uint64_t sequence = 0;
  for (const auto& [payload, next] : {std::pair<Bytes, uint8_t>{v4, 4},
                                      {v6, 41},
                                      {header, 4},
                                      {{}, 4},
                                      {{}, 41},
                                      {version, 4},
                                      {kPacket, 41},
                                      {Bytes(39, 0x60), 41}}) {
    EXPECT_EQ(refusal_of(sa, crafted(kGcm, ++sequence, padded(kGcm, payload, next))),
              EspRefusal::BadInnerLength)
        << sequence;
  }
}

TEST_F(EspRefusals, TrafficFlowPaddingIsTakenAndCut) {
  EspSa* sa = inbound();
  uint64_t sequence = 0;
  for (const Bytes& inner : {kPacket, ipv6_packet(17, Bytes(9, 2))}) {
    Bytes payload = inner;
    payload.resize(payload.size() + 300, 0xcc);
    const uint8_t next = inner[0] >> 4U == 4 ? 4 : 41;
    const auto outcome =
        fixture_.decapsulate(sa, crafted(kGcm, ++sequence, padded(kGcm, payload, next)));
    ASSERT_EQ(outcome.refusal, EspRefusal::None);
    EXPECT_EQ(outcome.packet, inner);
  }
}

TEST_F(EspRefusals, CongestionUnmarkable) {
  EspSa* sa = inbound();
  EXPECT_EQ(refusal_of(sa, crafted(kGcm, 1, padded(kGcm, kPacket, 4), 0x03)),
            EspRefusal::CongestionUnmarkable);
  const Bytes capable = ipv4_packet(17, Bytes(40, 0x11), 0x02);
  const auto marked = fixture_.decapsulate(sa, crafted(kGcm, 2, padded(kGcm, capable, 4), 0x03));
  ASSERT_EQ(marked.refusal, EspRefusal::None);
  EXPECT_EQ(marked.packet, ipv4_packet(17, Bytes(40, 0x11), 0x03)) << "with its checksum";
}

}  // namespace
}  // namespace masugata::ipsec::reference
