// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/icmp/error_message.h"

#include <algorithm>
#include <cstring>

#include "dataplane/fragments/buffer_chain.h"
#include "dataplane/icmp/generated_packet.h"
#include "net/checksum.h"
#include "net/headers/ipv4.h"
#include "net/headers/ipv6.h"
#include "net/headers/transport.h"

namespace masugata::dataplane {
namespace {

using net::IcmpType;
using net::Icmpv6Type;
using net::Protocol;

constexpr uint16_t kMaximumIpv4MessageBytes = 576;
constexpr uint16_t kMaximumIpv6MessageBytes = 1280;
constexpr uint8_t kInternetworkControl = 0xc0;  // RFC 1812 section 4.3.2.5
constexpr uint16_t kMinimumIpv6Mtu = 1280;

struct TypeAndCode {
  uint8_t type;
  uint8_t code;
};

TypeAndCode ipv4_code(IcmpError error) noexcept {
  constexpr auto kUnreachable = static_cast<uint8_t>(IcmpType::DestinationUnreachable);
  constexpr auto kTimeExceeded = static_cast<uint8_t>(IcmpType::TimeExceeded);
  switch (error) {
    case IcmpError::NetworkUnreachable:
      return {kUnreachable, 0};
    case IcmpError::HostUnreachable:
      return {kUnreachable, 1};
    case IcmpError::PortUnreachable:
      return {kUnreachable, 3};
    case IcmpError::AdminProhibited:
      return {kUnreachable, 13};
    case IcmpError::PacketTooBig:
      return {kUnreachable, 4};
    case IcmpError::HopLimitExceeded:
      return {kTimeExceeded, 0};
    case IcmpError::ReassemblyTimeout:
      return {kTimeExceeded, 1};
  }
  return {kUnreachable, 1};
}

TypeAndCode ipv6_code(IcmpError error) noexcept {
  constexpr auto kUnreachable = static_cast<uint8_t>(Icmpv6Type::DestinationUnreachable);
  constexpr auto kTimeExceeded = static_cast<uint8_t>(Icmpv6Type::TimeExceeded);
  switch (error) {
    case IcmpError::NetworkUnreachable:
      return {kUnreachable, 0};
    case IcmpError::HostUnreachable:
      return {kUnreachable, 3};
    case IcmpError::PortUnreachable:
      return {kUnreachable, 4};
    case IcmpError::AdminProhibited:
      return {kUnreachable, 1};
    case IcmpError::PacketTooBig:
      return {static_cast<uint8_t>(Icmpv6Type::PacketTooBig), 0};
    case IcmpError::HopLimitExceeded:
      return {kTimeExceeded, 0};
    case IcmpError::ReassemblyTimeout:
      return {kTimeExceeded, 1};
  }
  return {kUnreachable, 3};
}

bool is_icmp_error_type(uint8_t type) noexcept {
  switch (static_cast<IcmpType>(type)) {
    case IcmpType::DestinationUnreachable:
    case IcmpType::SourceQuench:
    case IcmpType::Redirect:
    case IcmpType::TimeExceeded:
    case IcmpType::ParameterProblem:
      return true;
    default:
      return false;
  }
}

bool usable_source(const net::IpAddress& address) noexcept {
  const auto& bytes = address.bytes;
  if (address.is_v4()) {
    // 0/8, loopback, multicast, class E and the limited broadcast.
    return bytes[12] != 0 && bytes[12] != 127 && bytes[12] < 224;
  }
  const bool low_only = address.high_word() == 0;
  const bool unspecified_or_loopback =
      low_only &&
      std::all_of(bytes.begin() + 8, bytes.end() - 1,
                  [](uint8_t byte) noexcept { return byte == 0; }) &&
      bytes[15] <= 1;
  return !address.is_multicast() && !unspecified_or_loopback;
}

IcmpSilence judge_ipv4(const uint8_t* network, size_t network_length, size_t readable,
                       bool link_multicast) noexcept {
  net::Ipv4View view;
  if (readable < net::kIpv4MinimumHeaderBytes ||
      net::Ipv4View::parse(network, network_length, view) != net::Ipv4View::Malformed::No ||
      view.header_bytes() > readable) {
    return IcmpSilence::Unreadable;
  }
  const auto destination = net::IpAddress::from_v4(view.destination());
  if (link_multicast || destination.is_multicast() || destination.is_limited_broadcast()) {
    return IcmpSilence::Multicast;
  }
  if (!usable_source(net::IpAddress::from_v4(view.source()))) return IcmpSilence::SourceUnusable;
  if (view.fragment_offset() != 0) return IcmpSilence::LaterFragment;
  if (view.protocol() != Protocol::Icmp) return IcmpSilence::Answer;
  if (readable < size_t{view.header_bytes()} + 1) return IcmpSilence::Unreadable;
  return is_icmp_error_type(network[view.header_bytes()]) ? IcmpSilence::IcmpError
                                                          : IcmpSilence::Answer;
}

// Where the upper-layer header of an IPv6 packet is, extension headers of first fragments included.
IcmpSilence judge_ipv6_payload(const uint8_t* network, size_t readable) noexcept {
  size_t position = net::kIpv6HeaderBytes;
  auto header = static_cast<Protocol>(network[6]);
  for (unsigned count = 0; count <= net::Ipv6Chain::kMaximumHeaders; ++count) {
    const size_t left = readable - position;
    if (header == Protocol::Icmpv6) {
      if (left == 0) return IcmpSilence::Unreadable;
      const uint8_t type = network[position];
      const bool error = type < 128 || type == static_cast<uint8_t>(Icmpv6Type::Redirect);
      return error ? IcmpSilence::IcmpError : IcmpSilence::Answer;
    }
    size_t length = 8;
    switch (header) {
      case Protocol::HopByHop:
      case Protocol::Ipv6Routing:
      case Protocol::Ipv6DestinationOptions:
        if (left < 8) return IcmpSilence::Unreadable;
        length = (network[position + 1] + size_t{1}) * 8;
        break;
      case Protocol::Ipv6Fragment:
        if (left < 8) return IcmpSilence::Unreadable;
        if ((net::load_be16(network + position + 2).host() & 0xfff8U) != 0) {
          return IcmpSilence::LaterFragment;
        }
        break;
      default:
        return IcmpSilence::Answer;
    }
    if (length > left) return IcmpSilence::Unreadable;
    header = static_cast<Protocol>(network[position]);
    position += length;
  }
  return IcmpSilence::Unreadable;
}

IcmpSilence judge_ipv6(IcmpError error, const uint8_t* network, size_t network_length,
                       size_t readable, bool link_multicast) noexcept {
  net::Ipv6View view;
  if (readable < net::kIpv6HeaderBytes ||
      net::Ipv6View::parse(network, network_length, view) != net::Ipv6View::Malformed::No) {
    return IcmpSilence::Unreadable;
  }
  const auto destination = net::IpAddress::from_v6(view.destination_bytes());
  // RFC 4443 2.4 (e.3): packet too big is the exception that makes multicast path MTU work.
  if ((link_multicast || destination.is_multicast()) && error != IcmpError::PacketTooBig) {
    return IcmpSilence::Multicast;
  }
  const auto source = net::IpAddress::from_v6(view.source_bytes());
  // A v4-mapped source would turn into an IPv4 packet.
  if (source.is_v4() || !usable_source(source)) return IcmpSilence::SourceUnusable;
  return judge_ipv6_payload(network, readable);
}

size_t readable_network_bytes(const Packet& packet) noexcept {
  const rte_mbuf& head = packet.mbuf();
  if (head.data_len <= packet.link_length) return 0;
  return std::min<size_t>(size_t{head.data_len} - packet.link_length, packet.network_length);
}

void write_icmp(uint8_t* icmp, const Packet& offending, const IcmpErrorRequest& request,
                const net::FlowKey& key, uint16_t quoted_bytes) noexcept {
  const bool ipv4 = key.family() == net::Family::Ipv4;
  const TypeAndCode what = ipv4 ? ipv4_code(request.error) : ipv6_code(request.error);
  std::memset(icmp, 0, net::kIcmpHeaderBytes);
  icmp[0] = what.type;
  icmp[1] = what.code;
  if (request.error == IcmpError::PacketTooBig) {
    if (ipv4) {
      net::store(icmp + 6, net::Be16::from_host(request.mtu));
    } else {
      net::store(icmp + 4, net::Be32::from_host(std::max(request.mtu, kMinimumIpv6Mtu)));
    }
  }
  copy_from_chain(offending.mbuf(), offending.link_length, quoted_bytes,
                  icmp + net::kIcmpHeaderBytes);
  const size_t length = net::kIcmpHeaderBytes + quoted_bytes;
  uint64_t sum = net::checksum_add(icmp, length);
  if (!ipv4) {
    sum += net::pseudo_header_sum(key.source, key.destination, Protocol::Icmpv6,
                                  static_cast<uint32_t>(length));
  }
  net::store(icmp + 2, net::Be16{static_cast<uint16_t>(~net::checksum_fold(sum))});
}

}  // namespace

IcmpSilence may_answer_with(IcmpError error, const uint8_t* network, size_t network_length,
                            size_t readable, bool link_multicast) noexcept {
  readable = std::min(readable, network_length);
  if (readable == 0) return IcmpSilence::Unreadable;
  switch (network[0] >> 4U) {
    case 4:
      return judge_ipv4(network, network_length, readable, link_multicast);
    case 6:
      return judge_ipv6(error, network, network_length, readable, link_multicast);
    default:
      return IcmpSilence::Unreadable;
  }
}

IcmpErrorResult build_icmp_error(const Packet& offending, const IcmpErrorRequest& request,
                                 rte_mempool& pool, IcmpRateLimiter& limiter,
                                 uint32_t now_ms) noexcept {
  const size_t readable = readable_network_bytes(offending);
  const IcmpSilence silence =
      may_answer_with(request.error, offending.network(), offending.network_length, readable,
                      offending.has(kPacketLinkMulticast));
  if (silence != IcmpSilence::Answer) return {nullptr, silence};
  const uint8_t* network = offending.network();
  const bool ipv4 = (network[0] >> 4U) == 4;
  if (request.source.is_v4() != ipv4 || request.source.is_multicast()) {
    return {nullptr, IcmpSilence::SourceUnusable};
  }
  if (offending.mbuf().pkt_len < uint32_t{offending.link_length} + offending.network_length) {
    return {nullptr, IcmpSilence::Unreadable};
  }
  if (!limiter.allow(now_ms)) return {nullptr, IcmpSilence::RateLimited};

  net::FlowKey key;
  key.source = request.source;
  key.destination = ipv4 ? net::IpAddress::from_v4(net::load_be32(network + 12))
                         : net::IpAddress::from_v6(network + 8);
  key.protocol = ipv4 ? Protocol::Icmp : Protocol::Icmpv6;
  const uint16_t header = network_header_bytes(key.family());
  const uint16_t maximum = ipv4 ? kMaximumIpv4MessageBytes : kMaximumIpv6MessageBytes;
  const auto overhead = static_cast<uint16_t>(header + net::kIcmpHeaderBytes);
  const auto quoted = std::min(offending.network_length, static_cast<uint16_t>(maximum - overhead));
  const auto total = static_cast<uint16_t>(overhead + quoted);
  rte_mbuf* buffer = start_generated_packet(pool, offending, Heading::BackToSender, total, key);
  if (buffer == nullptr) return {nullptr, IcmpSilence::NoBuffer};
  Packet& message = Packet::of(buffer);
  write_network_header(message.network(), key, key.protocol, static_cast<uint16_t>(total - header),
                       ipv4 ? kInternetworkControl : uint8_t{0});
  write_icmp(message.network() + header, offending, request, key, quoted);
  message.transport_offset = static_cast<uint16_t>(message.link_length + header);
  message.payload_offset = static_cast<uint16_t>(message.transport_offset + net::kIcmpHeaderBytes);
  message.payload_length = quoted;
  const TypeAndCode what = ipv4 ? ipv4_code(request.error) : ipv6_code(request.error);
  message.icmp_type = what.type;
  message.icmp_code = what.code;
  return {buffer, IcmpSilence::Answer};
}

}  // namespace masugata::dataplane
