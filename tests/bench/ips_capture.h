// SPDX-License-Identifier: GPL-2.0-or-later
// A capture in memory, and conversations written as the frames that carry them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "result/result.h"
#include "tests/bench/random_source.h"

namespace masugata::bench {

struct Endpoints {
  uint32_t client = 0;  // IPv4, host order
  uint32_t server = 0;
  uint16_t client_port = 0;
  uint16_t server_port = 0;
};

// Ethernet frames of one conversation, in their order.
using FrameList = std::vector<std::string>;

// A datagram of either side, checksums right.
[[nodiscard]] std::string udp_frame(const Endpoints& ends, bool to_server,
                                    std::string_view payload);

// A TCP connection: handshake, data in segments of at most 1,448 bytes with timestamps, an
// acknowledgement for every second segment, FIN of both sides.
class TcpWriter {
 public:
  TcpWriter(const Endpoints& ends, RandomSource& random);
  void send(bool to_server, std::string_view bytes);
  // Ends the connection; nothing is sent after that.
  [[nodiscard]] FrameList finish();

 private:
  void segment(bool to_server, unsigned flags, std::string_view payload);
  Endpoints ends_;
  uint32_t next_[2];  // sequence numbers, by side
  uint32_t clock_ = 1;
  FrameList frames_;
};

struct TimedFrame {
  uint64_t time_us = 0;
  std::string bytes;
};

// All frames, in the order of their time.
struct Capture {
  std::string name;
  std::vector<TimedFrame> frames;
  uint64_t bytes = 0;
  uint64_t flows = 0;
};

// Merges conversations: `width` of them are under way at the same time, and time passes as on a
// link of 1 Gbit/s.
class CaptureWriter {
 public:
  CaptureWriter(std::string name, size_t width, uint64_t seed);
  void add(FrameList conversation);
  [[nodiscard]] uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] Capture finish();

 private:
  struct Open {
    FrameList frames;
    size_t next = 0;
  };
  void emit_some();
  Capture capture_;
  size_t width_;
  RandomSource random_;
  std::vector<Open> open_;
  uint64_t bytes_ = 0;
  uint64_t time_ns_;
};

// As a classic pcap file, for other programs.
[[nodiscard]] Status write_pcap(const Capture& capture, const std::string& path);

}  // namespace masugata::bench
