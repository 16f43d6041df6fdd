// SPDX-License-Identifier: GPL-2.0-or-later
// The packet that an ICMP or ICMPv6 error quotes (RFC 792, RFC 1812 4.3.2.3, RFC 4443 2.4c).
#pragma once

#include <cstddef>
#include <cstdint>

#include "net/flow_key.h"

namespace masugata::net {

// What the quote says about its flow. The quote may be cut short behind the first eight bytes of
// the transport header; nothing behind them is looked at.
struct QuotedPacket {
  FlowKey key;                    // as the quoted packet was when it met the error
  uint16_t transport_offset = 0;  // from the first byte of the quote
  uint8_t icmp_type = 0;          // of a quoted ICMP message

  // `family`: 4 for a quote inside ICMP, 6 inside ICMPv6. false when the quote is no IP packet of
  // that family, is a later fragment, is itself an ICMP error, or lacks the ports.
  static bool parse(Family family, const uint8_t* bytes, size_t length, QuotedPacket& out) noexcept;
};

// The session-relevant key fields of a transport header of which at least 8 bytes are there.
// Ports for TCP, UDP, SCTP; the identifier twice for echo messages; zero otherwise.
// Returns false for an ICMP message that is neither echo nor timestamp.
bool fill_ports(FlowKey& key, const uint8_t* transport) noexcept;

}  // namespace masugata::net
