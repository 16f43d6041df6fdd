// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/kernel/netlink_socket.h"

#include <linux/rtnetlink.h>
#include <netlink/cache.h>
#include <netlink/msg.h>
#include <netlink/route/rtnl.h>
#include <sys/socket.h>

#include <cerrno>

namespace masugata::dataplane {

namespace {

constexpr int kDumpAttempts = 5;

Status refused(const char* what, int error) {
  return failure("netlink", std::string(what) + ": " + netlink_text(error));
}

struct MessageContext {
  const NetlinkHandler& handler;
  NetlinkObject current;
};

void on_object(nl_object* object, void* argument) {
  auto& context = *static_cast<MessageContext*>(argument);
  context.current.object = object;
  context.handler(context.current);
}

int on_message(nl_msg* message, void* argument) {
  auto& context = *static_cast<MessageContext*>(argument);
  const nlmsghdr* header = nlmsg_hdr(message);
  context.current.type = header->nlmsg_type;
  context.current.flags = header->nlmsg_flags;
  // A message that libnl cannot read is one that we do not mirror.
  nl_msg_parse(message, on_object, &context);
  return NL_OK;
}

Result<SocketPointer> open_socket() {
  SocketPointer socket(nl_socket_alloc());
  if (socket == nullptr) return failure("netlink", "out of memory");
  if (const int error = nl_connect(socket.get(), NETLINK_ROUTE); error < 0) {
    return tl::unexpected<Fault>(refused("cannot open a socket", error).error());
  }
  return socket;
}

}  // namespace

std::string netlink_text(int error) { return nl_geterror(error); }

Result<SocketPointer> open_request_socket() { return open_socket(); }

Result<SocketPointer> open_event_socket(uint32_t receive_buffer_bytes) {
  auto socket = open_socket();
  if (!socket) return socket;
  nl_sock* raw = socket->get();
  nl_socket_disable_seq_check(raw);
  const int buffer = static_cast<int>(receive_buffer_bytes);
  // SO_RCVBUFFORCE goes over the system's limit when we may (CAP_NET_ADMIN).
  const int descriptor = nl_socket_get_fd(raw);
  if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0) {
    nl_socket_set_buffer_size(raw, buffer, 0);
  }
  const int error =
      nl_socket_add_memberships(raw, RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR,
                                RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, 0);
  if (error < 0) return tl::unexpected<Fault>(refused("cannot listen to events", error).error());
  nl_socket_set_nonblocking(raw);
  return socket;
}

Status dump(nl_sock* socket, int request, int family, const NetlinkHandler& handler,
            const std::function<void()>& restart) {
  MessageContext context{handler, {}};
  nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, on_message, &context);
  int error = 0;
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    restart();
    error = nl_rtgen_request(socket, request, family, NLM_F_DUMP);
    if (error >= 0) error = nl_recvmsgs_default(socket);
    if (error != -NLE_DUMP_INTR) break;
  }
  nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_DEFAULT, nullptr, nullptr);
  if (error < 0) return refused("a dump failed", error);
  return {};
}

ReceiveOutcome receive_events(nl_sock* socket, const NetlinkHandler& handler) {
  MessageContext context{handler, {}};
  nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, on_message, &context);
  const int error = nl_recvmsgs_default(socket);
  if (error >= 0) return ReceiveOutcome::Received;
  if (error == -NLE_AGAIN) return ReceiveOutcome::Nothing;
  // ENOBUFS arrives as NLE_NOMEM.
  return error == -NLE_NOMEM ? ReceiveOutcome::Overrun : ReceiveOutcome::Failed;
}

}  // namespace masugata::dataplane
