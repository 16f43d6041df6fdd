// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/fragments/fragment_facts.h"

#include "net/headers/ipv4.h"
#include "net/headers/ipv6.h"
#include "net/headers/transport.h"

namespace masugata::dataplane {
namespace {

using net::Protocol;

constexpr uint32_t kMaximumDatagramBytes = 65535;
constexpr size_t kFragmentHeaderBytes = 8;
constexpr unsigned kMaximumExtensionHeaders = net::Ipv6Chain::kMaximumHeaders;
constexpr size_t kAuthenticationHeaderMinimum = 12;

void set_identity(FragmentFacts& facts, uint32_t identification) noexcept {
  facts.identification = identification;
  facts.datagram.source_port = net::Be16{static_cast<uint16_t>(identification >> 16U)};
  facts.datagram.destination_port = net::Be16{static_cast<uint16_t>(identification & 0xffffU)};
}

// `bytes` begins where a transport header of `protocol` should; `available` bytes are in the
// fragment.
bool has_whole_transport_header(Protocol protocol, const uint8_t* bytes,
                                size_t available) noexcept {
  if (available < minimum_transport_bytes(protocol)) return false;
  if (protocol != Protocol::Tcp) return true;
  const size_t header = (bytes[12] >> 4U) * size_t{4};
  // An impossible data offset is decode's to name, once the datagram is whole.
  return header <= available;
}

struct ExtensionStep {
  bool is_extension = false;
  bool complete = false;  // the header lies within the available bytes
  size_t length = 0;
};

// `fragmentable`: headers that may only stand behind a fragment header count as well.
ExtensionStep step_over(Protocol header, const uint8_t* bytes, size_t available,
                        bool fragmentable) noexcept {
  switch (header) {
    case Protocol::HopByHop:
    case Protocol::Ipv6Routing:
    case Protocol::Ipv6DestinationOptions:
      if (available < 8) return {true, false, 0};
      break;
    case Protocol::Ah:
    case Protocol::Mobility:
      if (!fragmentable) return {};
      if (available < 8) return {true, false, 0};
      break;
    case Protocol::Ipv6Fragment:
      return {fragmentable, available >= kFragmentHeaderBytes, kFragmentHeaderBytes};
    default:
      return {};
  }
  const size_t length =
      header == Protocol::Ah ? (bytes[1] + size_t{2}) * 4 : (bytes[1] + size_t{1}) * 8;
  if (header == Protocol::Ah && length < kAuthenticationHeaderMinimum) return {true, false, 0};
  return {true, length <= available, length};
}

// RFC 7112: the first fragment holds the whole chain up to and including the upper-layer header.
bool first_fragment_complete(const FragmentFacts& facts, const uint8_t* network,
                             size_t readable) noexcept {
  size_t end = size_t{facts.data_offset} + facts.data_length;
  if (end > readable) end = readable;
  size_t position = facts.data_offset;
  Protocol protocol = facts.protocol;
  const bool ipv6 = facts.datagram.protocol == Protocol::Ipv6Fragment;
  for (unsigned count = 0; ipv6; ++count) {
    const ExtensionStep step = step_over(protocol, network + position, end - position, true);
    if (!step.is_extension) break;
    if (!step.complete || count == kMaximumExtensionHeaders) return false;
    protocol = static_cast<Protocol>(network[position]);
    position += step.length;
  }
  return has_whole_transport_header(protocol, network + position, end - position);
}

// `header_bytes`: what stands before the fragmentable part in the datagram as it will be.
DropReason judge(const FragmentFacts& facts, const uint8_t* network, size_t readable,
                 uint32_t header_bytes, DropReason impossible) noexcept {
  if (facts.data_length == 0) return impossible;
  if (facts.more && facts.data_length % 8 != 0) return impossible;
  if (header_bytes + facts.end() > kMaximumDatagramBytes) return DropReason::FragmentTooLarge;
  if (!facts.first()) {
    return facts.offset < minimum_transport_bytes(facts.protocol) ? DropReason::FragmentTooSmall
                                                                  : DropReason::None;
  }
  return first_fragment_complete(facts, network, readable) ? DropReason::None
                                                           : DropReason::FragmentTooSmall;
}

FragmentFacts parse_ipv4(const uint8_t* network, size_t network_length, size_t readable) noexcept {
  FragmentFacts facts;
  if (readable < net::kIpv4MinimumHeaderBytes) {
    facts.problem = DropReason::Ipv4Short;
    return facts;
  }
  const size_t header = (network[0] & 0x0fU) * size_t{4};
  if (header < net::kIpv4MinimumHeaderBytes || header > readable) {
    facts.problem = DropReason::Ipv4BadHeaderLength;
    return facts;
  }
  const uint16_t field = net::load_be16(network + 6).host();
  facts.datagram.source = net::IpAddress::from_v4(net::load_be32(network + 12));
  facts.datagram.destination = net::IpAddress::from_v4(net::load_be32(network + 16));
  facts.protocol = static_cast<Protocol>(network[9]);
  facts.datagram.protocol = facts.protocol;
  set_identity(facts, net::load_be16(network + 4).host());
  facts.congestion = network[1] & 0x03U;
  facts.offset = static_cast<uint16_t>((field & 0x1fffU) * 8U);
  facts.more = (field & 0x2000U) != 0;
  facts.is_fragment = facts.more || facts.offset != 0;
  facts.data_offset = static_cast<uint16_t>(header);
  facts.data_length = static_cast<uint16_t>(network_length - header);
  if (facts.is_fragment) {
    facts.problem =
        judge(facts, network, readable, static_cast<uint32_t>(header), DropReason::Ipv4BadFragment);
  }
  return facts;
}

FragmentFacts parse_ipv6(const uint8_t* network, size_t network_length, size_t readable) noexcept {
  FragmentFacts facts;
  if (readable < net::kIpv6HeaderBytes) {
    facts.problem = DropReason::Ipv6Short;
    return facts;
  }
  facts.datagram.source = net::IpAddress::from_v6(network + 8);
  facts.datagram.destination = net::IpAddress::from_v6(network + 24);
  facts.datagram.protocol = Protocol::Ipv6Fragment;
  facts.congestion = static_cast<uint8_t>((network[1] >> 4U) & 0x03U);
  size_t position = net::kIpv6HeaderBytes;
  size_t named_at = 6;
  auto header = static_cast<Protocol>(network[6]);
  for (unsigned count = 0; header != Protocol::Ipv6Fragment; ++count) {
    const ExtensionStep step = step_over(header, network + position, readable - position, false);
    if (!step.is_extension) return facts;
    if (!step.complete || count == kMaximumExtensionHeaders) {
      facts.problem = DropReason::Ipv6BadExtension;
      return facts;
    }
    named_at = position;
    header = static_cast<Protocol>(network[position]);
    position += step.length;
  }
  if (readable - position < kFragmentHeaderBytes) {
    facts.problem = DropReason::Ipv6BadExtension;
    return facts;
  }
  const uint8_t* fragment = network + position;
  const uint16_t field = net::load_be16(fragment + 2).host();
  facts.is_fragment = true;
  facts.fragment_header_offset = static_cast<uint16_t>(position);
  facts.next_header_offset = static_cast<uint16_t>(named_at);
  facts.protocol = static_cast<Protocol>(fragment[0]);
  facts.offset = field & 0xfff8U;
  facts.more = (field & 0x0001U) != 0;
  set_identity(facts, net::load_be32(fragment + 4).host());
  facts.data_offset = static_cast<uint16_t>(position + kFragmentHeaderBytes);
  facts.data_length = static_cast<uint16_t>(network_length - position - kFragmentHeaderBytes);
  facts.problem =
      judge(facts, network, readable, static_cast<uint32_t>(position), DropReason::Ipv6BadFragment);
  return facts;
}

}  // namespace

size_t minimum_transport_bytes(Protocol protocol) noexcept {
  switch (protocol) {
    case Protocol::Tcp:
      return net::kTcpMinimumHeaderBytes;
    case Protocol::Udp:
    case Protocol::Icmp:
    case Protocol::Icmpv6:
    case Protocol::Esp:
      return 8;
    case Protocol::Sctp:
      return 12;
    case Protocol::Gre:
      return 4;
    default:
      return 0;
  }
}

FragmentFacts parse_fragment(const uint8_t* network, size_t network_length,
                             size_t readable) noexcept {
  FragmentFacts refused;
  refused.problem = DropReason::Ipv4Short;
  if (readable == 0 || readable > network_length) return refused;
  if (network_length > kMaximumDatagramBytes) {
    refused.problem = DropReason::FragmentTooLarge;
    return refused;
  }
  switch (network[0] >> 4U) {
    case 4:
      return parse_ipv4(network, network_length, readable);
    case 6:
      return parse_ipv6(network, network_length, readable);
    default:
      refused.problem = DropReason::Ipv4BadVersion;
      return refused;
  }
}

}  // namespace masugata::dataplane
