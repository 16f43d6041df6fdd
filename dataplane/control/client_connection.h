// SPDX-License-Identifier: GPL-2.0-or-later
// One client of the JSON-RPC server: reads its requests, queues and sends its answers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/control/json_rpc_server.h"

namespace masugata::dataplane::control {

// Thread: the loop's. Owned by its server; Responders know it weakly.
class ClientConnection : public std::enable_shared_from_this<ClientConnection> {
 public:
  // Takes the non-blocking socket over.
  ClientConnection(JsonRpcServer& server, int socket, Role role);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  void ready(uint32_t readiness);
  // Queues a whole line; disconnects when that goes beyond a bound.
  void send_line(const std::string& line);
  // A reply to a request that counted as pending.
  void finish_request();
  // Closes the socket, tells the streams and leaves the server. Harmless when done twice.
  void disconnect();

  [[nodiscard]] bool is_open() const { return socket_ >= 0; }
  // Has taken nothing of what is queued since `limit_ms` ago.
  [[nodiscard]] bool is_stalled(uint64_t now_ms, uint64_t limit_ms) const;
  void add_close_callback(std::function<void()> closed);
  [[nodiscard]] size_t response_limit() const { return server_.limits_.response_bytes; }

 private:
  void read_some();
  void serve_lines();
  void serve_line(std::string_view line);
  void schedule_lines();
  void flush();
  void input_has_ended();
  void update_interest();
  void disconnect_slow();
  void disconnect_when_drained();
  [[nodiscard]] bool is_paused() const;
  [[nodiscard]] size_t queued() const { return output_.size() - sent_; }

  JsonRpcServer& server_;
  int socket_;
  Role role_;
  LineReader input_;
  std::string output_;
  size_t sent_ = 0;  // of output_
  uint64_t progress_ms_ = 0;
  uint32_t pending_ = 0;
  bool lines_scheduled_ = false;
  bool input_ended_ = false;  // the peer says nothing more, or nothing that we can follow
  std::vector<std::function<void()>> close_callbacks_;
};

struct Responder::Pending {
  Pending() = default;
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;
  ~Pending();  // a method that forgets to answer must not leave its client waiting

  std::weak_ptr<ClientConnection> client;
  Json id;
  bool is_notification = false;
  bool answered = false;
};

}  // namespace masugata::dataplane::control
