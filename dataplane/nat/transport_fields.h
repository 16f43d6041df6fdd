// SPDX-License-Identifier: GPL-2.0-or-later
// Where NAT writes into transport headers, and how a checksum field follows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "net/byte_order.h"
#include "net/checksum.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

// Bytes from the start of the header.
inline constexpr size_t kIpv4ChecksumOffset = 10;
inline constexpr size_t kTcpChecksumOffset = 16;
inline constexpr size_t kUdpChecksumOffset = 6;
inline constexpr size_t kIcmpChecksumOffset = 2;
inline constexpr size_t kIcmpIdentifierOffset = 4;

// RFC 1624 on a field in memory. A delta of 0 leaves the bytes as they are.
inline void adjust_checksum(uint8_t* field, uint16_t delta) noexcept {
  const net::Be16 before = net::load_be16(field);
  net::store(field, net::Be16{net::checksum_apply(before.raw, delta)});
}

// UDP: zero means "no checksum" and stays; a sum that comes out as zero is sent as its other form.
inline void adjust_udp_checksum(uint8_t* field, uint16_t delta) noexcept {
  if (net::load_be16(field).raw == 0) return;
  adjust_checksum(field, delta);
  if (net::load_be16(field).raw == 0) net::store(field, net::Be16{0xffff});
}

// ICMP and ICMPv6 messages that carry an identifier (RFC 792, RFC 4443 section 4).
[[nodiscard]] constexpr bool carries_identifier(net::Protocol protocol, uint8_t type) noexcept {
  if (protocol == net::Protocol::Icmpv6) return type == 128 || type == 129;
  return type == 0 || type == 8 || type == 13 || type == 14;
}

// Ports or identifier of `key` into a transport header of which 8 bytes are there. No checksum.
// SCTP keeps its ports: its checksum could not follow incrementally.
inline void write_transport_ports(const net::FlowKey& key, uint8_t* transport) noexcept {
  switch (key.protocol) {
    case net::Protocol::Tcp:
    case net::Protocol::Udp:
      net::store(transport, key.source_port);
      net::store(transport + 2, key.destination_port);
      break;
    case net::Protocol::Icmp:
    case net::Protocol::Icmpv6:
      if (carries_identifier(key.protocol, transport[0])) {
        net::store(transport + kIcmpIdentifierOffset, key.source_port);
      }
      break;
    default:
      break;
  }
}

}  // namespace masugata::dataplane
