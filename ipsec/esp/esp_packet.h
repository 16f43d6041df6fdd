// SPDX-License-Identifier: GPL-2.0-or-later
// Packets as the ESP code sees them: bytes in plain memory with room around them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ipsec/esp/esp_refusal.h"

namespace masugata::ipsec {

class EspSa;

// What encapsulate() may need before the packet: IPv6, UDP, ESP header, IV of AES-CBC. It writes
// there as it likes, also beyond what the outer headers take in the end.
inline constexpr size_t kEspHeadroomBytes = 40 + 8 + 8 + 16;
// And behind it: padding, pad length, next header, ICV of HMAC-SHA-512.
inline constexpr size_t kEspTailroomBytes = 15 + 2 + 32 + 15;
static_assert(kEspHeadroomBytes == 72 && kEspTailroomBytes == 64);

// One packet of a burst, contiguous. `data` and `length` are replaced in place: after encapsulate()
// they are the outer IP packet, after decapsulate() the inner one.
struct EspPacket {
  // encapsulate: an IPv4 or IPv6 packet. decapsulate: the outer IP header.
  uint8_t* data = nullptr;
  // Of the IP packet by its own length field; what a link padded behind it is not part of it.
  uint32_t length = 0;
  // Writable bytes before `data` and behind `data + length`; decapsulate() needs neither.
  uint16_t headroom = 0;
  uint16_t tailroom = 0;
  EspSa* sa = nullptr;
  // decapsulate: from `data` to the ESP header: IP header with its options or extension headers,
  // and UDP header.
  uint16_t esp_offset = 0;
  EspRefusal refusal = EspRefusal::None;  // out
};
static_assert(sizeof(EspPacket) <= 32);

}  // namespace masugata::ipsec
