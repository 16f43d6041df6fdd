// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/client_connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <exception>
#include <utility>

namespace masugata::dataplane::control {
namespace {

constexpr size_t kReadBytes = 65536;
constexpr int kLinesPerRound = 16;

}  // namespace

ClientConnection::ClientConnection(JsonRpcServer& server, int socket, Role role)
    : server_(server), socket_(socket), role_(role) {}

ClientConnection::~ClientConnection() {
  if (socket_ >= 0) close(socket_);
}

void ClientConnection::ready(uint32_t readiness) {
  const auto alive = shared_from_this();
  if ((readiness & kWritable) != 0) flush();
  if (is_open() && (readiness & kReadable) != 0) read_some();
}

void ClientConnection::read_some() {
  // A hang-up is reported even while nothing is asked for.
  if (input_ended_) {
    disconnect();
    return;
  }
  std::array<char, kReadBytes> bytes;
  const ssize_t length = recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (length < 0) {
    if (errno != EAGAIN && errno != EINTR) disconnect();
    return;
  }
  if (length == 0) {
    input_has_ended();
    return;
  }
  input_.append({bytes.data(), static_cast<size_t>(length)});
  serve_lines();
}

// A client may shut down its sending side and still wait for answers; a stream without anybody
// to end it is not kept for that.
void ClientConnection::input_has_ended() {
  input_ended_ = true;
  const bool answers_are_due = pending_ > 0 || queued() > 0 || lines_scheduled_;
  if (!answers_are_due || !close_callbacks_.empty()) {
    disconnect();
    return;
  }
  update_interest();
}

bool ClientConnection::is_paused() const {
  return pending_ >= server_.limits_.pending_requests_per_client ||
         queued() >= server_.limits_.pause_bytes;
}

void ClientConnection::serve_lines() {
  for (int served = 0; is_open() && !is_paused(); ++served) {
    if (served == kLinesPerRound) {
      schedule_lines();
      break;
    }
    std::string_view line;
    const auto next = input_.next(line);
    if (next == LineReader::Next::NeedMore) break;
    if (next == LineReader::Next::TooLong) {
      input_ended_ = true;
      send_line(encode_error(
          nullptr, {RpcErrorCode::TooLarge, "a request has at most 1 MiB in one line", nullptr}));
      break;
    }
    if (!line.empty()) serve_line(line);
  }
  if (is_open()) update_interest();
}

void ClientConnection::schedule_lines() {
  if (lines_scheduled_) return;
  lines_scheduled_ = true;
  server_.loop_.call_after(0, [weak = weak_from_this()] {
    const auto client = weak.lock();
    if (!client) return;
    client->lines_scheduled_ = false;
    if (!client->is_open()) return;
    client->serve_lines();
    client->disconnect_when_drained();
  });
}

void ClientConnection::serve_line(std::string_view line) {
  ++server_.counters_.requests;
  auto request = decode_request(line);
  if (!request) {
    send_line(encode_error(request.error().id, request.error().error));
    return;
  }
  ++pending_;
  auto pending = std::make_shared<Responder::Pending>();
  pending->client = weak_from_this();
  pending->id = std::move(request->id);
  pending->is_notification = request->is_notification;
  const Responder responder(std::move(pending));

  const auto method = server_.methods_.find(request->method);
  if (method == server_.methods_.end()) {
    responder.error({RpcErrorCode::MethodNotFound, "there is no method " + request->method, {}});
    return;
  }
  if (role_ < method->second.least_role) {
    responder.error({RpcErrorCode::NotPermitted,
                     request->method + " is for administrators: root or the group masugata",
                     {}});
    return;
  }
  try {
    method->second.function(request->parameters, responder);
  } catch (const std::exception& exception) {
    responder.error({RpcErrorCode::InternalError, exception.what(), {}});
  }
}

void ClientConnection::finish_request() {
  const bool was_paused = is_paused();
  if (pending_ > 0) --pending_;
  if (was_paused && !is_paused()) schedule_lines();
  disconnect_when_drained();
}

void ClientConnection::disconnect_when_drained() {
  if (input_ended_ && pending_ == 0 && queued() == 0 && !lines_scheduled_) disconnect();
}

void ClientConnection::send_line(const std::string& line) {
  if (!is_open()) return;
  const auto& limits = server_.limits_;
  if (queued() + line.size() > limits.queued_bytes_per_client ||
      server_.queued_bytes_ + line.size() > limits.queued_bytes) {
    disconnect_slow();
    return;
  }
  if (queued() == 0) progress_ms_ = server_.loop_.now_ms();
  output_ += line;
  server_.queued_bytes_ += line.size();
  flush();
}

void ClientConnection::flush() {
  const auto alive = shared_from_this();
  const bool was_paused = is_paused();
  while (queued() > 0) {
    const ssize_t length =
        send(socket_, output_.data() + sent_, queued(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0 && errno == EAGAIN) break;
    if (length < 0) {
      disconnect();
      return;
    }
    sent_ += static_cast<size_t>(length);
    server_.queued_bytes_ -= static_cast<size_t>(length);
    progress_ms_ = server_.loop_.now_ms();
  }
  if (queued() == 0) {
    output_.clear();
    if (output_.capacity() > kReadBytes) output_.shrink_to_fit();
    sent_ = 0;
  } else if (sent_ >= size_t{1} << 20U) {
    output_.erase(0, sent_);
    sent_ = 0;
  }
  if (was_paused && !is_paused()) schedule_lines();
  disconnect_when_drained();
  if (is_open()) update_interest();
}

void ClientConnection::update_interest() {
  uint32_t interest = 0;
  if (!input_ended_ && !is_paused() && !lines_scheduled_) interest |= kReadable;
  if (queued() > 0) interest |= kWritable;
  if (!server_.loop_.change_interest(socket_, interest)) disconnect();
}

bool ClientConnection::is_stalled(uint64_t now_ms, uint64_t limit_ms) const {
  return queued() > 0 && now_ms - progress_ms_ >= limit_ms;
}

void ClientConnection::disconnect_slow() {
  ++server_.counters_.slow_clients;
  disconnect();
}

void ClientConnection::add_close_callback(std::function<void()> closed) {
  if (!is_open()) {
    closed();
    return;
  }
  close_callbacks_.push_back(std::move(closed));
}

void ClientConnection::disconnect() {
  if (!is_open()) return;
  const auto alive = shared_from_this();
  const int socket = std::exchange(socket_, -1);
  server_.queued_bytes_ -= queued();
  sent_ = output_.size();
  server_.remove_client(socket);
  close(socket);
  const auto callbacks = std::exchange(close_callbacks_, {});
  for (const auto& callback : callbacks) callback();
}

}  // namespace masugata::dataplane::control
