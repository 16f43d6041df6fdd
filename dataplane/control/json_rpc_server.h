// SPDX-License-Identifier: GPL-2.0-or-later
// Serves JSON-RPC requests of Unix socket clients from the event loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "dataplane/control/event_loop.h"
#include "dataplane/control/json_rpc.h"
#include "dataplane/control/peer_role.h"

namespace masugata::dataplane::control {

class ClientConnection;

// Answers one request; may be copied and kept. Every member is harmless after the client has gone
// or the server was destroyed. Thread: the loop's.
class Responder {
 public:
  // The first of result() and error() answers; later ones are ignored.
  void result(const Json& result) const;
  void error(const RpcError& error) const;
  // A message outside the request's answer, for streams. False: the client has gone; stop.
  bool notify(std::string_view method, const Json& parameters) const;
  // `closed` runs once when the client goes (at once when it has gone already).
  void on_close(std::function<void()> closed) const;

 private:
  friend class ClientConnection;
  struct Pending;
  void answer(std::string line, const RpcError& when_too_large) const;
  explicit Responder(std::shared_ptr<Pending> pending) : pending_(std::move(pending)) {}
  std::shared_ptr<Pending> pending_;
};

// Called on the loop's thread; must return soon and answer then or later through `responder`.
using MethodFunction = std::function<void(const Json& parameters, const Responder& responder)>;

struct Method {
  Role least_role = Role::Observer;
  MethodFunction function;
};

using MethodTable = std::map<std::string, Method, std::less<>>;

// What happens at a bound stands beside it.
struct ServerLimits {
  size_t clients = 32;                            // further ones get an error and are closed
  size_t response_bytes = kMaximumResponseBytes;  // replaced by a TooLarge error
  size_t queued_bytes_per_client = kMaximumResponseBytes + (size_t{4} << 20U);  // disconnected
  size_t queued_bytes = size_t{64} << 20U;    // of all: the one that asks is disconnected
  size_t pause_bytes = size_t{1} << 20U;      // queued: the client is not read meanwhile
  uint32_t pending_requests_per_client = 16;  // the client is not read meanwhile
  uint64_t stall_ms = 30000;                  // takes nothing for so long: disconnected
};

struct ServerCounters {
  uint64_t requests = 0;
  uint64_t refused_clients = 0;
  uint64_t slow_clients = 0;  // disconnected because they did not take their answers
};

// Thread: the loop's. Must be destroyed before the loop.
class JsonRpcServer {
 public:
  JsonRpcServer(EventLoop& loop, MethodTable methods, RoleFunction roles, ServerLimits limits = {});
  JsonRpcServer(const JsonRpcServer&) = delete;
  JsonRpcServer& operator=(const JsonRpcServer&) = delete;
  ~JsonRpcServer();

  // Accepts clients from a listening, non-blocking socket, which stays the caller's and must
  // outlive the server.
  [[nodiscard]] Status accept_from(int listening_socket);
  // Serves a connected stream socket and closes it when done. The role comes from its peer.
  void adopt(int connected_socket);

  [[nodiscard]] size_t client_count() const { return clients_.size(); }
  [[nodiscard]] const ServerCounters& counters() const { return counters_; }

 private:
  friend class ClientConnection;
  void accept_clients();
  void refuse_client(int socket, RpcErrorCode code, const std::string& why);
  void remove_client(int descriptor);
  void close_stalled_clients();

  EventLoop& loop_;
  MethodTable methods_;
  RoleFunction roles_;
  ServerLimits limits_;
  ServerCounters counters_;
  std::map<int, std::shared_ptr<ClientConnection>> clients_;
  size_t queued_bytes_ = 0;
  int listening_socket_ = -1;
  EventLoop::TimerId stall_timer_ = 0;
  EventLoop::TimerId accept_timer_ = 0;
};

}  // namespace masugata::dataplane::control
