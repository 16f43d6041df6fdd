// SPDX-License-Identifier: GPL-2.0-or-later
// The other end of a socket pair, for tests of the server.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "dataplane/control/json_rpc_server.h"

namespace masugata::dataplane::control {

class TestClient {
 public:
  TestClient(EventLoop& loop, JsonRpcServer& server) : loop_(loop) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    socket_ = ends[0];
    server.adopt(ends[1]);
  }
  ~TestClient() { hang_up(); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  void send_text(const std::string& text) {
    ASSERT_EQ(send(socket_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT),
              static_cast<ssize_t>(text.size()));
  }
  void request(int id, const std::string& method, const Json& parameters = Json::object()) {
    const Json message = {
        {"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", parameters}};
    send_text(message.dump() + "\n");
  }
  void serve() {
    for (int quiet = 0; quiet < 3;) quiet = loop_.run_once(0) == 0 ? quiet + 1 : 0;
  }
  // What has arrived by now, without waiting.
  std::string received() {
    std::array<char, 65536> bytes;
    ssize_t length = 0;
    while ((length = recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT)) > 0) {
      input_.append(bytes.data(), static_cast<size_t>(length));
    }
    closed_ = length == 0;
    return std::exchange(input_, {});
  }
  // Serves, and takes exactly one message.
  Json answer() {
    serve();
    const std::string line = received();
    EXPECT_FALSE(line.empty());
    if (line.empty()) return {};
    return Json::parse(line, nullptr, false);
  }
  Json call(const std::string& method, const Json& parameters = Json::object()) {
    request(1, method, parameters);
    return answer();
  }
  bool is_closed_by_server() {
    serve();
    received();
    return closed_;
  }
  void stop_sending() { shutdown(socket_, SHUT_WR); }
  void hang_up() {
    if (socket_ >= 0) close(std::exchange(socket_, -1));
  }

 private:
  EventLoop& loop_;
  int socket_ = -1;
  bool closed_ = false;
  std::string input_;
};

// A server with the methods of a test, and a client that asks it. The role may be changed before a
// client is made anew.
class MethodConversation : public testing::Test {
 protected:
  void serve(MethodTable methods) {
    loop_ = std::move(EventLoop::create([] { return uint64_t{0}; }).value());
    server_ = std::make_unique<JsonRpcServer>(
        *loop_, std::move(methods),
        [this](const PeerCredentials&) { return std::optional(role_); });
    client_ = std::make_unique<TestClient>(*loop_, *server_);
  }
  // The methods speak of what the derived class owns, so the server goes first.
  void TearDown() override {
    client_.reset();
    server_.reset();
  }
  Json result(const std::string& method, const Json& parameters = Json::object()) {
    const Json message = client_->call(method, parameters);
    EXPECT_TRUE(message.contains("result")) << message;
    return message.value("result", Json());
  }
  std::string complaint(const std::string& method, const Json& parameters = Json::object()) {
    const Json message = client_->call(method, parameters);
    if (!message.contains("error")) return "no error";
    return message["error"]["message"].get<std::string>();
  }

  Role role_ = Role::Administrator;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<JsonRpcServer> server_;
  std::unique_ptr<TestClient> client_;
};

}  // namespace masugata::dataplane::control
