// SPDX-License-Identifier: GPL-2.0-or-later
// ESP between an IP header and its payload (RFC 4303 section 3.1.1).
#pragma once

#include <cstddef>
#include <cstdint>

#include "ipsec/esp/esp_refusal.h"

namespace masugata::ipsec {

// The part of a packet that stays before ESP: the IP header with its options, for IPv6 also
// hop-by-hop options and routing header, which routers on the way read.
struct ClearPart {
  EspRefusal refusal = EspRefusal::None;
  uint8_t next_header = 0;  // what stands behind it
  uint16_t bytes = 0;
  uint16_t next_header_offset = 0;  // of the byte that says so
};

// `length`: of the whole packet, which may be anything. InnerFragment for fragments, InnerMalformed
// for packets cut short. ESP itself ends the walk, so that it finds the same part on both sides.
[[nodiscard]] ClearPart find_clear_part(const uint8_t* ip, uint32_t length) noexcept;

// Makes the header, which was moved, that of a packet of `length` bytes in all with `next_header`
// behind the clear part: next header, length field, checksum of IPv4.
void rewrite_clear_part(uint8_t* ip, const ClearPart& part, uint8_t next_header,
                        uint32_t length) noexcept;

}  // namespace masugata::ipsec
