// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/protocol/json_rpc_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace masugata::cli {
namespace {

using nlohmann::json;

constexpr const char* kHowToStart =
    "start it (systemctl start masugata) or name its socket with --control-socket";

tl::unexpected<CallError> refused(std::string message) {
  return tl::unexpected(CallError{CallError::Kind::Refused, std::move(message)});
}

std::string connect_problem(const std::string& path, int reason) {
  switch (reason) {
    case ENOENT:
    case ECONNREFUSED:
      return fmt::format("no gateway listens on {}: {}", path, kHowToStart);
    case EACCES:
    case EPERM:
      return fmt::format("no permission to use {}: become root or a member of the group masugata",
                         path);
    case EAGAIN:
      return fmt::format("the gateway at {} has no room for another client: try again", path);
    default:
      return fmt::format("cannot connect to {}: {}", path, std::strerror(reason));
  }
}

void set_receive_timeout(int socket, int seconds) {
  const timeval timeout{seconds, 0};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
}

// The text of an error answer, tolerant of servers of another version.
std::string error_text(const json& message) {
  const json& error = message.at("error");
  if (error.is_object() && error.contains("message") && error["message"].is_string()) {
    return error["message"].get<std::string>();
  }
  return "the gateway refused without saying why";
}

}  // namespace

tl::expected<JsonRpcClient, CallError> JsonRpcClient::connect(const std::string& path) {
  const auto unreachable = [](std::string message) {
    return tl::unexpected(CallError{CallError::Kind::Unreachable, std::move(message)});
  };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return unreachable(fmt::format("'{}' is no socket path: it has 1 to 107 bytes", path));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return unreachable(connect_problem(path, errno));
  JsonRpcClient client(socket, path);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return unreachable(connect_problem(path, errno));
  }
  return client;
}

JsonRpcClient::JsonRpcClient(JsonRpcClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      path_(std::move(other.path_)),
      input_(std::move(other.input_)),
      last_id_(other.last_id_),
      answer_seconds_(other.answer_seconds_) {}

JsonRpcClient::~JsonRpcClient() {
  if (socket_ >= 0) close(socket_);
}

pid_t JsonRpcClient::peer() const {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(socket_, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return 0;
  return credentials.pid;
}

tl::unexpected<CallError> JsonRpcClient::unreachable(const std::string& why) const {
  return tl::unexpected(
      CallError{CallError::Kind::Unreachable, fmt::format("the gateway at {} {}", path_, why)});
}

tl::expected<json, CallError> JsonRpcClient::call(const std::string& method,
                                                  const json& parameters) {
  const int id = ++last_id_;
  const json request = {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", parameters}};
  const std::string line = request.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  size_t sent = 0;
  while (sent < line.size()) {
    const ssize_t length = send(socket_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (length < 0 && errno == EINTR) continue;
    // A gateway that refuses this client closes at once; what it said can still be read.
    if (length < 0) break;
    sent += static_cast<size_t>(length);
  }
  set_receive_timeout(socket_, answer_seconds_);
  while (true) {
    auto message = next_message();
    if (!message) return tl::unexpected(message.error());
    if (!message->contains("id")) continue;
    const bool is_ours = message->at("id") == id;
    if (message->contains("error")) {
      if (is_ours) return refused(error_text(*message));
      return unreachable("refuses: " + error_text(*message));
    }
    if (is_ours && message->contains("result")) return std::move(message->at("result"));
    return unreachable("sent something that is no answer: are both of the same version?");
  }
}

tl::expected<Notification, CallError> JsonRpcClient::next_notification() {
  set_receive_timeout(socket_, 0);
  while (true) {
    auto message = next_message();
    if (!message) return tl::unexpected(message.error());
    if (message->contains("id") || !message->contains("method")) continue;
    if (!message->at("method").is_string()) continue;
    return Notification{message->at("method").get<std::string>(),
                        message->value("params", json::object())};
  }
}

tl::expected<json, CallError> JsonRpcClient::next_message() {
  size_t searched = 0;
  while (true) {
    const size_t newline = input_.find('\n', searched);
    if (newline != std::string::npos) {
      json message = json::parse(std::string_view(input_).substr(0, newline), nullptr, false);
      input_.erase(0, newline + 1);
      if (!message.is_object()) return unreachable("sent something that is no JSON-RPC message");
      return message;
    }
    searched = input_.size();
    if (input_.size() > kMaximumLineBytes) return unreachable("sent a message without end");
    if (auto received = receive_more(); !received) {
      return tl::unexpected(received.error());
    }
  }
}

tl::expected<void, CallError> JsonRpcClient::receive_more() {
  std::array<char, 65536> bytes;
  while (true) {
    const ssize_t length = recv(socket_, bytes.data(), bytes.size(), 0);
    if (length > 0) {
      input_.append(bytes.data(), static_cast<size_t>(length));
      return {};
    }
    if (length == 0) return unreachable("closed the connection");
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      return unreachable(fmt::format("did not answer within {} seconds", answer_seconds_));
    }
    return unreachable(fmt::format("is gone: {}", std::strerror(errno)));
  }
}

}  // namespace masugata::cli
