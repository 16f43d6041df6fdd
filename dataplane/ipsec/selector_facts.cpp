// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ipsec/selector_facts.h"

#include "net/byte_order.h"

namespace masugata::dataplane {
namespace {

constexpr size_t kIpv4HeaderBytes = 20;
constexpr size_t kIpv6HeaderBytes = 40;
constexpr uint16_t kFragmentOffsetAndMore = 0x3fff;

void read_ports(std::span<const uint8_t> transport, SelectorFacts& facts) noexcept {
  if (transport.size() < 4) return;
  switch (static_cast<net::Protocol>(facts.protocol)) {
    case net::Protocol::Tcp:
    case net::Protocol::Udp:
    case net::Protocol::Sctp:
      facts.has_ports = true;
      facts.source_port = net::load_be16(transport.data()).host();
      facts.destination_port = net::load_be16(transport.data() + 2).host();
      return;
    case net::Protocol::Icmp:
    case net::Protocol::Icmpv6:
      facts.has_ports = true;
      facts.source_port = facts.destination_port = net::load_be16(transport.data()).host();
      return;
    default:
      return;
  }
}

}  // namespace

SelectorFacts read_selector_facts(std::span<const uint8_t> packet) noexcept {
  SelectorFacts facts;
  if (packet.size() < kIpv4HeaderBytes) return facts;
  if ((packet[0] >> 4U) == 4) {
    facts.source = net::IpAddress::from_v4(net::load_be32(packet.data() + 12));
    facts.destination = net::IpAddress::from_v4(net::load_be32(packet.data() + 16));
    facts.protocol = packet[9];
    const size_t header = (packet[0] & 0x0fU) * size_t{4};
    const bool whole = (net::load_be16(packet.data() + 6).host() & kFragmentOffsetAndMore) == 0;
    if (whole && header <= packet.size()) read_ports(packet.subspan(header), facts);
    return facts;
  }
  if (packet.size() < kIpv6HeaderBytes) return facts;
  facts.source = net::IpAddress::from_v6(packet.data() + 8);
  facts.destination = net::IpAddress::from_v6(packet.data() + 24);
  facts.protocol = packet[6];
  read_ports(packet.subspan(kIpv6HeaderBytes), facts);
  return facts;
}

}  // namespace masugata::dataplane
