// SPDX-License-Identifier: GPL-2.0-or-later
// What a scenario needs of a gateway, and nothing of how it is built.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "result/result.h"

namespace masugata::test {

struct PortFrame {
  std::string port;
  bool kernel = false;  // to or from the port's twin in the kernel
  std::vector<uint8_t> bytes;
};

struct NetworkRoute {
  std::string prefix;
  std::string interface;         // empty for blackhole and the like
  std::string via;               // empty: connected
  std::string kind = "unicast";  // unicast, local, broadcast, blackhole, prohibit, unreachable
};

// One session in text, so that a message can show it. Endpoints as "10.0.0.1:80" or
// "[2001:db8::1]:80"; addresses without port where the protocol has none.
struct SessionView {
  std::string protocol;  // "tcp", "udp", "icmp", "icmpv6", "gre"... or its number
  std::string source;    // as the first packet came in
  std::string destination;
  std::string translated_source;  // as it left
  std::string translated_destination;
  std::string state;  // "tcp-established"
  std::string rule;
  std::string from_zone;
  std::string to_zone;
  uint64_t expires_ms = 0;  // idle time left
  uint64_t packets_original = 0;
  uint64_t packets_reply = 0;
};

// Single thread. Time moves only by advance().
class GatewayUnderTest {
 public:
  GatewayUnderTest() = default;
  GatewayUnderTest(const GatewayUnderTest&) = delete;
  GatewayUnderTest& operator=(const GatewayUnderTest&) = delete;
  virtual ~GatewayUnderTest() = default;

  // The first call starts the gateway, later ones reload it. Fault: it is refused, nothing changed.
  virtual Status configure(const std::string& text) = 0;
  // The IPS rules that the next configure() loads, in place of the files that it names.
  virtual Status set_rules(const std::string& text) = 0;
  // Alerts since the last call: "SID allowed" or "SID blocked".
  virtual std::vector<std::string> take_alerts() = 0;
  // What the scanner of objects does from now on; see scripted_scanner.h.
  virtual Status set_scanner(const std::string& mode) = 0;
  // What became of objects since the last call: "infected answered Test.Virus", "partial passed".
  virtual std::vector<std::string> take_objects() = 0;
  virtual Status set_route(const NetworkRoute& route) = 0;
  virtual Status remove_route(const std::string& prefix) = 0;
  // An empty `mac`: the neighbour does not answer (failed).
  virtual Status set_neighbour(const std::string& interface, const std::string& address,
                               const std::string& mac) = 0;
  virtual Status remove_neighbour(const std::string& interface, const std::string& address) = 0;
  virtual Status set_link(const std::string& port, bool up) = 0;
  // Moves the wall clock that schedules follow; "2026-12-01 17:59", local time.
  virtual Status set_wall_clock(const std::string& local_time) = 0;

  // All frames arrive in one burst and are worked off before the call returns.
  virtual Status send(const std::vector<PortFrame>& frames) = 0;
  virtual void advance(uint64_t milliseconds) = 0;

  // Frames that went out since the last call, in order per port.
  virtual std::vector<PortFrame> take_output() = 0;
  // Neighbours that the gateway asked for since the last call: "ADDRESS interface NAME".
  virtual std::vector<std::string> take_resolve_requests() = 0;
  // By counter name, since the start; zeros may be left out.
  virtual std::map<std::string, uint64_t> drop_counts() = 0;
  virtual std::vector<SessionView> sessions() = 0;
  virtual std::optional<std::string> mac_of_port(const std::string& port) = 0;
};

}  // namespace masugata::test
