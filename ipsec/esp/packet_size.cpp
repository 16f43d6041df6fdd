// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/esp/packet_size.h"

#include <algorithm>

#include "net/headers/ipv4.h"
#include "net/headers/ipv6.h"

namespace masugata::ipsec {
namespace {

constexpr uint32_t kEspHeaderBytes = 8;
constexpr uint32_t kUdpHeaderBytes = 8;
constexpr uint32_t kTcpHeaderBytes = 20;
constexpr uint32_t kTrailerBytes = 2;  // pad length, next header

uint32_t header_bytes(net::Family family) noexcept {
  return static_cast<uint32_t>(family == net::Family::Ipv4 ? net::kIpv4MinimumHeaderBytes
                                                           : net::kIpv6HeaderBytes);
}

}  // namespace

uint32_t maximum_inner_size(const EspShape& shape, uint32_t outer_mtu) noexcept {
  const EspTransform transform = shape.transform;
  const uint32_t ip = header_bytes(shape.outside);
  const auto around =
      static_cast<uint32_t>(ip + (shape.in_udp ? kUdpHeaderBytes : 0) + kEspHeaderBytes +
                            transform.iv_bytes() + transform.icv_bytes());
  if (outer_mtu < around) return 0;
  const auto alignment = static_cast<uint32_t>(transform.alignment_bytes());
  const uint32_t encrypted = (outer_mtu - around) / alignment * alignment;
  if (encrypted < kTrailerBytes) return 0;
  // In transport mode the IP header stays outside: it is part of the packet but not encrypted.
  return encrypted - kTrailerBytes + (shape.mode == Mode::Transport ? ip : 0);
}

uint32_t maximum_inner_size(const SaParameters& parameters, uint32_t outer_mtu) noexcept {
  return maximum_inner_size(EspShape{parameters.transform, parameters.mode,
                                     parameters.local.family(), parameters.udp.enabled()},
                            outer_mtu);
}

uint16_t maximum_tcp_segment(const SaParameters& parameters, net::Family family,
                             uint32_t outer_mtu) noexcept {
  const uint32_t size = maximum_inner_size(parameters, outer_mtu);
  const uint32_t headers = header_bytes(family) + kTcpHeaderBytes;
  if (size <= headers) return 0;
  return static_cast<uint16_t>(std::min<uint32_t>(size - headers, 0xffff));
}

}  // namespace masugata::ipsec
