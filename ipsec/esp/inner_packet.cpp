// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/esp/inner_packet.h"

namespace masugata::ipsec {
namespace {

// RFC 4303 section 2.4: a receiver that knows the scheme looks at it.
bool padding_as_specified(const uint8_t* padding, uint32_t bytes) noexcept {
  uint32_t wrong = 0;
  for (uint32_t i = 0; i < bytes; ++i) wrong |= static_cast<uint32_t>(padding[i] ^ (i + 1));
  return wrong == 0;
}

void inspect_tunnelled(const uint8_t* packet, InnerPacket& inner) noexcept {
  if (inner.next_header == kNextHeaderIpv4) {
    net::Ipv4View view;
    if (net::Ipv4View::parse(packet, inner.payload_bytes, view) != net::Ipv4View::Malformed::No) {
      inner.refusal = EspRefusal::BadInnerLength;
      return;
    }
    inner.length = view.total_length();
    return;
  }
  if (inner.next_header == kNextHeaderIpv6) {
    net::Ipv6View view;
    if (net::Ipv6View::parse(packet, inner.payload_bytes, view) != net::Ipv6View::Malformed::No) {
      inner.refusal = EspRefusal::BadInnerLength;
      return;
    }
    inner.length = view.total_length();
    return;
  }
  inner.refusal = EspRefusal::BadNextHeader;
}

}  // namespace

InnerPacket inspect_inner(const uint8_t* decrypted, uint32_t bytes, Mode mode) noexcept {
  InnerPacket inner;
  inner.next_header = decrypted[bytes - 1];
  const uint32_t padding = decrypted[bytes - 2];
  if (padding > bytes - kEspTrailerBytes) {
    inner.refusal = EspRefusal::BadPadding;
    return inner;
  }
  inner.payload_bytes = bytes - kEspTrailerBytes - padding;
  inner.length = inner.payload_bytes;
  if (inner.next_header == kNextHeaderNone) {
    inner.refusal = EspRefusal::Dummy;
    return inner;
  }
  if (!padding_as_specified(decrypted + inner.payload_bytes, padding)) {
    inner.refusal = EspRefusal::BadPadding;
    return inner;
  }
  if (mode == Mode::Tunnel) inspect_tunnelled(decrypted, inner);
  return inner;
}

}  // namespace masugata::ipsec
