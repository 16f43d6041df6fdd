// SPDX-License-Identifier: GPL-2.0-or-later
// The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "net/address.h"
#include "net/byte_order.h"
#include "net/flow_key.h"

namespace masugata::net {

// One's complement sum of `length` bytes in memory order, not folded to 16 bits and not inverted;
// sums of parts may be added as long as every part but the last has an even length.
[[nodiscard]] inline uint64_t checksum_add(const uint8_t* bytes, size_t length,
                                           uint64_t sum = 0) noexcept {
  while (length >= 32) {
    uint32_t words[8];
    std::memcpy(words, bytes, 32);
    sum += static_cast<uint64_t>(words[0]) + words[1] + words[2] + words[3];
    sum += static_cast<uint64_t>(words[4]) + words[5] + words[6] + words[7];
    bytes += 32;
    length -= 32;
  }
  while (length >= 4) {
    uint32_t word;
    std::memcpy(&word, bytes, 4);
    sum += word;
    bytes += 4;
    length -= 4;
  }
  if (length >= 2) {
    uint16_t word;
    std::memcpy(&word, bytes, 2);
    sum += word;
    bytes += 2;
    length -= 2;
  }
  if (length == 1) sum += *bytes;
  return sum;
}

// Folds a sum to 16 bits, memory order, not inverted.
[[nodiscard]] inline uint16_t checksum_fold(uint64_t sum) noexcept {
  sum = (sum & 0xffffffffU) + (sum >> 32U);
  sum = (sum & 0xffffffffU) + (sum >> 32U);
  auto folded = static_cast<uint32_t>(sum);
  folded = (folded & 0xffffU) + (folded >> 16U);
  folded = (folded & 0xffffU) + (folded >> 16U);
  return static_cast<uint16_t>(folded);
}

// Pseudo-header sum for TCP, UDP (RFC 9293 3.1, RFC 768) and their IPv6 forms and ICMPv6
// (RFC 8200 8.1). `length` is the upper-layer length in bytes.
[[nodiscard]] inline uint64_t pseudo_header_sum(const IpAddress& source,
                                                const IpAddress& destination, Protocol protocol,
                                                uint32_t length) noexcept {
  uint64_t sum = 0;
  if (source.is_v4()) {
    sum = static_cast<uint64_t>(source.v4().raw) + destination.v4().raw;
  } else {
    sum = checksum_add(source.bytes.data(), 16);
    sum = checksum_add(destination.bytes.data(), 16, sum);
  }
  sum += Be16::from_host(static_cast<uint8_t>(protocol)).raw;
  sum += Be32::from_host(length).raw;
  return sum;
}

// The 16-bit amount that carries a one's complement checksum field from old to new content
// (RFC 1624 eqn. 3): new_field = checksum_apply(old_field, delta). Deltas of several fields add up
// with checksum_delta_add. All values in memory order.
[[nodiscard]] inline uint16_t checksum_delta(uint64_t old_sum, uint64_t new_sum) noexcept {
  const uint32_t inverted_old = static_cast<uint16_t>(~checksum_fold(old_sum));
  return checksum_fold(static_cast<uint64_t>(inverted_old) + checksum_fold(new_sum));
}
[[nodiscard]] inline uint16_t checksum_delta_add(uint16_t left, uint16_t right) noexcept {
  const uint32_t sum = static_cast<uint32_t>(left) + right;
  return static_cast<uint16_t>((sum & 0xffffU) + (sum >> 16U));
}
[[nodiscard]] inline uint16_t checksum_apply(uint16_t field, uint16_t delta) noexcept {
  const uint32_t sum = static_cast<uint32_t>(static_cast<uint16_t>(~field)) + delta;
  return static_cast<uint16_t>(~((sum & 0xffffU) + (sum >> 16U)));
}

}  // namespace masugata::net
