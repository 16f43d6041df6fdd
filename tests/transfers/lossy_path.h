// SPDX-License-Identifier: GPL-2.0-or-later
// Connections between simulated ends through a whole dataplane, over two lines that lose, overtake
// and repeat, on a virtual clock. The same seed gives the same run.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <queue>
#include <string>
#include <vector>

#include "tests/in_process_gateway.h"
#include "tests/transfers/tcp_end.h"

namespace masugata::test {

// What a line does to frames, in each direction.
struct LineTrouble {
  uint64_t delay_us = 0;
  double loss_percent = 0;
  double reorder_percent = 0;  // held for 1 to 16 ms more
  double repeat_percent = 0;
};

// One way of a line.
class OneWayLine {
 public:
  OneWayLine(const LineTrouble& trouble, Chance& chance) : trouble_(trouble), chance_(chance) {}

  void push(std::vector<uint8_t> frame, uint64_t now_us);
  // Those that have come, in their order of arrival.
  [[nodiscard]] std::vector<std::vector<uint8_t>> take_due(uint64_t now_us);
  [[nodiscard]] uint64_t next_us() const { return queue_.empty() ? ~uint64_t{0} : queue_.top().us; }

 private:
  struct Waiting {
    uint64_t us = 0;
    uint64_t number = 0;
    std::vector<uint8_t> frame;
    bool operator<(const Waiting& other) const {
      return us != other.us ? us > other.us : number > other.number;
    }
  };

  LineTrouble trouble_;
  Chance& chance_;
  uint64_t numbers_ = 0;
  std::priority_queue<Waiting> queue_;
};

struct SimulatedConnection {
  TcpAddress client;
  TcpAddress server;
  TcpEnd client_end;
  TcpEnd server_end;
};

// Clients are 10.0.1.10 on lan0, servers 203.0.113.1 on wan0; both neighbours must be known.
class LossyPath {
 public:
  LossyPath(InProcessGateway& gateway, const LineTrouble& lan, const LineTrouble& wan,
            Chance& chance);

  // The server listens; connect() is the caller's. The reference stays good.
  SimulatedConnection& add(uint16_t client_port, uint16_t server_port, const TcpEndSettings& client,
                           const TcpEndSettings& server);

  // Lets time pass until `finished()`, or for at most `limit_ms`; then false. `act` is what
  // applications do, after each event.
  [[nodiscard]] bool run(const std::function<void()>& act, const std::function<bool()>& finished,
                         uint64_t limit_ms);

  [[nodiscard]] uint64_t now_us() const { return now_us_; }
  // Frames whose checksums were wrong when they arrived.
  [[nodiscard]] uint64_t broken() const { return broken_; }
  [[nodiscard]] std::string describe() const;

 private:
  void tick_ends();
  void deliver();
  void collect();
  [[nodiscard]] uint64_t next_event_us() const;
  void hand_to_end(const std::vector<uint8_t>& frame, bool to_client);

  InProcessGateway& gateway_;
  Chance& chance_;
  OneWayLine from_client_;
  OneWayLine to_client_;
  OneWayLine from_server_;
  OneWayLine to_server_;
  std::list<SimulatedConnection> connections_;
  uint64_t now_us_ = 0;
  uint64_t broken_ = 0;
};

}  // namespace masugata::test
