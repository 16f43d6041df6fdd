// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/kernel/kernel_objects.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/object.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace masugata::dataplane {

namespace {

bool is_kind(nl_object* object, std::string_view kind) {
  return kind == nl_object_get_type(object);
}

std::optional<net::IpAddress> ip_of(const nl_addr* address) {
  if (address == nullptr) return std::nullopt;
  const auto* bytes = static_cast<const uint8_t*>(nl_addr_get_binary_addr(address));
  const unsigned length = nl_addr_get_len(address);
  if (length == 4) return net::IpAddress::from_v4(net::load_be32(bytes));
  if (length != 16) return std::nullopt;
  const auto ip = net::IpAddress::from_v6(bytes);
  // ::ffff:0:0/96 would be taken for IPv4.
  if (ip.is_v4()) return std::nullopt;
  return ip;
}

net::MacAddress mac_of(const nl_addr* address) {
  net::MacAddress mac;
  if (address != nullptr && nl_addr_get_len(address) == mac.bytes.size()) {
    std::memcpy(mac.bytes.data(), nl_addr_get_binary_addr(address), mac.bytes.size());
  }
  return mac;
}

// The destination of a route; no address is the default route of the family.
std::optional<net::Prefix> destination_of(rtnl_route* route) {
  nl_addr* destination = rtnl_route_get_dst(route);
  const int family = rtnl_route_get_family(route);
  if (destination == nullptr || nl_addr_get_len(destination) == 0) {
    if (family == AF_INET) return net::Prefix{net::IpAddress::from_v4(net::Be32{}), 0};
    return net::Prefix{net::IpAddress{}, 0};
  }
  const auto ip = ip_of(destination);
  if (!ip) return std::nullopt;
  return net::Prefix{*ip, static_cast<uint8_t>(nl_addr_get_prefixlen(destination))};
}

void read_hop(rtnl_nexthop* hop, void* argument) {
  auto& hops = *static_cast<std::vector<KernelHop>*>(argument);
  KernelHop result;
  result.link = rtnl_route_nh_get_ifindex(hop);
  result.gateway = ip_of(rtnl_route_nh_get_gateway(hop));
  if (!result.gateway) result.gateway = ip_of(rtnl_route_nh_get_via(hop));
  // The kernel and libnl count from 0.
  result.weight = static_cast<uint8_t>(std::min(rtnl_route_nh_get_weight(hop) + 1, 255));
  result.alive = (rtnl_route_nh_get_flags(hop) & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) == 0;
  hops.push_back(result);
}

NeighbourState state_of(int state) noexcept {
  if ((state & (NUD_REACHABLE | NUD_PERMANENT | NUD_NOARP)) != 0) return NeighbourState::Reachable;
  // In DELAY and PROBE the kernel is asking again; the old answer still counts.
  if ((state & (NUD_STALE | NUD_DELAY | NUD_PROBE)) != 0) return NeighbourState::Stale;
  if ((state & NUD_FAILED) != 0) return NeighbourState::Failed;
  return NeighbourState::Incomplete;
}

}  // namespace

std::optional<KernelLink> read_link(nl_object* object) {
  if (!is_kind(object, "route/link")) return std::nullopt;
  auto* link = reinterpret_cast<rtnl_link*>(object);
  // Bridges report their ports a second time in a family of their own.
  if (rtnl_link_get_family(link) != AF_UNSPEC) return std::nullopt;
  KernelLink result;
  result.index = rtnl_link_get_ifindex(link);
  if (const char* name = rtnl_link_get_name(link); name != nullptr) result.name = name;
  result.mac = mac_of(rtnl_link_get_addr(link));
  result.mtu = rtnl_link_get_mtu(link);
  result.up = (rtnl_link_get_flags(link) & IFF_UP) != 0;
  result.running = (rtnl_link_get_flags(link) & IFF_RUNNING) != 0;
  return result;
}

std::optional<KernelAddress> read_address(nl_object* object) {
  if (!is_kind(object, "route/addr")) return std::nullopt;
  auto* address = reinterpret_cast<rtnl_addr*>(object);
  const auto ip = ip_of(rtnl_addr_get_local(address));
  if (!ip) return std::nullopt;
  return KernelAddress{rtnl_addr_get_ifindex(address),
                       {*ip, static_cast<uint8_t>(rtnl_addr_get_prefixlen(address))}};
}

std::optional<KernelRoute> read_route(nl_object* object) {
  if (!is_kind(object, "route/route")) return std::nullopt;
  auto* route = reinterpret_cast<rtnl_route*>(object);
  const int family = rtnl_route_get_family(route);
  if (family != AF_INET && family != AF_INET6) return std::nullopt;
  if ((rtnl_route_get_flags(route) & RTM_F_CLONED) != 0) return std::nullopt;
  if (rtnl_route_get_tos(route) != 0) return std::nullopt;
  const nl_addr* source = rtnl_route_get_src(route);
  if (source != nullptr && nl_addr_get_prefixlen(source) != 0) return std::nullopt;
  const auto prefix = destination_of(route);
  if (!prefix) return std::nullopt;
  KernelRoute result;
  result.prefix = prefix->network();
  result.table = rtnl_route_get_table(route);
  result.metric = rtnl_route_get_priority(route);
  result.type = rtnl_route_get_type(route);
  result.protocol = rtnl_route_get_protocol(route);
  rtnl_route_foreach_nexthop(route, read_hop, &result.hops);
  return result;
}

std::optional<KernelNeighbour> read_neighbour(nl_object* object) {
  if (!is_kind(object, "route/neigh")) return std::nullopt;
  auto* neighbour = reinterpret_cast<rtnl_neigh*>(object);
  const int family = rtnl_neigh_get_family(neighbour);
  if (family != AF_INET && family != AF_INET6) return std::nullopt;
  if ((rtnl_neigh_get_flags(neighbour) & NTF_PROXY) != 0) return std::nullopt;
  const auto ip = ip_of(rtnl_neigh_get_dst(neighbour));
  if (!ip || ip->is_multicast()) return std::nullopt;
  const int state = rtnl_neigh_get_state(neighbour);
  return KernelNeighbour{rtnl_neigh_get_ifindex(neighbour), *ip,
                         mac_of(rtnl_neigh_get_lladdr(neighbour)),
                         state_of(state < 0 ? NUD_NONE : state)};
}

}  // namespace masugata::dataplane
