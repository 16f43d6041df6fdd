// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes from charon -> packets of vici. What is read is written back the same, whatever it is.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "ipsec/charon/vici_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace masugata::ipsec;
  // Its exact size, so that every byte beyond the end is seen.
  const std::unique_ptr<char[]> copy(new char[size == 0 ? 1 : size]);
  std::copy(data, data + size, copy.get());
  const auto packet = decode_vici_packet(std::string_view(copy.get(), size));
  if (!packet) return 0;
  (void)to_text(packet->message);
  const auto written = encode_vici_packet(*packet);
  // Names may be empty on the wire but are never written so.
  if (!written) return 0;
  const auto again = decode_vici_packet(std::string_view(*written).substr(4));
  if (!again || !(again->message == packet->message) || again->name != packet->name) std::abort();
  return 0;
}
