// SPDX-License-Identifier: GPL-2.0-or-later
// What the gateway asks of the kernel: addresses, links, routes of its own, neighbours.
#pragma once

#include <netlink/netlink.h>

#include <cstdint>
#include <string>
#include <vector>

#include "config/model.h"
#include "dataplane/kernel/kernel_interface.h"
#include "dataplane/kernel/kernel_objects.h"
#include "result/result.h"

namespace masugata::dataplane {

// The protocol number that marks routes as ours (see rtnetlink(7), rtm_protocol); only such
// routes are ever removed.
inline constexpr uint8_t kRouteProtocol = 99;

// Each waits for the kernel's answer, which comes at once. Faults name the object and the reason.
[[nodiscard]] Status set_link(nl_sock* socket, int link, const TwinConfiguration& twin);
// Adding what is there, or removing what is gone, succeeds. `detect_duplicates`: IPv6 DAD.
[[nodiscard]] Status add_address(nl_sock* socket, int link, const net::Prefix& prefix,
                                 bool detect_duplicates);
[[nodiscard]] Status remove_address(nl_sock* socket, int link, const net::Prefix& prefix);
// Into the table main, marked as ours; replaces one of the same prefix and metric.
[[nodiscard]] Status add_route(nl_sock* socket, const KernelRoute& route);
[[nodiscard]] Status remove_route(nl_sock* socket, const KernelRoute& route);
// NTF_USE: the kernel starts ARP or neighbour discovery as if it had a packet to send.
[[nodiscard]] Status use_neighbour(nl_sock* socket, int link, const net::IpAddress& address);

// A static route of the configuration as the kernel should hold it. `link` is the ifindex of its
// interface, 0 when none is named.
[[nodiscard]] KernelRoute as_kernel_route(const config::StaticRoute& route, int link);

}  // namespace masugata::dataplane
