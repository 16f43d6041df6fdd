// SPDX-License-Identifier: GPL-2.0-or-later
// Packets of any shape out of a tunnel that is measured. The first two bytes are the identifier
// that is waited for. What is taken for an answer has that identifier and was sent to its address.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "dataplane/ipsec/probe_packet.h"

namespace {

using namespace masugata::dataplane;  // NOLINT: a program of one file

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto identifier = static_cast<uint16_t>(data[0] << 8U | data[1]);
  const size_t length = size - 2;
  // In its exact size on the heap, so that every byte beyond the end is seen.
  const std::unique_ptr<uint8_t[]> packet(new uint8_t[length]);
  std::copy(data + 2, data + size, packet.get());
  const auto answer = read_probe_answer({packet.get(), length}, identifier);
  if (!answer) return 0;
  require(answer->identifier == identifier);
  const bool ipv4 = (packet[0] >> 4U) == 4;
  require(length >=
          smallest_probe_bytes(ipv4 ? masugata::net::Family::Ipv4 : masugata::net::Family::Ipv6));
  return 0;
}
