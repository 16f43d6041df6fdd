// SPDX-License-Identifier: GPL-2.0-or-later
// Properties that hold for every transform, mode and size.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "ipsec/esp/reference_esp.h"
#include "net/headers/ipv4.h"

namespace masugata::ipsec::reference {
namespace {

Bytes random_bytes(std::mt19937_64& random, size_t size) {
  Bytes bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

Bytes random_packet(std::mt19937_64& random, size_t largest_payload) {
  const Bytes payload = random_bytes(random, random() % (largest_payload + 1));
  const auto traffic_class = static_cast<uint8_t>(random() & 0xfcU);
  if (random() % 2 == 0) return ipv4_packet(17, payload, traffic_class, random() % 2 == 0);
  return ipv6_packet(17, payload.empty() ? Bytes{1} : payload, traffic_class);
}

class EveryTransform : public ::testing::TestWithParam<EspTransform> {
 protected:
  // One SA each way; some random choice of everything that an SA can be.
  SaParameters outbound(std::mt19937_64& random, uint32_t spi) {
    SaParameters parameters = parameters_of(GetParam(), Direction::Outbound, spi);
    parameters.extended_sequence = random() % 2 == 0;
    parameters.replay_window_packets = 64U << (random() % 7);
    if (random() % 2 == 0) {
      parameters.local = *net::IpAddress::parse("2001:db8:ffff::1");
      parameters.remote = *net::IpAddress::parse("2001:db8:fffe::1");
    }
    if (random() % 2 == 0) parameters.udp = {4500, 4501};
    return parameters;
  }

  std::mt19937_64 random_{20'26};
  Fixture fixture_;
};

TEST_P(EveryTransform, TunnelsRoundTripAndAgreeWithTheReference) {
  for (uint32_t spi = 0x1000; spi < 0x1008; ++spi) {
    const SaParameters parameters = outbound(random_, spi);
    const SaParameters peer = peer_of(parameters);
    EspSa* out = fixture_.add(parameters);
    EspSa* in = fixture_.add(peer);
    uint64_t first = 1;
    if (parameters.extended_sequence) {
      first = (uint64_t{1} << 32U) - 10;  // numbers cross 2^32 on the way
      out->advance_sequence(first);
      ASSERT_EQ(in->accept_sequence(first - 1), ReplayWindow::Verdict::Fresh);
    }
    for (uint64_t sequence = first; sequence < first + 40; ++sequence) {
      const Bytes packet = random_packet(random_, sequence % 4 == 0 ? 9000 : 200);
      const auto sent = fixture_.encapsulate(out, packet);
      ASSERT_EQ(sent.refusal, EspRefusal::None);
      const std::span<const uint8_t> esp =
          std::span(sent.packet).subspan(esp_offset_of(sent.packet));
      const auto text = open(parameters, sequence, esp);
      ASSERT_TRUE(text) << "the reference does not open packet " << sequence;
      EXPECT_EQ(*text, padded(GetParam(), packet, packet[0] >> 4U == 4 ? 4 : 41));
      EXPECT_EQ(net::load_be32(esp.data()).host(), spi);
      EXPECT_EQ(net::load_be32(esp.data() + 4).host(), static_cast<uint32_t>(sequence));
      const auto received = fixture_.decapsulate(in, sent.packet);
      ASSERT_EQ(received.refusal, EspRefusal::None);
      EXPECT_EQ(received.packet, packet);
      const auto again = fixture_.decapsulate(in, sent.packet);
      EXPECT_EQ(again.refusal, EspRefusal::ReplayDuplicate);
    }
    EXPECT_EQ(in->lifetime().packets(), 40U) << "replays are not counted";
    EXPECT_EQ(in->lifetime().bytes(), out->lifetime().bytes());
    EXPECT_EQ(in->replays(), 40U);
  }
}

TEST_P(EveryTransform, TransportRoundTrips) {
  for (const char* local : {"192.0.2.1", "2001:db8::1"}) {
    SaParameters parameters = parameters_of(GetParam(), Direction::Outbound);
    parameters.mode = Mode::Transport;
    parameters.local = *net::IpAddress::parse(local);
    parameters.remote = parameters.local.next();
    EspSa* out = fixture_.add(parameters);
    EspSa* in = fixture_.add(peer_of(parameters));
    for (size_t size = 0; size < 80; ++size) {
      const Bytes payload = random_bytes(random_, size);
      const Bytes packet =
          parameters.local.is_v4() ? ipv4_packet(6, payload, 0x20) : ipv6_packet(6, payload, 0x20);
      if (!parameters.local.is_v4() && payload.empty()) continue;
      const auto sent = fixture_.encapsulate(out, packet);
      ASSERT_EQ(sent.refusal, EspRefusal::None);
      EXPECT_EQ(sent.packet[parameters.local.is_v4() ? 9 : 6], 50);
      const auto received = fixture_.decapsulate(in, sent.packet);
      ASSERT_EQ(received.refusal, EspRefusal::None);
      EXPECT_EQ(received.packet, packet);
    }
  }
}

TEST_P(EveryTransform, EveryFlippedBitIsRefused) {
  for (const bool extended : {false, true}) {
    SaParameters parameters = parameters_of(GetParam(), Direction::Outbound, 0x2000 + extended);
    parameters.extended_sequence = extended;
    EspSa* out = fixture_.add(parameters);
    EspSa* in = fixture_.add(peer_of(parameters));
    for (const size_t size : {size_t{1}, size_t{100}, size_t{1400}}) {
      const auto sent = fixture_.encapsulate(out, ipv4_packet(17, random_bytes(random_, size)));
      ASSERT_EQ(sent.refusal, EspRefusal::None);
      const size_t bits = (sent.packet.size() - 20) * 8;
      for (size_t bit = 0; bit < bits; bit += size == 1 ? 1 : 61) {
        Bytes broken = sent.packet;
        broken[20 + bit / 8] ^= static_cast<uint8_t>(1U << (bit % 8));
        const auto outcome = fixture_.decapsulate(in, broken);
        ASSERT_NE(outcome.refusal, EspRefusal::None) << "bit " << bit << " of size " << size;
        ASSERT_NE(outcome.refusal, EspRefusal::Dummy);
      }
      ASSERT_EQ(fixture_.decapsulate(in, sent.packet).refusal, EspRefusal::None)
          << "the packet itself is good, so what was refused was the flipped bit";
    }
  }
}

// All packets of a burst at once: several SAs, replays inside of it, broken ones between good ones.
TEST_P(EveryTransform, BurstsOfSeveralSas) {
  const EspTransform others[] = {GetParam(),
                                 {Encryption::AesGcm128, Integrity::Combined},
                                 {Encryption::AesCbc256, Integrity::HmacSha512256},
                                 {Encryption::ChaCha20Poly1305, Integrity::Combined}};
  std::vector<EspSa*> out;
  std::vector<EspSa*> in;
  for (uint32_t i = 0; i < 4; ++i) {
    const SaParameters parameters = parameters_of(others[i], Direction::Outbound, 0x3000 + i);
    out.push_back(fixture_.add(parameters));
    in.push_back(fixture_.add(peer_of(parameters)));
  }
  for (const size_t count : {size_t{1}, size_t{31}, size_t{32}, size_t{33}, size_t{100}}) {
    std::vector<Bytes> plain;
    std::vector<PacketBuffer> buffers;
    std::vector<EspPacket> burst;
    std::vector<size_t> sa_of;
    buffers.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      plain.push_back(random_packet(random_, 600));
      buffers.emplace_back(plain.back());
      sa_of.push_back(random_() % 4);
      burst.push_back(buffers.back().packet(out[sa_of.back()]));
    }
    fixture_.worker().encapsulate(burst, 0);
    for (const EspPacket& packet : burst) ASSERT_EQ(packet.refusal, EspRefusal::None);

    std::vector<PacketBuffer> received;
    std::vector<EspPacket> inbound;
    std::vector<EspRefusal> expected;
    std::vector<size_t> source;
    received.reserve(count * 2);
    for (size_t i = 0; i < count; ++i) {
      Bytes outer = bytes_of(burst[i]);
      const uint16_t offset = esp_offset_of(outer);
      const bool broken = random_() % 4 == 0;
      if (broken) outer.back() ^= 1;
      const size_t copies = 1 + random_() % 2;
      for (size_t copy = 0; copy < copies; ++copy) {
        received.emplace_back(outer, 0, 0);
        inbound.push_back(received.back().packet(in[sa_of[i]], offset));
        expected.push_back(broken ? EspRefusal::AuthenticationFailed
                                  : (copy == 0 ? EspRefusal::None : EspRefusal::ReplayDuplicate));
        source.push_back(i);
      }
    }
    fixture_.worker().decapsulate(inbound, 0);
    for (size_t i = 0; i < inbound.size(); ++i) {
      ASSERT_EQ(inbound[i].refusal, expected[i]) << i << " of " << count;
      if (expected[i] == EspRefusal::None) {
        EXPECT_EQ(bytes_of(inbound[i]), plain[source[i]]);
      }
    }
  }
}

// Never the same nonce twice, and CBC's cannot be told from the one before.
TEST_P(EveryTransform, InitializationVectorsDiffer) {
  SaParameters parameters = parameters_of(GetParam(), Direction::Outbound);
  EspSa* sa = fixture_.add(parameters);
  std::set<Bytes> seen;
  std::map<Bytes, int> differences;
  Bytes last;
  for (int i = 0; i < 1000; ++i) {
    const auto sent = fixture_.encapsulate(sa, ipv4_packet(17, {1, 2, 3}));
    const Bytes iv(sent.packet.begin() + 28,
                   sent.packet.begin() + 28 + static_cast<ptrdiff_t>(GetParam().iv_bytes()));
    EXPECT_TRUE(seen.insert(iv).second);
    if (!last.empty()) {
      Bytes difference = iv;
      for (size_t b = 0; b < iv.size(); ++b) difference[b] ^= last[b];
      ++differences[difference];
    }
    last = iv;
  }
  if (!GetParam().is_combined()) {
    EXPECT_EQ(differences.size(), 999U);
  }
}

std::string test_name(const ::testing::TestParamInfo<EspTransform>& parameter) {
  std::string name(name_of(parameter.param));
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Esp, EveryTransform, ::testing::ValuesIn(all_transforms()), test_name);

}  // namespace
}  // namespace masugata::ipsec::reference
