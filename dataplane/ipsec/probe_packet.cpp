// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ipsec/probe_packet.h"

#include <cstring>

#include "dataplane/icmp/generated_packet.h"
#include "net/byte_order.h"
#include "net/checksum.h"
#include "net/headers/quoted_packet.h"
#include "net/headers/transport.h"

namespace masugata::dataplane {
namespace {

constexpr uint8_t kEchoReply = 0;
constexpr uint8_t kUnreachable = 3;
constexpr uint8_t kEchoRequest = 8;
constexpr uint8_t kTimeExceeded = 11;
constexpr uint8_t kEchoRequestV6 = 128;
constexpr uint8_t kEchoReplyV6 = 129;
constexpr uint8_t kLastErrorV6 = 127;
constexpr uint16_t kOffsetMask = 0x1fff;
constexpr size_t kIpv6HeaderBytes = 40;
constexpr size_t kEchoBytes = 8;

// Where ICMP begins and how much of it is there.
struct IcmpPart {
  net::IpAddress source;
  net::IpAddress destination;
  std::span<const uint8_t> bytes;
  bool ipv4 = true;
};

std::optional<IcmpPart> icmp_of(std::span<const uint8_t> packet) noexcept {
  if (packet.size() < network_header_bytes(net::Family::Ipv4)) return std::nullopt;
  const uint8_t* ip = packet.data();
  if ((ip[0] >> 4U) == 4) {
    const size_t header = (ip[0] & 0x0fU) * size_t{4};
    const bool first = (net::load_be16(ip + 6).host() & kOffsetMask) == 0;
    if (!first || ip[9] != static_cast<uint8_t>(net::Protocol::Icmp)) return std::nullopt;
    const bool whole =
        header >= network_header_bytes(net::Family::Ipv4) && packet.size() >= header + kEchoBytes;
    if (!whole) return std::nullopt;
    return IcmpPart{net::IpAddress::from_v4(net::load_be32(ip + 12)),
                    net::IpAddress::from_v4(net::load_be32(ip + 16)), packet.subspan(header), true};
  }
  if (packet.size() < kIpv6HeaderBytes + kEchoBytes) return std::nullopt;
  if (ip[6] != static_cast<uint8_t>(net::Protocol::Icmpv6)) return std::nullopt;
  return IcmpPart{net::IpAddress::from_v6(ip + 8), net::IpAddress::from_v6(ip + 24),
                  packet.subspan(kIpv6HeaderBytes), false};
}

bool is_error(const IcmpPart& icmp) noexcept {
  const uint8_t type = icmp.bytes[0];
  if (!icmp.ipv4) return type >= 1 && type <= kLastErrorV6;
  return type == kUnreachable || type == kTimeExceeded;
}

}  // namespace

void write_probe(const ProbePacket& probe, uint8_t* at) noexcept {
  net::FlowKey key;
  key.source = probe.source;
  key.destination = probe.destination;
  const bool ipv4 = key.family() == net::Family::Ipv4;
  const net::Protocol protocol = ipv4 ? net::Protocol::Icmp : net::Protocol::Icmpv6;
  const uint16_t header = network_header_bytes(key.family());
  const auto length = static_cast<uint16_t>(probe.bytes - header);
  write_network_header(at, key, protocol, length, 0);
  if (ipv4) {
    at[8] = probe.hop_limit;
    net::store(at + 10, net::Be16{0});
    const uint16_t sum = net::checksum_fold(net::checksum_add(at, header));
    net::store(at + 10, net::Be16{static_cast<uint16_t>(~sum)});
  } else {
    at[7] = probe.hop_limit;
  }
  uint8_t* icmp = at + header;
  std::memset(icmp, 0, length);
  icmp[0] = ipv4 ? kEchoRequest : kEchoRequestV6;
  net::store(icmp + 4, net::Be16::from_host(probe.identifier));
  net::store(icmp + 6, net::Be16::from_host(probe.sequence));
  const uint64_t before =
      ipv4 ? 0 : net::pseudo_header_sum(probe.source, probe.destination, protocol, length);
  const uint16_t sum = net::checksum_fold(net::checksum_add(icmp, length, before));
  net::store(icmp + 2, net::Be16{static_cast<uint16_t>(~sum)});
}

std::optional<ProbeAnswer> read_probe_answer(std::span<const uint8_t> packet,
                                             uint16_t identifier) noexcept {
  const std::optional<IcmpPart> icmp = icmp_of(packet);
  if (!icmp) return std::nullopt;
  ProbeAnswer answer;
  answer.from = icmp->source;
  answer.to = icmp->destination;
  const uint8_t* echo = icmp->bytes.data();
  if (is_error(*icmp)) {
    const auto quote = icmp->bytes.subspan(kEchoBytes);
    const net::Family family = icmp->ipv4 ? net::Family::Ipv4 : net::Family::Ipv6;
    net::QuotedPacket quoted;
    if (!net::QuotedPacket::parse(family, quote.data(), quote.size(), quoted)) return std::nullopt;
    const bool ours = quoted.icmp_type == (icmp->ipv4 ? kEchoRequest : kEchoRequestV6) &&
                      quoted.key.source == answer.to &&
                      quoted.transport_offset + kEchoBytes <= quote.size();
    if (!ours) return std::nullopt;
    echo = quote.data() + quoted.transport_offset;
    answer.kind = ipsec::PathAnswer::Beyond;
  } else if (echo[0] != (icmp->ipv4 ? kEchoReply : kEchoReplyV6)) {
    return std::nullopt;
  }
  answer.identifier = net::load_be16(echo + 4).host();
  answer.sequence = net::load_be16(echo + 6).host();
  if (answer.identifier != identifier) return std::nullopt;
  return answer;
}

}  // namespace masugata::dataplane
