// SPDX-License-Identifier: GPL-2.0-or-later
// The Linux kernel as the receiver of crafted segments: a network namespace with a TUN device and a
// listening socket in it. Everything is gone with the process.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/stream/stream_segment.h"

namespace masugata::dataplane {

// A segment on its way between the test and the kernel, with its payload.
struct WireSegment {
  StreamSegment segment;
  uint32_t timestamp_echo = 0;
  std::vector<uint8_t> payload;
};

// Thread: one. The calling thread enters the namespace for good.
class KernelReceiver {
 public:
  // Empty on success, else why it cannot be (no root, no TUN).
  [[nodiscard]] std::string start();
  KernelReceiver() = default;
  KernelReceiver(const KernelReceiver&) = delete;
  KernelReceiver& operator=(const KernelReceiver&) = delete;
  ~KernelReceiver();

  // Sends a segment from the test's host, `port` to the listening socket.
  void send(uint16_t port, const WireSegment& sent);
  // The next segment of the kernel to `port`; waits for at most `wait_ms`.
  [[nodiscard]] std::optional<WireSegment> receive(uint16_t port, int wait_ms);
  // The connection that the kernel has accepted; -1 when there is none after a second.
  [[nodiscard]] int accept_connection() const;
  // All that the application reads until the end of the stream (at most a second without news).
  [[nodiscard]] static std::string read_all(int connection, bool& ended);

 private:
  int tun_ = -1;
  int listener_ = -1;
};

}  // namespace masugata::dataplane
