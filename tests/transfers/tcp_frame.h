// SPDX-License-Identifier: GPL-2.0-or-later
// TCP segments as simulated ends speak of them, and as frames of Ethernet and IPv4. Knows nothing
// of net/: what tries the gateway must not share its mistakes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace masugata::test {

inline constexpr uint8_t kFin = 0x01;
inline constexpr uint8_t kSyn = 0x02;
inline constexpr uint8_t kRst = 0x04;
inline constexpr uint8_t kPsh = 0x08;
inline constexpr uint8_t kAck = 0x10;

struct TcpTimestamps {
  uint32_t value = 0;
  uint32_t echo = 0;
};

// Host byte order.
struct TcpWords {
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint8_t flags = 0;
  uint16_t window = 0;
  std::optional<uint8_t> window_scale;  // of a SYN (RFC 7323)
  std::optional<TcpTimestamps> timestamps;
  std::string payload;

  [[nodiscard]] bool has(uint8_t flag) const { return (flags & flag) != 0; }
};

// One side of a connection on a link: where its frames come from and go to.
struct TcpAddress {
  std::array<uint8_t, 6> mac{};
  std::array<uint8_t, 4> address{};
  uint16_t port = 0;
};

// Every length and checksum right.
[[nodiscard]] std::vector<uint8_t> write_frame(const TcpWords& words, const TcpAddress& from,
                                               const TcpAddress& to);

struct ReadFrame {
  TcpWords words;
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
};
// Nothing when it is not TCP over IPv4 or a length or checksum is wrong.
[[nodiscard]] std::optional<ReadFrame> read_frame(std::span<const uint8_t> frame);

}  // namespace masugata::test
