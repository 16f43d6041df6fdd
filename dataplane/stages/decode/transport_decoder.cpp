// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/decode/transport_decoder.h"

#include "net/checksum.h"
#include "net/headers/quoted_packet.h"
#include "net/headers/tcp_options.h"
#include "net/headers/transport.h"

namespace masugata::dataplane {
namespace {

using net::IcmpType;
using net::Icmpv6Type;
using net::Protocol;

constexpr Verdict<FrameKind> refuse(DropReason reason) noexcept { return drop<FrameKind>(reason); }

// The upper-layer bytes of a packet.
struct Segment {
  const uint8_t* bytes;
  size_t length;    // from the IP header's length field
  size_t readable;  // of which lie in the first buffer
  [[nodiscard]] bool chained() const noexcept { return readable < length; }
};

bool checksum_valid(const Packet& packet, const Segment& segment, size_t covered) noexcept {
  uint64_t sum = net::pseudo_header_sum(packet.key.source, packet.key.destination,
                                        packet.key.protocol, static_cast<uint32_t>(covered));
  sum = net::checksum_add(segment.bytes, covered, sum);
  return net::checksum_fold(sum) == 0xffff;
}

void set_payload(Packet& packet, size_t header_bytes, size_t length) noexcept {
  packet.payload_offset = static_cast<uint16_t>(packet.transport_offset + header_bytes);
  packet.payload_length = static_cast<uint16_t>(length - header_bytes);
}

bool options_valid(const uint8_t* header, size_t header_bytes) noexcept {
  if (header_bytes == net::kTcpMinimumHeaderBytes) return true;
  // Two fillers and a timestamp: what nearly every segment with options carries (RFC 7323 app. A).
  constexpr uint32_t kFilledTimestamp = 0x0101080a;
  if (header_bytes == net::kTcpMinimumHeaderBytes + 12 &&
      net::load_be32(header + net::kTcpMinimumHeaderBytes).host() == kFilledTimestamp) {
    return true;
  }
  net::TcpOptionFacts facts;
  return net::parse_tcp_options(header, header_bytes, facts);
}

Verdict<FrameKind> decode_tcp(const Segment& segment, const ReceiveChecks& checks,
                              Packet& packet) noexcept {
  net::TcpView tcp;
  const auto malformed = net::TcpView::parse(segment.bytes, segment.length, tcp);
  if (malformed == net::TcpView::Malformed::Short) [[unlikely]]
    return refuse(DropReason::TcpShort);
  if (malformed != net::TcpView::Malformed::No || tcp.header_bytes() > segment.readable)
      [[unlikely]] {
    return refuse(DropReason::TcpBadOffset);
  }
  if (!checks.transport_checksum_good && !segment.chained() &&
      !checksum_valid(packet, segment, segment.length)) [[unlikely]] {
    return refuse(DropReason::TcpBadChecksum);
  }
  packet.tcp_flags = tcp.flags();
  if (!net::tcp_flags_valid(packet.tcp_flags)) [[unlikely]]
    return refuse(DropReason::TcpBadFlags);
  packet.key.set_transport(tcp.source_port(), tcp.destination_port(), Protocol::Tcp);
  if (packet.key.source_port.raw == 0 || packet.key.destination_port.raw == 0) [[unlikely]] {
    return refuse(DropReason::TcpPortZero);
  }
  if (!options_valid(segment.bytes, tcp.header_bytes())) [[unlikely]] {
    return refuse(DropReason::TcpBadOptions);
  }
  set_payload(packet, tcp.header_bytes(), segment.length);
  return forward_to(FrameKind::Flow);
}

Verdict<FrameKind> decode_udp(const Segment& segment, const ReceiveChecks& checks,
                              Packet& packet) noexcept {
  net::UdpView udp;
  const auto malformed = net::UdpView::parse(segment.bytes, segment.length, udp);
  if (malformed == net::UdpView::Malformed::Short) [[unlikely]]
    return refuse(DropReason::UdpShort);
  if (malformed != net::UdpView::Malformed::No) [[unlikely]] {
    return refuse(DropReason::UdpBadLength);
  }
  if (udp.checksum().raw == 0) {
    // Zero means "none" over IPv4 and is forbidden over IPv6 (RFC 8200 section 8.1).
    if (!packet.key.source.is_v4()) return refuse(DropReason::UdpBadChecksum);
  } else if (!checks.transport_checksum_good && !segment.chained() &&
             !checksum_valid(packet, segment, udp.length())) [[unlikely]] {
    return refuse(DropReason::UdpBadChecksum);
  }
  packet.key.set_transport(udp.source_port(), udp.destination_port(), Protocol::Udp);
  if (packet.key.destination_port.raw == 0) [[unlikely]]
    return refuse(DropReason::UdpPortZero);
  set_payload(packet, net::kUdpHeaderBytes, udp.length());
  return forward_to(FrameKind::Flow);
}

bool is_error(Protocol protocol, uint8_t type) noexcept {
  if (protocol == Protocol::Icmpv6) return type >= 1 && type <= 4;
  return type == static_cast<uint8_t>(IcmpType::DestinationUnreachable) ||
         type == static_cast<uint8_t>(IcmpType::TimeExceeded) ||
         type == static_cast<uint8_t>(IcmpType::ParameterProblem);
}

// Multicast listener and neighbour discovery, router discovery (RFC 2710, 3810, 4861).
bool is_link_control(uint8_t icmpv6_type) noexcept {
  return (icmpv6_type >= 130 && icmpv6_type <= 137) || icmpv6_type == 143;
}

// The error travels against the packet that it quotes, and belongs to that packet's session.
Verdict<FrameKind> decode_icmp_error(const Segment& segment, Packet& packet) noexcept {
  const size_t readable = segment.readable < segment.length ? segment.readable : segment.length;
  net::QuotedPacket quoted;
  if (!net::QuotedPacket::parse(packet.key.source.family(), segment.bytes + net::kIcmpHeaderBytes,
                                readable - net::kIcmpHeaderBytes, quoted)) {
    return refuse(DropReason::IcmpBadQuote);
  }
  // RFC 5508 REQ-3: the quote must have travelled to where the error goes now.
  if (quoted.key.source != packet.key.destination) return refuse(DropReason::IcmpBadQuote);
  packet.set(kPacketIsIcmpError);
  packet.key = quoted.key.reversed();
  return forward_to(FrameKind::Flow);
}

Verdict<FrameKind> decode_icmp(const Segment& segment, const ReceiveChecks& checks,
                               Packet& packet) noexcept {
  net::IcmpView icmp;
  if (!net::IcmpView::parse(segment.bytes, segment.length, icmp) ||
      segment.readable < net::kIcmpHeaderBytes) [[unlikely]] {
    return refuse(DropReason::IcmpShort);
  }
  const bool version6 = packet.key.protocol == Protocol::Icmpv6;
  if (version6 == packet.key.source.is_v4()) return refuse(DropReason::IcmpUnknownType);
  if (!checks.transport_checksum_good && !segment.chained()) {
    const bool valid =
        version6 ? checksum_valid(packet, segment, segment.length)
                 : net::checksum_fold(net::checksum_add(segment.bytes, segment.length)) == 0xffff;
    if (!valid) [[unlikely]]
      return refuse(DropReason::IcmpBadChecksum);
  }
  packet.icmp_type = icmp.type();
  packet.icmp_code = icmp.code();
  set_payload(packet, net::kIcmpHeaderBytes, segment.length);
  if (version6 && is_link_control(packet.icmp_type)) return forward_to(FrameKind::Kernel);
  if (is_error(packet.key.protocol, packet.icmp_type)) return decode_icmp_error(segment, packet);
  if (!net::fill_ports(packet.key, segment.bytes)) return refuse(DropReason::IcmpUnknownType);
  return forward_to(FrameKind::Flow);
}

}  // namespace

Verdict<FrameKind> decode_transport(const FrameBytes& frame, const ReceiveChecks& checks,
                                    Packet& packet) noexcept {
  const size_t network_end = static_cast<size_t>(packet.link_length) + packet.network_length;
  const size_t readable_end = frame.readable < network_end ? frame.readable : network_end;
  const Segment segment{frame.bytes + packet.transport_offset,
                        network_end - packet.transport_offset,
                        readable_end - packet.transport_offset};
  switch (packet.key.protocol) {
    case Protocol::Tcp:
      if (segment.readable < net::kTcpMinimumHeaderBytes) [[unlikely]] {
        return refuse(DropReason::TcpShort);
      }
      return decode_tcp(segment, checks, packet);
    case Protocol::Udp:
      if (segment.readable < net::kUdpHeaderBytes) [[unlikely]]
        return refuse(DropReason::UdpShort);
      return decode_udp(segment, checks, packet);
    case Protocol::Icmp:
    case Protocol::Icmpv6:
      return decode_icmp(segment, checks, packet);
    case Protocol::Sctp:
      if (segment.readable < 12) return refuse(DropReason::SctpShort);
      net::fill_ports(packet.key, segment.bytes);
      set_payload(packet, 12, segment.length);
      return forward_to(FrameKind::Flow);
    default:
      set_payload(packet, 0, segment.length);
      return forward_to(FrameKind::Flow);
  }
}

}  // namespace masugata::dataplane
