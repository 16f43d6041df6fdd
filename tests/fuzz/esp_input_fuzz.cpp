// SPDX-License-Identifier: GPL-2.0-or-later
// ESP packets of any content. The first byte chooses the transform, the second how the rest is
// taken: as an outer packet, as text that an authentic packet carries, or as a packet to encrypt.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "ipsec/esp/reference_esp.h"
#include "net/headers/ipv4.h"
#include "net/headers/ipv6.h"

namespace {

using namespace masugata::ipsec;             // NOLINT: a program of one file
using namespace masugata::ipsec::reference;  // NOLINT

constexpr uint8_t kExtended = 0x01;
constexpr uint8_t kTransport = 0x02;
constexpr uint8_t kIpv6Outside = 0x04;
constexpr uint8_t kUdp = 0x08;
constexpr uint8_t kAuthentic = 0x10;
constexpr uint8_t kEncrypt = 0x20;

void require(bool condition) {
  if (!condition) std::abort();
}

// Two SAs for each input; keys do not matter, so they are always the same.
struct Peers {
  Fixture& fixture;
  SaParameters parameters;
  EspSa* out;
  EspSa* in;

  Peers(Fixture& shared, EspTransform transform, uint8_t flags)
      : fixture(shared), parameters(parameters_of(transform, Direction::Outbound)) {
    parameters.extended_sequence = (flags & kExtended) != 0;
    parameters.mode = (flags & kTransport) != 0 ? Mode::Transport : Mode::Tunnel;
    if ((flags & kIpv6Outside) != 0) {
      parameters.local = *masugata::net::IpAddress::parse("2001:db8::1");
      parameters.remote = *masugata::net::IpAddress::parse("2001:db8::2");
    }
    if ((flags & kUdp) != 0 && parameters.mode == Mode::Tunnel) parameters.udp = {4500, 4500};
    out = fixture.add(parameters);
    in = fixture.add(peer_of(parameters));
  }
};

void check_inner(const Peers& peers, const Bytes& packet) {
  if (peers.parameters.mode == Mode::Transport) return;
  masugata::net::Ipv4View v4;
  masugata::net::Ipv6View v6;
  if (packet[0] >> 4U == 4) {
    require(masugata::net::Ipv4View::parse(packet.data(), packet.size(), v4) ==
            masugata::net::Ipv4View::Malformed::No);
    require(v4.total_length() == packet.size());
  } else {
    require(masugata::net::Ipv6View::parse(packet.data(), packet.size(), v6) ==
            masugata::net::Ipv6View::Malformed::No);
    require(v6.total_length() == packet.size());
  }
}

void take_as_outer_packet(Peers& peers, std::span<const uint8_t> input) {
  if (input.empty()) return;
  const uint16_t offset = input[0];
  PacketBuffer buffer(Bytes(input.begin() + 1, input.end()), 0, 0);
  EspPacket packet = buffer.packet(peers.in, offset);
  peers.fixture.worker().decapsulate({&packet, 1}, 0);
  // Who does not have the key cannot make an authentic packet.
  require(packet.refusal != EspRefusal::None && packet.refusal != EspRefusal::Dummy);
}

void take_as_authentic(Peers& peers, std::span<const uint8_t> input) {
  if (input.size() < 2) return;
  const uint64_t sequence = 1U + input[0];
  const EspTransform transform = peers.parameters.transform;
  Bytes text(input.begin() + 2, input.end());
  text.resize(std::min<size_t>(text.size(), 9000));
  // The end of the input is the end of the text: the trailer.
  const size_t alignment = transform.alignment_bytes();
  text.insert(text.begin(), (alignment - text.size() % alignment) % alignment, 0x45);
  if (text.empty()) return;
  const Bytes iv(transform.iv_bytes(), 1);
  const Bytes esp = seal(peers.parameters, sequence, iv, text);
  const Bytes outer = peers.parameters.local.is_v4() ? ipv4_packet(50, esp, input[1])
                                                     : ipv6_packet(50, esp, input[1]);
  const auto outcome = peers.fixture.decapsulate(peers.in, outer);
  require(outcome.refusal != EspRefusal::AuthenticationFailed);
  require(peers.in->sequence() == sequence);
  require(peers.fixture.decapsulate(peers.in, outer).refusal == EspRefusal::ReplayDuplicate);
  if (outcome.refusal == EspRefusal::None) check_inner(peers, outcome.packet);
}

void take_as_inner_packet(Peers& peers, std::span<const uint8_t> input) {
  const Bytes packet(input.begin(), input.end());
  const auto sent = peers.fixture.encapsulate(peers.out, packet);
  if (sent.refusal != EspRefusal::None) return;
  PacketBuffer buffer(sent.packet, 0, 0);
  uint16_t offset = esp_offset_of(sent.packet);
  if (peers.parameters.mode == Mode::Transport) {
    const uint8_t* found = nullptr;
    for (size_t i = 20; i + 8 <= sent.packet.size() && found == nullptr; ++i) {
      const uint8_t* at = sent.packet.data() + i;
      if (masugata::net::load_be32(at).host() == peers.parameters.spi.host()) found = at;
    }
    require(found != nullptr);
    offset = static_cast<uint16_t>(found - sent.packet.data());
  }
  EspPacket back = buffer.packet(peers.in, offset);
  peers.fixture.worker().decapsulate({&back, 1}, 0);
  if (peers.parameters.mode == Mode::Tunnel) {
    require(back.refusal == EspRefusal::None || back.refusal == EspRefusal::BadInnerLength);
    if (back.refusal == EspRefusal::None) require(bytes_of(back) == packet);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  static const std::vector<EspTransform> kTransforms = all_transforms();
  const uint8_t flags = data[1];
  static Fixture fixture;
  fixture.clear();
  Peers peers(fixture, kTransforms[data[0] % kTransforms.size()], flags);
  const std::span<const uint8_t> rest(data + 2, size - 2);
  if ((flags & kAuthentic) != 0) {
    take_as_authentic(peers, rest);
  } else if ((flags & kEncrypt) != 0) {
    take_as_inner_packet(peers, rest);
  } else {
    take_as_outer_packet(peers, rest);
  }
  return 0;
}
