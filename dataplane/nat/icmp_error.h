// SPDX-License-Identifier: GPL-2.0-or-later
// Translating ICMP and ICMPv6 errors inside out (RFC 5508 section 4.2): the outer addresses and
// the packet that the error quotes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "net/flow_key.h"

namespace masugata::dataplane {

// An error about a session travels towards the host whose packet is quoted. Seen from the
// session: the quoted packet left the gateway as `quoted_on_wire`; the host sent it as
// `quoted_original`. For an error about forward packets these are the translated forward key and
// the original key; for an error about reply packets the mirror image of it.
struct IcmpErrorTranslation {
  net::FlowKey quoted_on_wire;   // what must stand in the quote now
  net::FlowKey quoted_original;  // what shall stand there
};

enum class IcmpErrorOutcome : uint8_t {
  Translated,
  Malformed,  // cut short, not an error message, or another family than the keys
  Mismatch,   // the quote is not `quoted_on_wire`
};

// `packet` starts at the outer IPv4 or IPv6 header and ends with the IP packet (no link padding);
// `icmp_offset` is where the ICMP header starts. Nothing is changed unless the outcome is
// Translated. The quote may be cut after 8 bytes of its transport header (RFC 792); a transport
// checksum is updated when it is inside the quote. The outer destination becomes
// `quoted_original.source`; the outer source becomes `quoted_original.destination` when the error
// comes from the quoted packet's destination itself, and stays what it is for errors from routers
// on the way (RFC 5508 REQ-4, REQ-5).
[[nodiscard]] IcmpErrorOutcome translate_icmp_error(std::span<uint8_t> packet, size_t icmp_offset,
                                                    const IcmpErrorTranslation& keys) noexcept;

}  // namespace masugata::dataplane
