// SPDX-License-Identifier: GPL-2.0-or-later
// What a datagram to UDP port 4500 carries (RFC 3948 section 2).
#pragma once

#include <cstdint>
#include <span>

#include "net/byte_order.h"

namespace masugata::ipsec {

enum class UdpEncapsulated : uint8_t {
  Esp,        // the ESP header stands at the start of the payload
  Ike,        // four zero bytes, then IKE: for charon
  KeepAlive,  // one byte 0xff: keeps a NAT's mapping, to be dropped
  Malformed,  // none of them
};

// `payload`: behind the UDP header, of the length that the UDP header says. Every thread.
[[nodiscard]] constexpr UdpEncapsulated classify_udp_encapsulation(
    std::span<const uint8_t> payload) noexcept {
  if (payload.size() == 1 && payload[0] == 0xff) return UdpEncapsulated::KeepAlive;
  if (payload.size() < 4) return UdpEncapsulated::Malformed;
  if ((payload[0] | payload[1] | payload[2] | payload[3]) == 0) return UdpEncapsulated::Ike;
  // SPI and sequence number; the SA knows what else must be there.
  return payload.size() >= 8 ? UdpEncapsulated::Esp : UdpEncapsulated::Malformed;
}

// The SPI of an ESP header; four bytes must be there.
[[nodiscard]] inline net::Be32 spi_of(const uint8_t* esp) noexcept { return net::load_be32(esp); }

}  // namespace masugata::ipsec
