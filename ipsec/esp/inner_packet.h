// SPDX-License-Identifier: GPL-2.0-or-later
// What stands inside an authentic ESP packet: trailer, padding, inner packet. All checks of lengths
// that a peer could get wrong, or lie about, are here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ipsec/esp/esp_refusal.h"
#include "ipsec/sa/sa_parameters.h"
#include "net/byte_order.h"
#include "net/headers/ipv4.h"
#include "net/headers/ipv6.h"

namespace masugata::ipsec {

inline constexpr uint8_t kNextHeaderIpv4 = 4;
inline constexpr uint8_t kNextHeaderIpv6 = 41;
inline constexpr uint8_t kNextHeaderNone = 59;
inline constexpr uint32_t kEspTrailerBytes = 2;

struct InnerPacket {
  EspRefusal refusal = EspRefusal::None;
  uint8_t next_header = kNextHeaderNone;
  // Without ESP's padding: what lifetimes count, also when the packet is refused.
  uint32_t payload_bytes = 0;
  // Of the packet itself; behind it may stand TFC padding (RFC 4303 section 2.7), which goes.
  uint32_t length = 0;
};

// `decrypted`: payload, padding, pad length and next header, `bytes` in all (at least
// kEspTrailerBytes). Tunnel mode: next header 4 or 41 with a packet of that version whose own
// length fits into the payload. Transport mode: any next header but 59, `length` is the payload's.
[[nodiscard]] InnerPacket inspect_inner(const uint8_t* decrypted, uint32_t bytes,
                                        Mode mode) noexcept;

// The IP packet that is to be encrypted.
struct PlainPacket {
  bool valid = false;
  uint8_t next_header = kNextHeaderNone;  // 4 or 41
  uint8_t traffic_class = 0;
  bool dont_fragment = false;  // as OuterHeader::Inner wants it
};

// `length` must be exactly what the packet's own length field says.
[[nodiscard]] inline PlainPacket inspect_plain(const uint8_t* packet, uint32_t length) noexcept {
  if (length < net::kIpv4MinimumHeaderBytes) return {};
  const uint32_t first = net::load_be32(packet).host();
  if (first >> 28U == 4) {
    const bool valid = (first & 0xffffU) == length && (first >> 24U & 0x0fU) >= 5;
    return {valid, kNextHeaderIpv4, static_cast<uint8_t>(first >> 16U), (packet[6] & 0x40U) != 0};
  }
  if (first >> 28U != 6 || length < net::kIpv6HeaderBytes) return {};
  const bool valid = net::load_be16(packet + 4).host() + net::kIpv6HeaderBytes == length;
  return {valid, kNextHeaderIpv6, static_cast<uint8_t>(first >> 20U), true};
}

}  // namespace masugata::ipsec
