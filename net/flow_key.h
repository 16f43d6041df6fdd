// SPDX-License-Identifier: GPL-2.0-or-later
// The identity of one direction of a flow, and the two hashes taken of it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "net/address.h"
#include "net/byte_order.h"

namespace masugata::net {

// IANA protocol numbers that the gateway treats by name.
enum class Protocol : uint8_t {
  HopByHop = 0,
  Icmp = 1,
  Tcp = 6,
  Udp = 17,
  Ipv6Routing = 43,
  Ipv6Fragment = 44,
  Gre = 47,
  Esp = 50,
  Ah = 51,
  Icmpv6 = 58,
  Ipv6NoNext = 59,
  Ipv6DestinationOptions = 60,
  Sctp = 132,
  Mobility = 135,
};

// One direction of a flow as the packet shows it.
// Ports: TCP, UDP and SCTP ports; for ICMP and ICMPv6 echo both fields hold the identifier;
// for every other protocol both are zero (a flow is then the address pair).
struct alignas(8) FlowKey {
  IpAddress source;
  IpAddress destination;
  Be16 source_port;
  Be16 destination_port;
  Protocol protocol = Protocol::HopByHop;
  uint8_t reserved = 0;
  uint16_t domain = 0;  // routing domain; always 0 until there are several

  [[nodiscard]] FlowKey reversed() const noexcept {
    return {destination, source, destination_port, source_port, protocol, reserved, domain};
  }
  // Ports and protocol in one store, so that hash_flow() does not wait for several; the rest of
  // that word becomes zero.
  void set_transport(Be16 from, Be16 to, Protocol above) noexcept {
    const uint64_t word =
        from.raw | static_cast<uint64_t>(to.raw) << 16U | static_cast<uint64_t>(above) << 32U;
    std::memcpy(reinterpret_cast<uint8_t*>(this) + 32, &word, sizeof word);
  }
  // The word that holds ports, protocol and domain, as it lies in memory.
  [[nodiscard]] uint64_t transport_word() const noexcept {
    uint64_t word;
    std::memcpy(&word, reinterpret_cast<const uint8_t*>(this) + 32, sizeof word);
    return word;
  }
  [[nodiscard]] Family family() const noexcept { return source.family(); }
  // "tcp 192.0.2.1:1025 > 198.51.100.2:80", IPv6 addresses in brackets.
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const FlowKey& left, const FlowKey& right) noexcept {
    return std::memcmp(&left, &right, sizeof(FlowKey)) == 0;
  }
};
static_assert(sizeof(FlowKey) == 40, "compared and hashed as five 64-bit words");
static_assert(offsetof(FlowKey, source_port) == 32 && offsetof(FlowKey, destination_port) == 34 &&
              offsetof(FlowKey, protocol) == 36);

// The words of a keyed hash; drawn at start-up from the kernel's random source so that nobody
// outside can aim packets at one bucket.
struct HashSecret {
  uint64_t words[6] = {0x243f6a8885a308d3ULL, 0x13198a2e03707344ULL, 0xa4093822299f31d0ULL,
                       0x082efa98ec4e6c89ULL, 0x452821e638d01377ULL, 0xbe5466cf34e90c6cULL};
};

// 64 well mixed bits of a key and a secret: multiply and fold, about a dozen cycles.
[[nodiscard]] inline uint64_t hash_flow(const FlowKey& key, const HashSecret& secret) noexcept {
  auto fold = [](uint64_t left, uint64_t right) noexcept {
    const auto product = static_cast<unsigned __int128>(left) * right;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64U);
  };
  // The high words are zero for IPv4 and would cancel nothing: each is paired with a low word.
  const uint64_t source =
      fold(key.source.high_word() ^ secret.words[0], key.source.low_word() ^ secret.words[1]);
  const uint64_t destination = fold(key.destination.high_word() ^ secret.words[2],
                                    key.destination.low_word() ^ secret.words[3]);
  return fold(source ^ key.transport_word() ^ secret.words[4], destination ^ secret.words[5]);
}

// A hash that is the same for both directions of a flow: the Toeplitz hash (as in the Microsoft RSS
// specification) with the key 6d5a repeated, which is what ports with RSS are programmed with. With
// a key of period 16 the hash depends only on the exclusive or of all 16-bit words of the input, so
// swapping source and destination changes nothing, and an ICMP echo (identifier twice) hashes like
// its address pair, as ports do it.
[[nodiscard]] inline uint32_t symmetric_flow_hash(const FlowKey& key) noexcept {
  uint64_t words = key.source.high_word() ^ key.source.low_word() ^ key.destination.high_word() ^
                   key.destination.low_word();
  words ^= words >> 32U;
  words ^= words >> 16U;
  const uint32_t folded =
      Be16{static_cast<uint16_t>(words ^ key.source_port.raw ^ key.destination_port.raw)}.host();
  uint32_t hash = 0;
  for (unsigned bit = 0; bit < 16; ++bit) {
    const uint32_t window = std::rotl(0x6d5a6d5aU, static_cast<int>(bit));
    hash ^= window & (0U - ((folded >> (15U - bit)) & 1U));
  }
  return hash;
}

}  // namespace masugata::net
