// SPDX-License-Identifier: GPL-2.0-or-later
// DSCP and ECN between inner and outer headers (RFC 2983, RFC 6040), and where they stand.
#pragma once

#include <cstddef>
#include <cstdint>

#include "net/byte_order.h"
#include "net/checksum.h"

namespace masugata::ipsec {

inline constexpr uint8_t kEcnMask = 0x03;
inline constexpr uint8_t kDscpMask = 0xfc;
// What combine_ecn() says when the packet has to be dropped.
inline constexpr uint8_t kEcnDrop = 0xff;

// The ECN field of the inner packet behind the tunnel (RFC 6040 section 4.2, figure 4).
[[nodiscard]] constexpr uint8_t combine_ecn(uint8_t inner, uint8_t outer) noexcept {
  // 0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE; rows: inner, columns: outer.
  constexpr uint8_t kResult[4][4] = {
      {0, 0, 0, kEcnDrop},
      {1, 1, 1, 3},
      {2, 1, 2, 3},
      {3, 3, 3, 3},
  };
  return kResult[inner & kEcnMask][outer & kEcnMask];
}

// Traffic class or type of service of an IP header of either version.
[[nodiscard]] inline uint8_t traffic_class_of(const uint8_t* ip) noexcept {
  if ((ip[0] >> 4U) == 4) return ip[1];
  return static_cast<uint8_t>(static_cast<uint32_t>(ip[0]) << 4U |
                              static_cast<uint32_t>(ip[1]) >> 4U);
}

// Writes it, and keeps the checksum of an IPv4 header as right or wrong as it was.
inline void set_traffic_class(uint8_t* ip, uint8_t traffic_class) noexcept {
  if ((ip[0] >> 4U) == 4) {
    const uint16_t before = net::load_be16(ip).raw;
    ip[1] = traffic_class;
    const uint16_t delta = net::checksum_delta(before, net::load_be16(ip).raw);
    net::store(ip + 10, net::Be16{net::checksum_apply(net::load_be16(ip + 10).raw, delta)});
    return;
  }
  ip[0] = static_cast<uint8_t>((ip[0] & 0xf0U) | static_cast<uint32_t>(traffic_class) >> 4U);
  ip[1] =
      static_cast<uint8_t>((ip[1] & 0x0fU) | (static_cast<uint32_t>(traffic_class) & 0x0fU) << 4U);
}

}  // namespace masugata::ipsec
