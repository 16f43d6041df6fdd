// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/cli/gateway_server.h"

#include <gtest/gtest.h>

#include "dataplane/control/methods.h"

namespace masugata::tests {

using namespace dataplane::control;

Result<TraceId> TracingGateway::start_trace(const TraceRequest& request, TraceListener listener) {
  const auto id = FakeGatewayState::start_trace(request, listener);
  loop->call_after(0, [this, listener] {
    for (const TraceLine& line : lines) listener.line(line);
    listener.ended("packet limit reached");
  });
  return id;
}

GatewayServer::GatewayServer(const std::filesystem::path& path) {
  loop_ = std::move(EventLoop::create().value());
  socket_ = std::move(ListeningSocket::create(path.string(), 0600, std::nullopt).value());
  gateway.loop = loop_.get();
}

void GatewayServer::run_thread() {
  server_ = std::make_unique<JsonRpcServer>(*loop_, gateway_methods(gateway),
                                            [this](const PeerCredentials&) { return role; });
  ASSERT_TRUE(server_->accept_from(socket_->descriptor()));
  thread_ = std::thread([this] { loop_->run(); });
}

void GatewayServer::stop() {
  if (!thread_.joinable()) return;
  loop_->stop();
  thread_.join();
  server_.reset();
}

}  // namespace masugata::tests
