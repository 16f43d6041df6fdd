// SPDX-License-Identifier: GPL-2.0-or-later
// The traffic of the measurements: 64-byte UDP frames (60 without the frame check sequence) of
// numbered flows.
#pragma once

#include <rte_mbuf.h>

#include <cstddef>
#include <cstdint>

#include "net/address.h"
#include "net/byte_order.h"

namespace masugata::bench {

inline constexpr size_t kLan = 0;
inline constexpr size_t kWan = 1;
inline constexpr uint16_t kFrameBytes = 60;
inline constexpr uint16_t kServerPort = 53;

inline constexpr uint32_t kGatewayLan = 0x0a000001;  // 10.0.0.1/24
inline constexpr uint32_t kLanRouter = 0x0a000002;   // 10.0.0.0/8 is behind it
inline constexpr uint32_t kGatewayWan = 0xcb007102;  // 203.0.113.2/24
inline constexpr uint32_t kWanRouter = 0xcb007101;   // everything else is behind it

[[nodiscard]] inline net::MacAddress gateway_mac(size_t port) noexcept {
  return {{0x02, 0, 0, 0, 0, static_cast<uint8_t>(port + 1)}};
}
[[nodiscard]] inline net::MacAddress router_mac(size_t port) noexcept {
  return {{0x02, 0, 0, 0, 0x10, static_cast<uint8_t>(port + 1)}};
}

struct UdpEndpoints {
  net::Be32 source;
  net::Be32 destination;
  net::Be16 source_port;
  net::Be16 destination_port;
};

// Flow `number` as its client sends it: 61,440 clients in 10.1.0.0/16, 65,536 servers in
// 198.18.0.0/16, distinct for the first 3.9 thousand million numbers.
[[nodiscard]] UdpEndpoints client_flow(uint32_t number) noexcept;

// Makes `frame` a 60-byte frame for the gateway's `port`, checksums right, receive flags empty
// unless `checksums_checked` (as by a port that checks them).
void write_frame(rte_mbuf& frame, const UdpEndpoints& endpoints, size_t port,
                 bool checksums_checked) noexcept;

// Source address and port of an IPv4 UDP frame without options.
void read_source(const rte_mbuf& frame, net::Be32& address, net::Be16& port) noexcept;

}  // namespace masugata::bench
