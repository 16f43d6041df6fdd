// SPDX-License-Identifier: GPL-2.0-or-later
// usage: web_server ADDRESS PORT
// An HTTP server whose objects are made from their names: GET /KIND/BYTES/SEED (made_objects.h;
// SEED of kSeedDigits hexadecimal digits). One thread; costs little, so that what stands between is
// seen.
#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "tests/bench/antivirus/made_objects.h"

namespace masugata::bench {
namespace {

constexpr size_t kMostBytes = 64 << 20;
constexpr size_t kOwnBytes = 128;  // of each object: with its seed

struct Connection {
  std::string request;
  std::string head;       // of the response, with the first bytes of the object
  std::string_view rest;  // of the object
  [[nodiscard]] bool sends() const { return !head.empty() || !rest.empty(); }
};

class WebServer {
 public:
  bool listen_at(const char* address, uint16_t port) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int yes = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(port);
    if (inet_pton(AF_INET, address, &place.sin_addr) != 1) return false;
    poll_ = epoll_create1(EPOLL_CLOEXEC);
    return bind(listener_, reinterpret_cast<sockaddr*>(&place), sizeof place) == 0 &&
           listen(listener_, 512) == 0 && watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 64> events;
    for (;;) {
      const int count = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const int descriptor = events[static_cast<size_t>(i)].data.fd;
        if (descriptor == listener_) {
          accept_all();
        } else if (!serve(descriptor, connections_[descriptor])) {
          close(descriptor);
          connections_.erase(descriptor);
        }
      }
    }
  }

 private:
  bool watch(int operation, int descriptor, uint32_t for_what) const {
    epoll_event event{};
    event.events = for_what;
    event.data.fd = descriptor;
    return epoll_ctl(poll_, operation, descriptor, &event) == 0;
  }

  void accept_all() {
    for (;;) {
      const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor < 0) return;
      const int yes = 1;
      setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      connections_[descriptor] = {};
      watch(EPOLL_CTL_ADD, descriptor, EPOLLIN);
    }
  }

  // False: the connection is over.
  bool serve(int descriptor, Connection& connection) {
    if (connection.sends()) return send_more(descriptor, connection);
    std::array<char, 8192> bytes;
    const ssize_t count = read(descriptor, bytes.data(), bytes.size());
    if (count < 0) return errno == EAGAIN;
    if (count == 0) return false;
    connection.request.append(bytes.data(), static_cast<size_t>(count));
    if (connection.request.size() > 32 * 1024) return false;
    return answer_next(descriptor, connection);
  }

  bool answer_next(int descriptor, Connection& connection) {
    const size_t end = connection.request.find("\r\n\r\n");
    if (end == std::string::npos) return true;
    const bool known = start_answer(connection.request.substr(0, end), connection);
    connection.request.erase(0, end + 4);
    return known && send_more(descriptor, connection);
  }

  bool start_answer(std::string_view request, Connection& connection) {
    if (!request.starts_with("GET /")) return false;
    request.remove_prefix(5);
    const std::string_view name = request.substr(0, request.find(' '));
    const size_t first = name.find('/');
    const size_t second = name.find('/', first + 1);
    if (second == std::string_view::npos || name.size() != second + 1 + kSeedDigits) return false;
    const bool marked = first != 0 && name[first - 1] == '!';
    const auto kind = kind_named(name.substr(0, marked ? first - 1 : first));
    size_t bytes = 0;
    std::from_chars(name.data() + first + 1, name.data() + second, bytes);
    if (!kind || bytes < 2 * kOwnBytes || bytes > kMostBytes) return false;
    std::string& object = objects_[{*kind, bytes, marked}];
    if (object.empty()) {
      object = made_object(*kind, bytes, 0);
      if (marked) object.replace(bytes - kMark.size(), kMark.size(), kMark);
    }
    connection.head = fmt::format(
        "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: "
        "no-store\r\n"
        "Connection: keep-alive\r\n\r\n",
        media_type(*kind), bytes);
    const size_t begin = connection.head.size();
    connection.head.append(object, 0, kOwnBytes);
    connection.head.replace(begin + seed_place(*kind), kSeedDigits, name.substr(second + 1));
    connection.rest = std::string_view(object).substr(kOwnBytes);
    return true;
  }

  bool send_more(int descriptor, Connection& connection) {
    while (connection.sends()) {
      std::array<iovec, 2> pieces = {
          {{connection.head.data(), connection.head.size()},
           {const_cast<char*>(connection.rest.data()), connection.rest.size()}}};
      const ssize_t sent = writev(descriptor, pieces.data(), 2);
      if (sent < 0 && errno == EAGAIN) return watch(EPOLL_CTL_MOD, descriptor, EPOLLOUT);
      if (sent <= 0) return false;
      const auto count = static_cast<size_t>(sent);
      const size_t of_head = std::min(count, connection.head.size());
      connection.head.erase(0, of_head);
      connection.rest.remove_prefix(count - of_head);
    }
    watch(EPOLL_CTL_MOD, descriptor, EPOLLIN);
    return answer_next(descriptor, connection);
  }

  int listener_ = -1;
  int poll_ = -1;
  std::map<int, Connection> connections_;
  std::map<std::tuple<ObjectKind, size_t, bool>, std::string> objects_;
};

}  // namespace
}  // namespace masugata::bench

int main(int count, char** words) {
  if (count != 3) {
    fmt::print(stderr, "usage: web_server ADDRESS PORT\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  masugata::bench::WebServer server;
  if (!server.listen_at(words[1], static_cast<uint16_t>(std::atoi(words[2])))) {
    fmt::print(stderr, "web_server: cannot listen at {} port {}\n", words[1], words[2]);
    return 1;
  }
  server.run();
}
