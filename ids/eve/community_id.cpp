// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/eve/community_id.h"

#include <bit>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

namespace masugata::ids {
namespace {

using Digest = std::array<uint8_t, 20>;

// SHA-1 (FIPS 180-4) of at most 55 bytes: one block. libcrypto would allocate a context.
Digest sha1_of_one_block(std::span<const uint8_t> bytes) noexcept {
  std::array<uint8_t, 64> block{};
  std::memcpy(block.data(), bytes.data(), bytes.size());
  block[bytes.size()] = 0x80;
  net::store(block.data() + 60, net::Be32::from_host(static_cast<uint32_t>(bytes.size() * 8)));

  std::array<uint32_t, 80> words{};
  for (size_t index = 0; index < 16; ++index) {
    words[index] = net::load_be32(block.data() + 4 * index).host();
  }
  for (size_t index = 16; index < 80; ++index) {
    words[index] =
        std::rotl(words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16], 1);
  }
  std::array<uint32_t, 5> state{0x67452301U, 0xefcdab89U, 0x98badcfeU, 0x10325476U, 0xc3d2e1f0U};
  auto [a, b, c, d, e] = state;
  for (size_t round = 0; round < 80; ++round) {
    uint32_t mixed = 0;
    uint32_t constant = 0;
    if (round < 20) {
      mixed = (b & c) | (~b & d);
      constant = 0x5a827999U;
    } else if (round < 40) {
      mixed = b ^ c ^ d;
      constant = 0x6ed9eba1U;
    } else if (round < 60) {
      mixed = (b & c) | (b & d) | (c & d);
      constant = 0x8f1bbcdcU;
    } else {
      mixed = b ^ c ^ d;
      constant = 0xca62c1d6U;
    }
    const uint32_t next = std::rotl(a, 5) + mixed + e + constant + words[round];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e};
  Digest digest{};
  for (size_t index = 0; index < state.size(); ++index) {
    net::store(digest.data() + 4 * index, net::Be32::from_host(state[index]));
  }
  return digest;
}

// What stands in the place of ports. `one_way`: the message has no counterpart, so the order of
// the addresses is that of the packet.
struct IcmpPorts {
  uint16_t source = 0;
  uint16_t destination = 0;
  bool one_way = false;
};

IcmpPorts icmp_ports(bool v6, uint8_t type, uint8_t code) noexcept {
  static constexpr std::array<std::pair<uint8_t, uint8_t>, 5> kPairs4{
      {{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}}};
  static constexpr std::array<std::pair<uint8_t, uint8_t>, 5> kPairs6{
      {{128, 129}, {133, 134}, {135, 136}, {130, 131}, {144, 145}}};
  for (const auto& [request, reply] : v6 ? kPairs6 : kPairs4) {
    if (type == request) return {request, reply, false};
    if (type == reply) return {reply, request, false};
  }
  return {type, code, true};
}

}  // namespace

CommunityId community_id(const net::FlowKey& key, uint8_t icmp_type, uint8_t icmp_code,
                         uint16_t seed) noexcept {
  IcmpPorts ports{key.source_port.host(), key.destination_port.host(), false};
  const bool icmp = key.protocol == net::Protocol::Icmp;
  const bool icmpv6 = key.protocol == net::Protocol::Icmpv6;
  if (icmp || icmpv6) ports = icmp_ports(icmpv6, icmp_type, icmp_code);
  const bool has_ports = icmp || icmpv6 || key.protocol == net::Protocol::Tcp ||
                         key.protocol == net::Protocol::Udp || key.protocol == net::Protocol::Sctp;

  net::IpAddress first = key.source;
  net::IpAddress second = key.destination;
  if (!ports.one_way && std::pair(second, ports.destination) < std::pair(first, ports.source)) {
    std::swap(first, second);
    std::swap(ports.source, ports.destination);
  }
  std::array<uint8_t, 48> input{};
  size_t length = 0;
  const auto append = [&](const void* bytes, size_t count) {
    std::memcpy(input.data() + length, bytes, count);
    length += count;
  };
  const auto append_number = [&](uint16_t number) {
    const net::Be16 wire = net::Be16::from_host(number);
    append(&wire.raw, 2);
  };
  append_number(seed);
  const size_t skipped = key.source.is_v4() ? 12 : 0;
  append(first.bytes.data() + skipped, 16 - skipped);
  append(second.bytes.data() + skipped, 16 - skipped);
  const uint8_t tail[2] = {static_cast<uint8_t>(key.protocol), 0};
  append(tail, 2);
  if (has_ports) {
    append_number(ports.source);
    append_number(ports.destination);
  }

  const Digest digest = sha1_of_one_block({input.data(), length});
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  CommunityId id;
  id.text[0] = '1';
  id.text[1] = ':';
  for (size_t group = 0; group < 7; ++group) {
    const size_t at = 3 * group;
    const bool last = group == 6;  // 20 bytes: two in the last group
    const uint32_t word = static_cast<uint32_t>(digest[at]) << 16U |
                          static_cast<uint32_t>(digest[at + 1]) << 8U |
                          (last ? 0U : digest[at + 2]);
    char* out = id.text.data() + 2 + 4 * group;
    out[0] = kDigits[word >> 18U];
    out[1] = kDigits[word >> 12U & 63U];
    out[2] = kDigits[word >> 6U & 63U];
    out[3] = last ? '=' : kDigits[word & 63U];
  }
  return id;
}

}  // namespace masugata::ids
