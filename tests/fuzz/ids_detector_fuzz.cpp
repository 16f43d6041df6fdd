// SPDX-License-Identifier: GPL-2.0-or-later
// First bytes of any shape. Input: a byte that says UDP or TCP and the port, a byte with the size
// of the client's part, then both parts.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "ids/protocols/protocol_detector.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace masugata::ids;  // NOLINT: a program of one file
  if (size < 2) return 0;
  constexpr uint16_t kPorts[] = {53, 80, 25, 21, 110, 139, 443, 500, 502, 4500, 5353, 44818, 123};
  DetectionQuestion question;
  question.udp = (data[0] & 1U) != 0;
  question.server_port = kPorts[(data[0] >> 1U) % std::size(kPorts)];
  question.client_port = 50000;
  const size_t first = std::min<size_t>(data[1], size - 2);
  const size_t second = size - 2 - first;
  const auto to_server = std::make_unique<uint8_t[]>(first);
  const auto to_client = std::make_unique<uint8_t[]>(second);
  std::copy_n(data + 2, first, to_server.get());
  std::copy_n(data + 2 + first, second, to_client.get());
  question.to_server = {to_server.get(), first};
  question.to_client = {to_client.get(), second};
  const DetectionAnswer answer = detect_protocol(question);
  if (answer.protocol >= ApplicationProtocol::Count) std::abort();
  // Nothing said, nothing known.
  if (first + second == 0 && answer.protocol != ApplicationProtocol::Unknown) std::abort();
  return 0;
}
