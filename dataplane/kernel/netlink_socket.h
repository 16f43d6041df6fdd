// SPDX-License-Identifier: GPL-2.0-or-later
// Ownership of libnl's objects, and the two ways in which the mirror talks netlink.
#pragma once

#include <netlink/addr.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <functional>
#include <memory>
#include <string>

#include "result/result.h"

namespace masugata::dataplane {

// unique_ptr for a libnl type and the function that frees it.
template <auto Free>
struct NetlinkDeleter {
  template <class Object>
  void operator()(Object* object) const noexcept {
    Free(object);
  }
};
template <class Object, auto Free>
using NetlinkPointer = std::unique_ptr<Object, NetlinkDeleter<Free>>;
using SocketPointer = NetlinkPointer<nl_sock, nl_socket_free>;
using AddressPointer = NetlinkPointer<nl_addr, nl_addr_put>;

// One parsed object of a message: a link, address, route or neighbour. `type` is the message's
// (RTM_NEWROUTE...), `flags` its NLM_F_* bits.
struct NetlinkObject {
  nl_object* object = nullptr;
  int type = 0;
  int flags = 0;
};
using NetlinkHandler = std::function<void(const NetlinkObject&)>;

// libnl's text for a negative return value.
[[nodiscard]] std::string netlink_text(int error);

// A blocking socket for requests and dumps. Fault: the kernel refuses a netlink socket.
[[nodiscard]] Result<SocketPointer> open_request_socket();

// A non-blocking socket that has joined the groups of links, addresses, routes and neighbours.
[[nodiscard]] Result<SocketPointer> open_event_socket(uint32_t receive_buffer_bytes);

// Asks for everything of `request` (RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH) in
// `family` (AF_*) and hands each object to `handler`. Starts again (calling `restart` first) when
// the kernel says that the dump was not consistent.
[[nodiscard]] Status dump(nl_sock* socket, int request, int family, const NetlinkHandler& handler,
                          const std::function<void()>& restart);

enum class ReceiveOutcome { Received, Nothing, Overrun, Failed };

// Takes one datagram of events from a socket of open_event_socket().
[[nodiscard]] ReceiveOutcome receive_events(nl_sock* socket, const NetlinkHandler& handler);

}  // namespace masugata::dataplane
