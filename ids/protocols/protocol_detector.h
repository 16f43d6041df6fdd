// SPDX-License-Identifier: GPL-2.0-or-later
// Which application protocol a flow speaks, from its first bytes, on any port.
#pragma once

#include <cstdint>
#include <span>

#include "ids/direction.h"
#include "ids/protocols/application_protocol.h"

namespace masugata::ids {

struct DetectionQuestion {
  std::span<const uint8_t> to_server;  // first bytes of each direction, from the stream's start
  std::span<const uint8_t> to_client;
  bool udp = false;
  uint16_t server_port = 0;  // a hint for protocols whose bytes alone are not telling
  uint16_t client_port = 0;
};

struct DetectionAnswer {
  // Unknown: more bytes are needed; Failed: none of ours.
  ApplicationProtocol protocol = ApplicationProtocol::Unknown;
  Direction seen_in = Direction::ToServer;
  // The flow's sides look exchanged: what came "to the server" is a response (mid-stream pick-up).
  bool reversed = false;
};

// Bytes of a direction after which an undecided flow counts as Failed.
inline constexpr size_t kDetectionBytes = 4096;

// Pure; no allocation. Thread: any.
[[nodiscard]] DetectionAnswer detect_protocol(const DetectionQuestion& question) noexcept;

}  // namespace masugata::ids
