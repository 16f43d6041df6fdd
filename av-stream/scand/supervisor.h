// SPDX-License-Identifier: GPL-2.0-or-later
// The service's first process: the link to masugatad and the scanners that it keeps.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "av-stream/scand/message_socket.h"
#include "av-stream/scand/scan_service.h"

namespace masugata::av {

// Set by signal handlers and by tests' threads.
struct SupervisorRequests {
  std::atomic<bool> stop{false};
  std::atomic<bool> reload{false};
};

// What is said over the link: av-stream/scand/README.md. Without masugatad it tries to reach it
// twice a second; the engine stays loaded meanwhile.
class Supervisor {
 public:
  static constexpr uint64_t kConnectEveryMs = 500;
  static constexpr uint64_t kStatusEveryMs = 1000;
  static constexpr int kRoundMs = 20;

  Supervisor(std::string socket_path, ScanService service)
      : socket_path_(std::move(socket_path)), service_(std::move(service)) {}
  // Until `requests.stop`.
  void run(SupervisorRequests& requests);

 private:
  void connect(uint64_t now_ms);
  void disconnect(const std::string& reason);
  void hear();
  void obey(Message message);
  void report(uint64_t now_ms);
  void wait();

  std::string socket_path_;
  ScanService service_;
  std::optional<MessageSocket> link_;
  uint64_t next_connect_ms_ = 0;
  uint64_t next_status_ms_ = 0;
  bool was_ready_ = false;
  std::string reported_refusal_;
  std::string connect_problem_;  // said once
};

}  // namespace masugata::av
