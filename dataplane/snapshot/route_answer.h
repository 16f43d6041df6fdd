// SPDX-License-Identifier: GPL-2.0-or-later
// What admission asks of the routing table, and the shape of the answer.
#pragma once

#include <concepts>
#include <cstdint>

#include "net/address.h"

namespace masugata::dataplane {

enum class RouteKind : uint8_t {
  NoRoute,
  Forward,     // out of `interface`, to `gateway`
  Local,       // one of the gateway's own addresses: zone `self`
  Broadcast,   // directed broadcast of a connected network
  Multicast,
  Blackhole,
  Prohibit,    // answered by ICMP "administratively prohibited"
  Unreachable  // answered by ICMP "host unreachable"
};

struct RouteAnswer {
  RouteKind kind = RouteKind::NoRoute;
  uint16_t interface = 0xffff;        // config interface index; Forward and Local
  uint32_t next_hop = 0xffffffff;     // the forwarding table's own index, opaque here
  net::IpAddress gateway;             // Forward: the router, or the destination when on link
};

// The forwarding table as admission needs it. Lock-free, no allocation.
template <class View>
concept RouteSource = requires(const View& view, const net::IpAddress& address) {
  { view.find_route(address) } noexcept -> std::same_as<RouteAnswer>;
};

}  // namespace masugata::dataplane
