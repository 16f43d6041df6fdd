// SPDX-License-Identifier: GPL-2.0-or-later
// Random packets, valid and broken, in and out of state. One logical packet is said for two
// gateways, which may have translated the flow to different ports.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/differential/generated_rules.h"

namespace masugata::test {

inline constexpr size_t kSides = 2;
inline constexpr size_t kMasugata = 0;
inline constexpr size_t kKernel = 1;

struct TrafficEndpoint {
  std::string address;
  uint16_t port = 0;  // ICMP echo: the identifier
};

// How a flow's packets look beyond a gateway.
struct ObservedFlow {
  TrafficEndpoint client;
  TrafficEndpoint server;
};

struct TrafficFlow {
  std::string protocol;  // "tcp", "udp", "icmp", "icmp6", "gre", "sctp"
  bool ipv6 = false;
  bool to_self = false;
  std::string client_port;  // where the client is: "lan0"
  std::string server_port;
  TrafficEndpoint client;  // as the client sees both ends
  TrafficEndpoint server;
  std::array<std::optional<ObservedFlow>, kSides> observed;
  // The gateways disagreed about a packet of this flow: it is not continued.
  bool diverged = false;

  // What has happened to the flow so far; intentions ask for it.
  bool disturbed = false;         // a packet out of state or damaged, or one that nobody let pass
  bool reset_seen = false;        // a RST was sent
  bool crossing_syn = false;      // the server sent a SYN of its own
  uint64_t answers = 0;           // SYN-ACKs of the server
  bool zero_window = false;       // a SYN or SYN-ACK with a closed window
  bool fragment_refused = false;  // Masugata refused a fragment of the datagram under way

  // TCP, as the two ends know it.
  int stage = 0;  // 0 nothing, 1 SYN, 2 SYN-ACK, 3 open
  uint32_t client_next = 0;
  uint32_t server_next = 0;
  bool client_finished = false;
  bool server_finished = false;
  uint64_t packets = 0;

  [[nodiscard]] bool seen_by_both() const {
    return observed[0].has_value() && observed[1].has_value();
  }
};

struct BitFlip {
  size_t position = 0;  // byte of the frame, taken modulo its length
  uint8_t mask = 1;
};

struct LogicalFrame {
  size_t flow = 0;
  bool reply = false;  // travels from the server's side to the client's
  std::string port;    // where it arrives
  std::array<std::string, kSides> recipes;
  std::vector<BitFlip> flips;
  std::string kind;  // what the generator meant: "tcp valid", "fragment", "icmp error"...
};

class TrafficGenerator {
 public:
  // `next_id` numbers datagrams and is moved on: a kernel keeps unfinished ones for a minute.
  TrafficGenerator(Random& random, const GeneratedRules& rules, uint32_t& next_id)
      : random_(random), rules_(rules), next_id_(next_id) {}

  // The next packet: one frame, or its fragments.
  [[nodiscard]] std::vector<LogicalFrame> next();

  [[nodiscard]] TrafficFlow& flow(size_t index) { return flows_[index]; }
  [[nodiscard]] size_t flow_count() const { return flows_.size(); }

 private:
  // A segment as its sender means it.
  struct TcpStep {
    bool reply = false;
    std::string flags = "A";
    uint32_t sequence = 0;
    uint32_t acknowledgement = 0;
    uint64_t window = 0;
    std::string options;
    size_t payload = 0;
  };

  size_t open_flow();
  [[nodiscard]] TcpStep next_tcp_step(TrafficFlow& flow);
  void continue_open_flow(TrafficFlow& flow, uint64_t choice, TcpStep& step);
  void disturb(TcpStep& step);
  [[nodiscard]] size_t choose_flow();
  [[nodiscard]] LogicalFrame packet_of(size_t index);
  [[nodiscard]] LogicalFrame tcp_packet(size_t index);
  [[nodiscard]] LogicalFrame simple_packet(size_t index);
  [[nodiscard]] LogicalFrame icmp_error(size_t index);
  void damage(LogicalFrame& frame);
  [[nodiscard]] std::vector<LogicalFrame> fragments_of(const LogicalFrame& frame);

  Random& random_;
  const GeneratedRules& rules_;
  std::vector<TrafficFlow> flows_;
  uint32_t next_port_ = 30000;
  uint32_t& next_id_;
};

}  // namespace masugata::test
