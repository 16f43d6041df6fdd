// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes of a client -> the whole control socket server with a fake gateway behind it. Whatever
// comes in, every answer is one line of JSON-RPC 2.0 and nothing stays behind when the client goes.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "dataplane/control/fake_gateway_state.h"
#include "dataplane/control/methods.h"

namespace {

using namespace masugata::dataplane::control;

void require(bool condition) {
  if (!condition) std::abort();
}

void serve(EventLoop& loop) {
  while (loop.run_once(0) > 0) {
  }
}

void check_answers(std::string_view text) {
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    require(newline != std::string_view::npos);
    const Json answer = Json::parse(text.substr(0, newline), nullptr, false);
    require(answer.is_object() && answer.value("jsonrpc", "") == "2.0");
    if (answer.contains("method")) {
      require(answer.contains("params"));
    } else {
      require(answer.contains("id") && answer.contains("result") != answer.contains("error"));
    }
    text.remove_prefix(newline + 1);
  }
}

std::string take_answers(int socket) {
  std::string text;
  std::array<char, 65536> bytes;
  ssize_t length = 0;
  while ((length = recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT)) > 0) {
    text.append(bytes.data(), static_cast<size_t>(length));
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 65536) return 0;  // more would not fit into the socket at once
  const auto loop = EventLoop::create([] { return uint64_t{0}; });
  require(loop.has_value());
  FakeGatewayState state;
  JsonRpcServer server(**loop, gateway_methods(state),
                       [](const PeerCredentials&) { return Role::Administrator; });
  int ends[2];
  require(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  server.adopt(ends[1]);
  (void)!send(ends[0], data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  std::string answers;
  for (std::string more = "-"; !more.empty();) {
    serve(**loop);
    more = take_answers(ends[0]);
    answers += more;
  }
  check_answers(answers);
  close(ends[0]);
  serve(**loop);
  require(server.client_count() == 0 && state.running_traces.empty());
  return 0;
}
