// SPDX-License-Identifier: GPL-2.0-or-later
// What the mirror takes out of netlink messages, as plain structs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/forwarding/neighbour_table.h"
#include "net/address.h"

struct nl_object;

namespace masugata::dataplane {

struct KernelLink {
  int index = 0;  // the kernel's ifindex
  std::string name;
  net::MacAddress mac;
  uint32_t mtu = 0;
  bool up = false;       // IFF_UP
  bool running = false;  // carrier
};

struct KernelAddress {
  int link = 0;
  net::Prefix prefix;  // with host bits
};

struct KernelHop {
  int link = 0;
  std::optional<net::IpAddress> gateway;
  uint8_t weight = 1;
  bool alive = true;  // not RTNH_F_DEAD or RTNH_F_LINKDOWN
  friend bool operator==(const KernelHop&, const KernelHop&) = default;
};

struct KernelRoute {
  net::Prefix prefix;
  uint32_t table = 0;    // RT_TABLE_*
  uint32_t metric = 0;   // lower is better
  uint8_t type = 0;      // RTN_*
  uint8_t protocol = 0;  // RTPROT_*
  std::vector<KernelHop> hops;
  friend bool operator==(const KernelRoute&, const KernelRoute&) = default;
};

struct KernelNeighbour {
  int link = 0;
  net::IpAddress address;
  net::MacAddress mac;
  NeighbourState state = NeighbourState::Incomplete;
};

// nullopt: not of that kind, or something that is not mirrored (another family, a cloned, source
// or TOS route, a proxy entry).
[[nodiscard]] std::optional<KernelLink> read_link(nl_object* object);
[[nodiscard]] std::optional<KernelAddress> read_address(nl_object* object);
[[nodiscard]] std::optional<KernelRoute> read_route(nl_object* object);
[[nodiscard]] std::optional<KernelNeighbour> read_neighbour(nl_object* object);

}  // namespace masugata::dataplane
