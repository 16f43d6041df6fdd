// SPDX-License-Identifier: GPL-2.0-or-later
// How large a packet may be to leave as one ESP packet.
#pragma once

#include <cstdint>

#include "ipsec/sa/sa_parameters.h"

namespace masugata::ipsec {

// What of an SA decides how much room it takes.
struct EspShape {
  EspTransform transform;
  Mode mode = Mode::Tunnel;
  net::Family outside = net::Family::Ipv4;
  bool in_udp = false;
};

// The longest IP packet, header included, whose ESP packet is at most `outer_mtu` bytes long;
// exact: one byte more would exceed it (RFC 4303 section 2.4: padding to the cipher's block). In
// transport mode the header without options. 0 when not even an empty packet fits.
[[nodiscard]] uint32_t maximum_inner_size(const EspShape& shape, uint32_t outer_mtu) noexcept;
[[nodiscard]] uint32_t maximum_inner_size(const SaParameters& parameters,
                                          uint32_t outer_mtu) noexcept;

// The same as the MSS option of TCP without options inside (RFC 9293 section 3.7.1), for inner
// packets of `family`; at most 65,535, and 0 when nothing fits.
[[nodiscard]] uint16_t maximum_tcp_segment(const SaParameters& parameters, net::Family family,
                                           uint32_t outer_mtu) noexcept;

}  // namespace masugata::ipsec
