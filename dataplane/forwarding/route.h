// SPDX-License-Identifier: GPL-2.0-or-later
// What the forwarding table answers, and how the control side says what it holds.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "dataplane/identifiers.h"
#include "net/address.h"

namespace masugata::dataplane {

enum class RouteKind : uint8_t {
  Unreachable,  // no route, or an explicit unreachable: ICMP net unreachable
  Blackhole,    // drop in silence
  Prohibit,     // ICMP administratively prohibited
  Local,        // an address of the box: zone self
  Broadcast,    // a directed broadcast address of a connected IPv4 network
  Connected,    // the destination itself is the neighbour
  Gateway,      // `gateway` is the neighbour
};

// "gateway", "connected", ... for `show routes` and traces.
[[nodiscard]] constexpr std::string_view name_of(RouteKind kind) noexcept {
  constexpr std::string_view kNames[] = {"unreachable", "blackhole", "prohibit", "local",
                                         "broadcast",   "connected", "gateway"};
  return kNames[static_cast<uint8_t>(kind)];
}

struct Route {
  RouteKind kind = RouteKind::Unreachable;
  // Index into config::Model::interfaces; where the packet leaves (Connected, Gateway, Broadcast)
  // or whose address it is (Local). kNoInterface when there is none.
  InterfaceIndex interface = kNoInterface;
  net::IpAddress gateway;  // Gateway only; may be of the other family (RFC 8950)

  // The neighbour to resolve for a packet to `destination`: Connected and Gateway only.
  [[nodiscard]] const net::IpAddress& next_hop(const net::IpAddress& destination) const noexcept {
    return kind == RouteKind::Gateway ? gateway : destination;
  }
  friend auto operator<=>(const Route&, const Route&) = default;
};

// One way of an equal-cost route. Weights are relative; 0 counts as 1.
struct RoutePath {
  Route route;
  uint8_t weight = 1;
  friend auto operator<=>(const RoutePath&, const RoutePath&) = default;
};

// What one prefix maps to. `prefix` has its host bits cleared; `paths` holds 1..kMaximumPaths.
struct RouteEntry {
  net::Prefix prefix;
  std::vector<RoutePath> paths;
  friend bool operator==(const RouteEntry&, const RouteEntry&) = default;
};

// More equal-cost paths than this are cut off in the order given.
inline constexpr std::size_t kMaximumPaths = 16;

}  // namespace masugata::dataplane
