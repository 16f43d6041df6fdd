// SPDX-License-Identifier: GPL-2.0-or-later
// What NAT changes in the packets of one direction, and the change itself (RFC 3022, RFC 1624).
#pragma once

#include <cstdint>

#include "net/flow_key.h"

namespace masugata::dataplane {

// Amounts to be added to checksum fields (net::checksum_apply); 0 changes nothing.
struct ChecksumDeltas {
  uint16_t network = 0;    // IPv4 header checksum
  uint16_t transport = 0;  // TCP, UDP, ICMP echo, ICMPv6 echo
  friend bool operator==(const ChecksumDeltas&, const ChecksumDeltas&) = default;
};

// The translated key of one direction, and its deltas. A session that keeps both keys needs to
// keep only the deltas: the values to write are the other direction's key, reversed.
struct FlowRewrite {
  net::FlowKey to;
  ChecksumDeltas deltas;
  bool changes = false;  // false: packets of this direction pass untouched
};

// Deltas that carry a packet with key `from` to key `to`. Same family and protocol.
[[nodiscard]] ChecksumDeltas checksum_deltas(const net::FlowKey& from,
                                             const net::FlowKey& to) noexcept;
[[nodiscard]] FlowRewrite make_rewrite(const net::FlowKey& from, const net::FlowKey& to) noexcept;

// Writes addresses, ports or echo identifier, and updates checksums. `network` points at an IPv4
// or IPv6 header, `transport` at the header of `to.protocol` (whole header present; null when it
// is not there, as in fragments after the first). A UDP checksum of zero over IPv4 stays zero, one
// that becomes zero is sent as 0xffff (RFC 768).
void apply_rewrite(const net::FlowKey& to, ChecksumDeltas deltas, uint8_t* network,
                   uint8_t* transport) noexcept;
inline void apply_rewrite(const FlowRewrite& rewrite, uint8_t* network,
                          uint8_t* transport) noexcept {
  if (rewrite.changes) apply_rewrite(rewrite.to, rewrite.deltas, network, transport);
}

}  // namespace masugata::dataplane
