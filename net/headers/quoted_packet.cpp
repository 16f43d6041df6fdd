// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/headers/quoted_packet.h"

#include "net/headers/ipv4.h"
#include "net/headers/ipv6.h"
#include "net/headers/transport.h"

namespace masugata::net {
namespace {

constexpr size_t kQuotedTransportBytes = 8;

bool icmp_has_identifier(Protocol protocol, uint8_t type) noexcept {
  if (protocol == Protocol::Icmpv6) {
    return type == static_cast<uint8_t>(Icmpv6Type::EchoRequest) ||
           type == static_cast<uint8_t>(Icmpv6Type::EchoReply);
  }
  return type == static_cast<uint8_t>(IcmpType::EchoRequest) ||
         type == static_cast<uint8_t>(IcmpType::EchoReply) ||
         type == static_cast<uint8_t>(IcmpType::TimestampRequest) ||
         type == static_cast<uint8_t>(IcmpType::TimestampReply);
}

// Length fields of a quote may exceed what is there, so the views' own parse() is not used.
bool parse_v4(const uint8_t* bytes, size_t length, QuotedPacket& out) noexcept {
  if (length < kIpv4MinimumHeaderBytes + kQuotedTransportBytes || (bytes[0] >> 4U) != 4) {
    return false;
  }
  const size_t header = (bytes[0] & 0x0fU) * 4U;
  if (header < kIpv4MinimumHeaderBytes || header + kQuotedTransportBytes > length) return false;
  if ((load_be16(bytes + 6).host() & 0x1fffU) != 0) return false;
  out.key.source = IpAddress::from_v4(load_be32(bytes + 12));
  out.key.destination = IpAddress::from_v4(load_be32(bytes + 16));
  out.key.protocol = static_cast<Protocol>(bytes[9]);
  out.transport_offset = static_cast<uint16_t>(header);
  return out.key.protocol != Protocol::Icmpv6;
}

bool parse_v6(const uint8_t* bytes, size_t length, QuotedPacket& out) noexcept {
  if (length < kIpv6HeaderBytes + kQuotedTransportBytes || (bytes[0] >> 4U) != 6) return false;
  auto protocol = static_cast<Protocol>(bytes[6]);
  size_t offset = kIpv6HeaderBytes;
  for (unsigned count = 0; count < Ipv6Chain::kMaximumHeaders; ++count) {
    const bool options = protocol == Protocol::HopByHop || protocol == Protocol::Ipv6Routing ||
                         protocol == Protocol::Ipv6DestinationOptions;
    const bool fragment = protocol == Protocol::Ipv6Fragment;
    if (!options && !fragment) break;
    if (fragment && (load_be16(bytes + offset + 2).host() & 0xfff8U) != 0) return false;
    protocol = static_cast<Protocol>(bytes[offset]);
    offset += fragment ? 8U : (bytes[offset + 1] + 1U) * 8U;
    if (offset + kQuotedTransportBytes > length) return false;
  }
  out.key.source = IpAddress::from_v6(bytes + 8);
  out.key.destination = IpAddress::from_v6(bytes + 24);
  if (out.key.source.is_v4() || out.key.destination.is_v4()) return false;
  out.key.protocol = protocol;
  out.transport_offset = static_cast<uint16_t>(offset);
  return protocol != Protocol::Icmp;
}

}  // namespace

bool fill_ports(FlowKey& key, const uint8_t* transport) noexcept {
  switch (key.protocol) {
    case Protocol::Tcp:
    case Protocol::Udp:
    case Protocol::Sctp:
      key.source_port = load_be16(transport);
      key.destination_port = load_be16(transport + 2);
      return true;
    case Protocol::Icmp:
    case Protocol::Icmpv6:
      if (!icmp_has_identifier(key.protocol, transport[0])) return false;
      key.source_port = load_be16(transport + 4);
      key.destination_port = key.source_port;
      return true;
    default:
      return true;
  }
}

bool QuotedPacket::parse(Family family, const uint8_t* bytes, size_t length,
                         QuotedPacket& out) noexcept {
  out = QuotedPacket{};
  const bool readable =
      family == Family::Ipv4 ? parse_v4(bytes, length, out) : parse_v6(bytes, length, out);
  if (!readable) return false;
  const uint8_t* transport = bytes + out.transport_offset;
  if (out.key.protocol == Protocol::Icmp || out.key.protocol == Protocol::Icmpv6) {
    out.icmp_type = transport[0];
  }
  return fill_ports(out.key, transport);
}

}  // namespace masugata::net
