// SPDX-License-Identifier: GPL-2.0-or-later
// Fetches objects of web_server over connections that are kept, directly or through a proxy, each
// connection one after the other, and says in JSON how long that took.
#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/bench/antivirus/made_objects.h"
#include "tests/bench/antivirus/response_reader.h"
#include "tests/bench/spread.h"

namespace masugata::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string server;  // ADDRESS:PORT
  std::string proxy;   // the same; empty: directly
  std::vector<ObjectKind> kinds;
  size_t bytes = 1000;
  uint64_t first = 1;        // seed of the first object
  uint64_t distinct = 0;     // after so many the first comes again; 0: never
  int patience_ms = 60'000;  // without a byte
  bool marked = false;       // objects that ought to be stopped
  uint32_t connections = 1;
  uint32_t count = 1000;
};

bool read_place(const std::string& text, sockaddr_in& place) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return false;
  place.sin_family = AF_INET;
  place.sin_port = htons(static_cast<uint16_t>(std::atoi(text.c_str() + colon + 1)));
  return inet_pton(AF_INET, text.substr(0, colon).c_str(), &place.sin_addr) == 1;
}

class WebLoad {
 public:
  explicit WebLoad(const Options& options)
      : options_(options), poll_(epoll_create1(EPOLL_CLOEXEC)) {}

  bool run() {
    if (!read_place(options_.proxy.empty() ? options_.server : options_.proxy, place_))
      return false;
    connections_.resize(options_.connections);
    const auto begin = Clock::now();
    for (uint32_t i = 0; i < connections_.size(); ++i) ask_next(i);
    std::array<epoll_event, 64> events;
    while (finished_ < options_.count && failures_ < kMostFailures) {
      const int count =
          epoll_wait(poll_, events.data(), static_cast<int>(events.size()), options_.patience_ms);
      if (count <= 0) {
        problem_ = "nothing comes any more";
        break;
      }
      for (int i = 0; i < count; ++i) receive(events[static_cast<size_t>(i)].data.u32);
    }
    seconds_ = std::chrono::duration<double>(Clock::now() - begin).count();
    return true;
  }

  [[nodiscard]] nlohmann::json report() const {
    return {{"objects", latencies_us_.size()},
            {"bytes", bytes_},
            {"seconds", seconds_},
            {"median_us", quantile(latencies_us_, 0.5)},
            {"p99_us", quantile(latencies_us_, 0.99)},
            {"first_byte_median_us", quantile(first_bytes_us_, 0.5)},
            {"failures", failures_},
            {"connections", opened_},
            {"problem", problem_}};
  }

 private:
  static constexpr uint32_t kMostFailures = 100;

  struct Connection {
    int descriptor = -1;
    bool asked = false;
    bool began = false;  // the first byte came
    ObjectKind kind = ObjectKind::Page;
    uint64_t seed = 0;
    Clock::time_point since;
    ResponseReader response;
  };

  void open(Connection& connection, uint32_t number) {
    connection.descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    setsockopt(connection.descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(connection.descriptor, reinterpret_cast<const sockaddr*>(&place_), sizeof place_)) {
      fail("cannot connect");
      close(connection.descriptor);
      connection.descriptor = -1;
      return;
    }
    ++opened_;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = number;
    epoll_ctl(poll_, EPOLL_CTL_ADD, connection.descriptor, &event);
  }

  void fail(const std::string& problem) {
    ++failures_;
    problem_ = problem;
  }

  void ask_next(uint32_t number) {
    Connection& connection = connections_[number];
    while (asked_ < options_.count && failures_ < kMostFailures) {
      if (connection.descriptor < 0) open(connection, number);
      if (connection.descriptor < 0) continue;
      const uint64_t turn = options_.distinct == 0 ? asked_ : asked_ % options_.distinct;
      connection.kind = options_.kinds[turn % options_.kinds.size()];
      connection.seed = options_.first + turn;
      connection.response.begin();
      connection.began = false;
      connection.asked = true;
      ++asked_;
      const std::string text = request(connection);
      connection.since = Clock::now();
      if (send(connection.descriptor, text.data(), text.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(text.size())) {
        return;
      }
      // Closed between two requests: not the measured one's fault.
      connection.asked = false;
      --asked_;
      shut(connection);
    }
  }

  [[nodiscard]] std::string request(const Connection& connection) const {
    std::string digits(kSeedDigits, '0');
    write_seed(digits.data(), connection.seed);
    return fmt::format(
        "GET {}/{}{}/{}/{} HTTP/1.1\r\nHost: {}\r\nUser-Agent: measurement\r\n"
        "Connection: keep-alive\r\n\r\n",
        options_.proxy.empty() ? "" : "http://" + options_.server, name_of(connection.kind),
        options_.marked ? "!" : "", options_.bytes, digits, options_.server);
  }

  void shut(Connection& connection) {
    if (connection.descriptor >= 0) close(connection.descriptor);
    connection.descriptor = -1;
  }

  void receive(uint32_t number) {
    Connection& connection = connections_[number];
    const ssize_t count = recv(connection.descriptor, buffer_.data(), buffer_.size(), 0);
    if (!connection.asked) {
      shut(connection);
      return;
    }
    if (count > 0) {
      if (!connection.began) first_bytes_us_.push_back(elapsed_us(connection));
      connection.began = true;
      connection.response.take({buffer_.data(), static_cast<size_t>(count)});
    } else {
      connection.response.closed();
    }
    if (connection.response.done()) {
      finish(connection);
    } else if (connection.response.broken()) {
      fail(fmt::format("a response broke off after {} bytes", connection.response.body_bytes()));
      ++finished_;
    } else {
      return;
    }
    connection.asked = false;
    if (count <= 0 || connection.response.broken() || connection.response.last_of_connection()) {
      shut(connection);
    }
    ask_next(number);
  }

  [[nodiscard]] static double elapsed_us(const Connection& connection) {
    return std::chrono::duration<double, std::micro>(Clock::now() - connection.since).count();
  }

  void finish(const Connection& connection) {
    ++finished_;
    std::string digits(kSeedDigits, '0');
    write_seed(digits.data(), connection.seed);
    const ResponseReader& response = connection.response;
    const size_t at = seed_place(connection.kind);
    if (response.status() != 200 || response.body_bytes() != options_.bytes ||
        response.body_begin().compare(at, kSeedDigits, digits) != 0) {
      fail(fmt::format("status {}, {} bytes", response.status(), response.body_bytes()));
      return;
    }
    latencies_us_.push_back(elapsed_us(connection));
    bytes_ += response.body_bytes();
  }

  Options options_;
  int poll_;
  sockaddr_in place_{};
  std::vector<Connection> connections_;
  std::array<char, 256 * 1024> buffer_;
  uint32_t asked_ = 0;
  uint32_t finished_ = 0;
  uint32_t failures_ = 0;
  uint32_t opened_ = 0;
  uint64_t bytes_ = 0;
  double seconds_ = 0;
  std::string problem_;
  std::vector<double> latencies_us_;
  std::vector<double> first_bytes_us_;
};

bool read_option(const std::string& name, const std::string& value, Options& options) {
  if (name == "--server") {
    options.server = value;
  } else if (name == "--proxy") {
    options.proxy = value;
  } else if (name == "--kind") {
    const auto kind = kind_named(value);
    if (!kind) return false;
    options.kinds.push_back(*kind);
  } else if (name == "--bytes") {
    options.bytes = std::strtoull(value.c_str(), nullptr, 10);
  } else if (name == "--first") {
    options.first = std::strtoull(value.c_str(), nullptr, 10);
  } else if (name == "--distinct") {
    options.distinct = std::strtoull(value.c_str(), nullptr, 10);
  } else if (name == "--marked") {
    options.marked = value == "yes";
  } else if (name == "--patience-ms") {
    options.patience_ms = std::atoi(value.c_str());
  } else if (name == "--connections") {
    options.connections = static_cast<uint32_t>(std::atoi(value.c_str()));
  } else if (name == "--count") {
    options.count = static_cast<uint32_t>(std::atoi(value.c_str()));
  } else {
    return false;
  }
  return true;
}

}  // namespace
}  // namespace masugata::bench

int main(int count, char** words) {
  masugata::bench::Options options;
  bool understood = count > 1 && count % 2 == 1;
  for (int i = 1; understood && i + 1 < count; i += 2) {
    understood = masugata::bench::read_option(words[i], words[i + 1], options);
  }
  if (options.kinds.empty()) options.kinds = {masugata::bench::ObjectKind::Page};
  if (!understood || options.server.empty()) {
    fmt::print(stderr,
               "usage: web_load --server ADDRESS:PORT [--proxy ADDRESS:PORT] [--kind KIND]...\n"
               "  [--bytes N] [--first SEED] [--distinct N] [--marked yes] [--connections N]\n"
               "  [--count N] [--patience-ms N]\n");
    return 2;
  }
  auto load = std::make_unique<masugata::bench::WebLoad>(options);
  if (!load->run()) {
    fmt::print(stderr, "web_load: no address and port\n");
    return 2;
  }
  fmt::print("{}\n", load->report().dump());
  return 0;
}
