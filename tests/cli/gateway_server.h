// SPDX-License-Identifier: GPL-2.0-or-later
// A control socket with a fake gateway behind it, served by a thread of its own.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/control/fake_gateway_state.h"
#include "dataplane/control/json_rpc_server.h"
#include "dataplane/control/listening_socket.h"

namespace masugata::tests {

// Every trace gets `lines` and then its end.
class TracingGateway : public dataplane::control::FakeGatewayState {
 public:
  dataplane::control::EventLoop* loop = nullptr;
  std::vector<dataplane::control::TraceLine> lines;

  Result<dataplane::control::TraceId> start_trace(
      const dataplane::control::TraceRequest& request,
      dataplane::control::TraceListener listener) override;
};

class GatewayServer {
 public:
  // Listens on `path` until the object goes. Change `gateway` before run_thread() and read it
  // after stop().
  explicit GatewayServer(const std::filesystem::path& path);
  ~GatewayServer() { stop(); }
  GatewayServer(const GatewayServer&) = delete;
  GatewayServer& operator=(const GatewayServer&) = delete;

  TracingGateway gateway;
  std::optional<dataplane::control::Role> role = dataplane::control::Role::Administrator;

  void run_thread();
  void stop();

 private:
  std::unique_ptr<dataplane::control::EventLoop> loop_;
  std::optional<dataplane::control::ListeningSocket> socket_;
  std::unique_ptr<dataplane::control::JsonRpcServer> server_;
  std::thread thread_;
};

}  // namespace masugata::tests
