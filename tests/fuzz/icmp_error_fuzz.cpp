// SPDX-License-Identifier: GPL-2.0-or-later
// Translation of ICMP errors of any shape. Input: one byte of choices, one byte of header length,
// then the packet. The keys are taken from the quote where it has one, so that translations happen.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "dataplane/nat/icmp_error.h"
#include "net/headers/quoted_packet.h"

namespace {

using namespace masugata;  // NOLINT: a program of one file

void require(bool holds) {
  if (!holds) std::abort();
}

net::FlowKey translated(net::FlowKey key, bool v4, uint8_t choices) {
  const auto inside = *net::IpAddress::parse(v4 ? "10.0.0.5" : "fd00::5");
  if ((choices & 2U) != 0) key.source = inside;
  if ((choices & 4U) != 0) key.destination = inside.next();
  if ((choices & 8U) != 0 &&
      (key.protocol == net::Protocol::Tcp || key.protocol == net::Protocol::Udp)) {
    key.source_port = net::Be16::from_host(1025);
  }
  return key;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const uint8_t choices = data[0];
  const bool v4 = (choices & 1U) == 0;
  const size_t icmp_offset = data[1];
  const size_t length = size - 2;
  // Exactly as large as the packet: a byte beyond it is a finding.
  const auto packet = std::make_unique<uint8_t[]>(length);
  const auto before = std::make_unique<uint8_t[]>(length);
  std::memcpy(packet.get(), data + 2, length);
  std::memcpy(before.get(), data + 2, length);

  const net::Family family = v4 ? net::Family::Ipv4 : net::Family::Ipv6;
  const auto any = *net::IpAddress::parse(v4 ? "203.0.113.1" : "2001:db8::1");
  dataplane::IcmpErrorTranslation keys;
  keys.quoted_on_wire.source = any;
  keys.quoted_on_wire.destination = any;
  const size_t quote_offset = icmp_offset + 8;
  net::QuotedPacket quote;
  if (quote_offset < length &&
      net::QuotedPacket::parse(family, packet.get() + quote_offset, length - quote_offset, quote)) {
    keys.quoted_on_wire = quote.key;
  }
  keys.quoted_original = translated(keys.quoted_on_wire, v4, choices);

  const auto outcome = dataplane::translate_icmp_error({packet.get(), length}, icmp_offset, keys);
  if (outcome != dataplane::IcmpErrorOutcome::Translated) {
    require(std::memcmp(packet.get(), before.get(), length) == 0);
    return 0;
  }
  net::QuotedPacket again;
  require(
      net::QuotedPacket::parse(family, packet.get() + quote_offset, length - quote_offset, again));
  require(again.key == keys.quoted_original);
  return 0;
}
