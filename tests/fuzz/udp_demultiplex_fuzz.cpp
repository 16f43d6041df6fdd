// SPDX-License-Identifier: GPL-2.0-or-later
// Payloads of UDP port 4500.
#include <cstdlib>
#include <vector>

#include "ipsec/esp/udp_demultiplex.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using masugata::ipsec::UdpEncapsulated;
  const std::vector<uint8_t> payload(data, data + size);
  bool marker = size >= 4;
  for (size_t i = 0; i < 4 && marker; ++i) marker = payload[i] == 0;
  switch (masugata::ipsec::classify_udp_encapsulation(payload)) {
    case UdpEncapsulated::Esp:
      if (size < 8 || masugata::ipsec::spi_of(payload.data()).host() == 0) std::abort();
      break;
    case UdpEncapsulated::Ike:
      if (!marker) std::abort();
      break;
    case UdpEncapsulated::KeepAlive:
      if (size != 1 || payload[0] != 0xff) std::abort();
      break;
    case UdpEncapsulated::Malformed:
      if (marker || size >= 8) std::abort();
      break;
  }
  return 0;
}
