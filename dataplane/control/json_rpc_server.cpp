// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/json_rpc_server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "dataplane/control/client_connection.h"

namespace masugata::dataplane::control {
namespace {

constexpr int kAcceptsPerRound = 8;
constexpr uint64_t kStallCheckMs = 5000;
constexpr uint64_t kAcceptRetryMs = 1000;

}  // namespace

Responder::Pending::~Pending() {
  if (answered) return;
  const auto alive = client.lock();
  if (!alive) return;
  if (!is_notification) {
    alive->send_line(encode_error(
        id, {RpcErrorCode::InternalError, "the gateway gave no answer: please report it", {}}));
  }
  alive->finish_request();
}

void Responder::answer(std::string line, const RpcError& when_too_large) const {
  const auto client = pending_->client.lock();
  if (!client) return;
  if (!pending_->is_notification) {
    if (line.size() > client->response_limit()) line = encode_error(pending_->id, when_too_large);
    client->send_line(line);
  }
  client->finish_request();
}

void Responder::result(const Json& result) const {
  if (std::exchange(pending_->answered, true)) return;
  answer(encode_result(pending_->id, result),
         {RpcErrorCode::TooLarge, "the answer is too large: narrow the question", {}});
}

void Responder::error(const RpcError& error) const {
  if (std::exchange(pending_->answered, true)) return;
  answer(encode_error(pending_->id, error), {error.code, error.message, {}});
}

bool Responder::notify(std::string_view method, const Json& parameters) const {
  const auto client = pending_->client.lock();
  if (!client || !client->is_open()) return false;
  client->send_line(encode_notification(method, parameters));
  return client->is_open();
}

void Responder::on_close(std::function<void()> closed) const {
  if (const auto client = pending_->client.lock()) {
    client->add_close_callback(std::move(closed));
  } else {
    closed();
  }
}

JsonRpcServer::JsonRpcServer(EventLoop& loop, MethodTable methods, RoleFunction roles,
                             ServerLimits limits)
    : loop_(loop), methods_(std::move(methods)), roles_(std::move(roles)), limits_(limits) {
  stall_timer_ = loop_.call_every(kStallCheckMs, [this] { close_stalled_clients(); });
}

JsonRpcServer::~JsonRpcServer() {
  loop_.cancel(stall_timer_);
  loop_.cancel(accept_timer_);
  if (listening_socket_ >= 0) loop_.forget(listening_socket_);
  while (!clients_.empty()) {
    const auto client = clients_.begin()->second;
    client->disconnect();
  }
}

Status JsonRpcServer::accept_from(int listening_socket) {
  auto watched = loop_.watch(listening_socket, kReadable, [this](uint32_t) { accept_clients(); });
  if (watched) listening_socket_ = listening_socket;
  return watched;
}

void JsonRpcServer::accept_clients() {
  for (int accepted = 0; accepted < kAcceptsPerRound; ++accepted) {
    const int socket = accept4(listening_socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket >= 0) {
      adopt(socket);
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      // The waiting client would wake the loop without end: look again later.
      (void)loop_.change_interest(listening_socket_, 0);
      accept_timer_ = loop_.call_after(
          kAcceptRetryMs, [this] { (void)loop_.change_interest(listening_socket_, kReadable); });
    }
    return;
  }
}

void JsonRpcServer::refuse_client(int socket, RpcErrorCode code, const std::string& why) {
  ++counters_.refused_clients;
  const std::string line = encode_error(nullptr, {code, why, {}});
  (void)!send(socket, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  close(socket);
}

void JsonRpcServer::adopt(int connected_socket) {
  const auto peer = peer_credentials(connected_socket);
  const auto role = peer ? roles_(*peer) : std::nullopt;
  if (!role) {
    refuse_client(connected_socket, RpcErrorCode::NotPermitted,
                  "only root and the group masugata may use this socket");
    return;
  }
  if (clients_.size() >= limits_.clients) {
    refuse_client(connected_socket, RpcErrorCode::Overloaded,
                  "too many clients are connected: try again later");
    return;
  }
  fcntl(connected_socket, F_SETFL, fcntl(connected_socket, F_GETFL) | O_NONBLOCK);
  auto client = std::make_shared<ClientConnection>(*this, connected_socket, *role);
  const auto watched =
      loop_.watch(connected_socket, kReadable,
                  [weak = std::weak_ptr<ClientConnection>(client)](uint32_t readiness) {
                    if (const auto alive = weak.lock()) alive->ready(readiness);
                  });
  if (!watched) return;  // the client closes its socket
  clients_[connected_socket] = std::move(client);
}

void JsonRpcServer::remove_client(int descriptor) {
  loop_.forget(descriptor);
  clients_.erase(descriptor);
}

void JsonRpcServer::close_stalled_clients() {
  std::vector<std::shared_ptr<ClientConnection>> stalled;
  for (const auto& [descriptor, client] : clients_) {
    if (client->is_stalled(loop_.now_ms(), limits_.stall_ms)) stalled.push_back(client);
  }
  for (const auto& client : stalled) {
    ++counters_.slow_clients;
    client->disconnect();
  }
}

}  // namespace masugata::dataplane::control
