// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/kernel/kernel_requests.h"

#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <sys/socket.h>

#include "dataplane/kernel/netlink_socket.h"

namespace masugata::dataplane {

namespace {

using LinkPointer = NetlinkPointer<rtnl_link, rtnl_link_put>;
using InterfaceAddressPointer = NetlinkPointer<rtnl_addr, rtnl_addr_put>;
using RoutePointer = NetlinkPointer<rtnl_route, rtnl_route_put>;
using NeighbourPointer = NetlinkPointer<rtnl_neigh, rtnl_neigh_put>;

int family_of(const net::IpAddress& address) noexcept {
  return address.is_v4() ? AF_INET : AF_INET6;
}

AddressPointer make_address(const net::IpAddress& address) {
  if (address.is_v4()) {
    return AddressPointer(nl_addr_build(AF_INET, address.bytes.data() + 12, 4));
  }
  return AddressPointer(nl_addr_build(AF_INET6, address.bytes.data(), 16));
}

AddressPointer make_prefix(const net::Prefix& prefix) {
  AddressPointer address = make_address(prefix.address);
  if (address != nullptr) nl_addr_set_prefixlen(address.get(), prefix.length);
  return address;
}

Status out_of_memory() { return failure("netlink", "out of memory"); }

Status answer(int error, const std::string& where, const char* what) {
  if (error >= 0) return {};
  return failure(where, std::string("the kernel refuses to ") + what + ": " + netlink_text(error));
}

// The network's last address; the kernel wants it named for IPv4.
Status set_broadcast(rtnl_addr* address, const net::Prefix& prefix) {
  if (prefix.family() != net::Family::Ipv4 || prefix.length > 30) return {};
  const AddressPointer broadcast = make_address(prefix.range().last);
  if (broadcast == nullptr) return out_of_memory();
  return answer(rtnl_addr_set_broadcast(address, broadcast.get()), prefix.to_string(),
                "take the broadcast address");
}

InterfaceAddressPointer make_interface_address(int link, const net::Prefix& prefix) {
  InterfaceAddressPointer address(rtnl_addr_alloc());
  const AddressPointer local = make_prefix(prefix);
  if (address == nullptr || local == nullptr) return nullptr;
  rtnl_addr_set_ifindex(address.get(), link);
  if (rtnl_addr_set_local(address.get(), local.get()) < 0) return nullptr;
  rtnl_addr_set_prefixlen(address.get(), prefix.length);
  return address;
}

RoutePointer make_route(const KernelRoute& route) {
  RoutePointer result(rtnl_route_alloc());
  const AddressPointer destination = make_prefix(route.prefix);
  if (result == nullptr || destination == nullptr) return nullptr;
  rtnl_route_set_family(result.get(), static_cast<uint8_t>(family_of(route.prefix.address)));
  rtnl_route_set_dst(result.get(), destination.get());
  rtnl_route_set_table(result.get(), RT_TABLE_MAIN);
  rtnl_route_set_protocol(result.get(), kRouteProtocol);
  rtnl_route_set_type(result.get(), route.type);
  rtnl_route_set_priority(result.get(), route.metric);
  for (const KernelHop& hop : route.hops) {
    rtnl_nexthop* next = rtnl_route_nh_alloc();
    if (next == nullptr) return nullptr;
    if (hop.link != 0) rtnl_route_nh_set_ifindex(next, hop.link);
    if (hop.gateway) {
      const AddressPointer gateway = make_address(*hop.gateway);
      if (gateway != nullptr) rtnl_route_nh_set_gateway(next, gateway.get());
    }
    rtnl_route_add_nexthop(result.get(), next);
  }
  const bool direct = route.type == RTN_UNICAST && !route.hops.empty() && !route.hops[0].gateway;
  rtnl_route_set_scope(result.get(), direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
  return result;
}

}  // namespace

Status set_link(nl_sock* socket, int link, const TwinConfiguration& twin) {
  const LinkPointer original(rtnl_link_alloc());
  const LinkPointer change(rtnl_link_alloc());
  const AddressPointer mac(nl_addr_build(AF_LLC, twin.mac.bytes.data(), twin.mac.bytes.size()));
  if (original == nullptr || change == nullptr || mac == nullptr) return out_of_memory();
  rtnl_link* found = nullptr;
  const int asked = rtnl_link_get_kernel(socket, link, nullptr, &found);
  const LinkPointer present(found);
  if (asked < 0) return answer(asked, "interface " + twin.name, "look at it");
  rtnl_link_set_ifindex(original.get(), link);
  // Only what differs: a link whose MAC is set, even to the same value, forgets its neighbours.
  const bool mac_differs = nl_addr_cmp(rtnl_link_get_addr(present.get()), mac.get()) != 0;
  const bool mtu_differs = rtnl_link_get_mtu(present.get()) != twin.mtu;
  const bool up_differs = ((rtnl_link_get_flags(present.get()) & IFF_UP) != 0) != twin.up;
  const bool silent = (rtnl_link_get_flags(present.get()) & IFF_NOARP) != 0;
  if (!mac_differs && !mtu_differs && !up_differs && silent == twin.tunnel) return {};
  if (mac_differs) rtnl_link_set_addr(change.get(), mac.get());
  if (mtu_differs) rtnl_link_set_mtu(change.get(), twin.mtu);
  if (twin.tunnel) rtnl_link_set_flags(change.get(), IFF_NOARP);
  if (!twin.tunnel && silent) rtnl_link_unset_flags(change.get(), IFF_NOARP);
  if (up_differs && twin.up) rtnl_link_set_flags(change.get(), IFF_UP);
  if (up_differs && !twin.up) rtnl_link_unset_flags(change.get(), IFF_UP);
  return answer(rtnl_link_change(socket, original.get(), change.get(), 0), "interface " + twin.name,
                "set its MAC, MTU or state");
}

Status add_address(nl_sock* socket, int link, const net::Prefix& prefix, bool detect_duplicates) {
  const InterfaceAddressPointer address = make_interface_address(link, prefix);
  if (address == nullptr) return out_of_memory();
  if (auto status = set_broadcast(address.get(), prefix); !status) return status;
  if (!detect_duplicates && prefix.family() == net::Family::Ipv6) {
    rtnl_addr_set_flags(address.get(), IFA_F_NODAD);
  }
  const int error = rtnl_addr_add(socket, address.get(), NLM_F_CREATE | NLM_F_EXCL);
  if (error == -NLE_EXIST) return {};
  return answer(error, "address " + prefix.to_string(), "add it");
}

Status remove_address(nl_sock* socket, int link, const net::Prefix& prefix) {
  const InterfaceAddressPointer address = make_interface_address(link, prefix);
  if (address == nullptr) return out_of_memory();
  const int error = rtnl_addr_delete(socket, address.get(), 0);
  if (error == -NLE_NOADDR || error == -NLE_OBJ_NOTFOUND || error == -NLE_NODEV) return {};
  return answer(error, "address " + prefix.to_string(), "remove it");
}

Status add_route(nl_sock* socket, const KernelRoute& route) {
  const RoutePointer object = make_route(route);
  if (object == nullptr) return out_of_memory();
  return answer(rtnl_route_add(socket, object.get(), NLM_F_CREATE | NLM_F_REPLACE),
                "route " + route.prefix.to_string(), "add it");
}

Status remove_route(nl_sock* socket, const KernelRoute& route) {
  const RoutePointer object = make_route(route);
  if (object == nullptr) return out_of_memory();
  const int error = rtnl_route_delete(socket, object.get(), 0);
  if (error == -NLE_OBJ_NOTFOUND || error == -NLE_NODEV) return {};
  return answer(error, "route " + route.prefix.to_string(), "remove it");
}

Status use_neighbour(nl_sock* socket, int link, const net::IpAddress& address) {
  const NeighbourPointer neighbour(rtnl_neigh_alloc());
  const AddressPointer destination = make_address(address);
  if (neighbour == nullptr || destination == nullptr) return out_of_memory();
  rtnl_neigh_set_ifindex(neighbour.get(), link);
  rtnl_neigh_set_family(neighbour.get(), family_of(address));
  if (rtnl_neigh_set_dst(neighbour.get(), destination.get()) < 0) return out_of_memory();
  rtnl_neigh_set_flags(neighbour.get(), NTF_USE);
  return answer(rtnl_neigh_add(socket, neighbour.get(), NLM_F_CREATE),
                "neighbour " + address.to_string(), "resolve it");
}

KernelRoute as_kernel_route(const config::StaticRoute& route, int link) {
  KernelRoute result;
  result.prefix = route.destination.network();
  result.table = RT_TABLE_MAIN;
  result.protocol = kRouteProtocol;
  // IPv6 has no metric 0; the kernel would make it 1024.
  result.metric = result.prefix.family() == net::Family::Ipv6 ? 1024 : 0;
  if (route.blackhole) {
    result.type = RTN_BLACKHOLE;
    return result;
  }
  result.type = RTN_UNICAST;
  result.hops.push_back({link, route.via, 1, true});
  return result;
}

}  // namespace masugata::dataplane
