// SPDX-License-Identifier: GPL-2.0-or-later
// A neighbour's identity and its keyed hash.
#pragma once

#include <cstdint>

#include "net/address.h"

namespace masugata::dataplane {

// An address is a neighbour only together with its interface (RFC 4007: link-local ones repeat).
struct NeighbourKey {
  net::IpAddress address;
  uint16_t interface = 0;  // index into config::Model::interfaces
  friend bool operator==(const NeighbourKey&, const NeighbourKey&) = default;
};

// Well mixed; keyed so that a host on the link cannot pick addresses that share a bucket.
[[nodiscard]] inline uint32_t hash_neighbour(const NeighbourKey& key, uint64_t secret) noexcept {
  const auto product =
      static_cast<unsigned __int128>(key.address.high_word() ^ secret ^ key.interface) *
      (key.address.low_word() ^ (secret * 0x9e3779b97f4a7c15ULL) ^ 0xa4093822299f31d0ULL);
  uint64_t mixed = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64U);
  mixed ^= (static_cast<uint64_t>(key.interface) + 1) * 0xd6e8feb86659fd93ULL;
  mixed *= 0x9e3779b97f4a7c15ULL;
  return static_cast<uint32_t>(mixed >> 32U);
}

}  // namespace masugata::dataplane
