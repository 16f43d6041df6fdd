// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/esp/transport_mode.h"

#include "net/byte_order.h"
#include "net/checksum.h"
#include "net/headers/ipv4.h"
#include "net/headers/ipv6.h"

namespace masugata::ipsec {
namespace {

ClearPart refused(EspRefusal refusal) noexcept {
  ClearPart part;
  part.refusal = refusal;
  return part;
}

ClearPart find_in_v4(const uint8_t* ip, uint32_t length) noexcept {
  net::Ipv4View view;
  if (net::Ipv4View::parse(ip, length, view) != net::Ipv4View::Malformed::No ||
      view.total_length() != length) {
    return refused(EspRefusal::InnerMalformed);
  }
  if (view.is_fragment()) return refused(EspRefusal::InnerFragment);
  return {EspRefusal::None, ip[9], view.header_bytes(), 9};
}

ClearPart find_in_v6(const uint8_t* ip, uint32_t length) noexcept {
  net::Ipv6View view;
  if (net::Ipv6View::parse(ip, length, view) != net::Ipv6View::Malformed::No ||
      view.total_length() != length) {
    return refused(EspRefusal::InnerMalformed);
  }
  ClearPart part{EspRefusal::None, ip[6], static_cast<uint16_t>(net::kIpv6HeaderBytes), 6};
  for (unsigned headers = 0; headers < net::Ipv6Chain::kMaximumHeaders; ++headers) {
    const auto protocol = static_cast<net::Protocol>(part.next_header);
    if (protocol == net::Protocol::Ipv6Fragment) return refused(EspRefusal::InnerFragment);
    if (protocol != net::Protocol::HopByHop && protocol != net::Protocol::Ipv6Routing) return part;
    const uint32_t offset = part.bytes;
    if (length - offset < 8) return refused(EspRefusal::InnerMalformed);
    const uint32_t header_bytes = (ip[offset + 1] + 1U) * 8U;
    if (header_bytes > length - offset) return refused(EspRefusal::InnerMalformed);
    part.next_header = ip[offset];
    part.next_header_offset = static_cast<uint16_t>(offset);
    part.bytes = static_cast<uint16_t>(offset + header_bytes);
  }
  return refused(EspRefusal::InnerMalformed);
}

}  // namespace

ClearPart find_clear_part(const uint8_t* ip, uint32_t length) noexcept {
  if (length < net::kIpv4MinimumHeaderBytes) return refused(EspRefusal::InnerMalformed);
  return (ip[0] >> 4U) == 4 ? find_in_v4(ip, length) : find_in_v6(ip, length);
}

void rewrite_clear_part(uint8_t* ip, const ClearPart& part, uint8_t next_header,
                        uint32_t length) noexcept {
  ip[part.next_header_offset] = next_header;
  if ((ip[0] >> 4U) != 4) {
    net::store(ip + 4, net::Be16::from_host(static_cast<uint16_t>(length - net::kIpv6HeaderBytes)));
    return;
  }
  net::store(ip + 2, net::Be16::from_host(static_cast<uint16_t>(length)));
  net::store(ip + 10, net::Be16{0});
  const uint16_t sum = net::checksum_fold(net::checksum_add(ip, part.bytes));
  net::store(ip + 10, net::Be16{static_cast<uint16_t>(~sum)});
}

}  // namespace masugata::ipsec
