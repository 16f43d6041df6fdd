// SPDX-License-Identifier: GPL-2.0-or-later
// Echo requests that measure how large packets pass a tunnel, and what comes back of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "ipsec/diagnosis/path_search.h"
#include "net/address.h"

namespace masugata::dataplane {

// An echo request (RFC 792, RFC 4443 section 4.1) that must not be cut.
struct ProbePacket {
  net::IpAddress source;
  net::IpAddress destination;  // of the same family
  uint16_t identifier = 0;
  uint16_t sequence = 0;
  uint16_t bytes = 0;  // with its IP header
  uint8_t hop_limit = 64;
};

// What an IP header and an echo header take; no probe is smaller.
[[nodiscard]] constexpr uint16_t smallest_probe_bytes(net::Family family) noexcept {
  return family == net::Family::Ipv4 ? 28 : 48;
}

// Writes the whole packet, `probe.bytes` long, at `at`. Packet path.
void write_probe(const ProbePacket& probe, uint8_t* at) noexcept;

// What one of them has brought back.
struct ProbeAnswer {
  uint16_t identifier = 0;
  uint16_t sequence = 0;
  ipsec::PathAnswer kind = ipsec::PathAnswer::Echo;
  net::IpAddress from;
  net::IpAddress to;  // the probe's source
};

// Of an IP packet out of a tunnel: an echo reply, or an ICMP error that quotes an echo request of
// `identifier`. Of a fragmented answer the first piece counts. Packet path; any bytes.
[[nodiscard]] std::optional<ProbeAnswer> read_probe_answer(std::span<const uint8_t> packet,
                                                           uint16_t identifier) noexcept;

}  // namespace masugata::dataplane
