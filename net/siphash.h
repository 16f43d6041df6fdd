// SPDX-License-Identifier: GPL-2.0-or-later
// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash that cannot be forged or steered without
// the key. Slower than hash_flow(); for what goes out on the wire, such as SYN cookies.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace masugata::net {

// 128 random bits, drawn at start-up from the kernel's random source; never logged.
struct SipHashKey {
  uint64_t low = 0;   // bytes 0..7 of the key, little-endian
  uint64_t high = 0;  // bytes 8..15
};

// Hash of `length` bytes. Pure, any thread.
[[nodiscard]] inline uint64_t siphash(const SipHashKey& key, const void* data,
                                      size_t length) noexcept {
  uint64_t lane[4] = {key.low ^ 0x736f6d6570736575ULL, key.high ^ 0x646f72616e646f6dULL,
                      key.low ^ 0x6c7967656e657261ULL, key.high ^ 0x7465646279746573ULL};
  auto mix = [&lane](int rounds) noexcept {
    for (int round = 0; round < rounds; ++round) {
      lane[0] += lane[1];
      lane[2] += lane[3];
      lane[1] = std::rotl(lane[1], 13) ^ lane[0];
      lane[3] = std::rotl(lane[3], 16) ^ lane[2];
      lane[0] = std::rotl(lane[0], 32);
      lane[2] += lane[1];
      lane[0] += lane[3];
      lane[1] = std::rotl(lane[1], 17) ^ lane[2];
      lane[3] = std::rotl(lane[3], 21) ^ lane[0];
      lane[2] = std::rotl(lane[2], 32);
    }
  };
  auto absorb = [&lane, &mix](uint64_t word) noexcept {
    lane[3] ^= word;
    mix(2);
    lane[0] ^= word;
  };
  const auto* bytes = static_cast<const uint8_t*>(data);
  size_t left = length;
  for (; left >= 8; left -= 8, bytes += 8) {
    uint64_t word;
    std::memcpy(&word, bytes, 8);
    absorb(word);
  }
  uint64_t tail = static_cast<uint64_t>(length) << 56U;
  for (size_t index = 0; index < left; ++index) {
    tail |= static_cast<uint64_t>(bytes[index]) << (8U * index);
  }
  absorb(tail);
  lane[2] ^= 0xffU;
  mix(4);
  return lane[0] ^ lane[1] ^ lane[2] ^ lane[3];
}

}  // namespace masugata::net
