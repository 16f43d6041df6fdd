// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "dataplane/replay/packet_decoder.h"
#include "net/byte_order.h"
#include "net/checksum.h"

namespace masugata::dataplane {
namespace {

constexpr size_t kIpv4Bytes = 20;
constexpr size_t kIpv6Bytes = 40;
constexpr size_t kIpv6FragmentBytes = 8;

constexpr uint8_t kProtocolIpv4 = 4;
constexpr uint8_t kProtocolIpv6 = 41;

uint16_t be16(std::span<const uint8_t> bytes, size_t at) noexcept {
  return net::load_be16(bytes.data() + at).host();
}

bool is_extension(uint8_t header) noexcept {
  switch (static_cast<net::Protocol>(header)) {
    case net::Protocol::HopByHop:
    case net::Protocol::Ipv6Routing:
    case net::Protocol::Ipv6Fragment:
    case net::Protocol::Ah:
    case net::Protocol::Ipv6DestinationOptions:
    case net::Protocol::Mobility:
      return true;
    default:
      return header == 139 || header == 140;  // HIP, Shim6
  }
}

}  // namespace

void PacketDecoder::decode_ipv4(Layers& layers, Bytes bytes) {
  if (++layers.depth > kMaximumLayers) return finish_with(layers, DecodeEvent::TooManyLayers);
  if (bytes.size() < kIpv4Bytes) return finish_with(layers, DecodeEvent::Ipv4TooSmall);
  if (bytes[0] >> 4U != 4) return finish_with(layers, DecodeEvent::Ipv4WrongVersion);
  const size_t header = size_t{4} * (bytes[0] & 0xfU);
  const size_t total = be16(bytes, 2);
  if (header < kIpv4Bytes) return finish_with(layers, DecodeEvent::Ipv4HeaderTooSmall);
  if (total < header) return finish_with(layers, DecodeEvent::Ipv4LengthSmallerThanHeader);
  if (total > bytes.size()) return finish_with(layers, DecodeEvent::Ipv4Truncated);

  const Bytes packet = bytes.first(total);
  ids::PacketFacts& facts = layers.packet.facts;
  facts.is_ip = true;
  facts.is_ipv6 = false;
  facts.network = packet;
  facts.key.source = net::IpAddress::from_v4(net::load_be32(packet.data() + 12));
  facts.key.destination = net::IpAddress::from_v4(net::load_be32(packet.data() + 16));
  facts.key.protocol = static_cast<net::Protocol>(packet[9]);
  if (header > kIpv4Bytes) {
    check_ipv4_options(layers, packet.subspan(kIpv4Bytes, header - kIpv4Bytes));
  }
  if (options_.verify_checksums &&
      net::checksum_fold(net::checksum_add(packet.data(), header)) != 0xffff) {
    layers.packet.network_checksum_ok = false;
  }
  const uint16_t fragment_word = be16(packet, 6);
  if ((fragment_word & 0x3fffU) == 0) {
    return decode_upper(layers, {packet[9], packet.subspan(header)});
  }
  Fragment fragment;
  fragment.source = facts.key.source;
  fragment.destination = facts.key.destination;
  fragment.identification = be16(packet, 4);
  fragment.protocol = packet[9];
  fragment.more = (fragment_word & 0x2000U) != 0;
  fragment.offset = 8U * (fragment_word & 0x1fffU);
  fragment.header = packet.first(header);
  fragment.data = packet.subspan(header);
  take_fragment(layers, fragment);
}

// RFC 791 section 3.1. What is wrong is named; the packet goes on.
void PacketDecoder::check_ipv4_options(Layers& layers, Bytes options) {
  std::array<bool, 256> seen{};
  while (!options.empty() && options[0] != 0) {
    const uint8_t kind = options[0];
    if (kind == 1) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2) return raise(layers, DecodeEvent::Ipv4OptionInvalid);
    const size_t length = options[1];
    if (length < 2 || length > options.size()) {
      return raise(layers, DecodeEvent::Ipv4OptionInvalidLength);
    }
    if (seen[kind]) raise(layers, DecodeEvent::Ipv4OptionDuplicate);
    seen[kind] = true;
    switch (kind) {
      case 7:    // record route
      case 131:  // loose source route
      case 137:  // strict source route
        if (length < 3) return raise(layers, DecodeEvent::Ipv4OptionInvalidLength);
        if (options[2] < 4 || options[2] > length + 1 || options[2] % 4 != 0) {
          raise(layers, DecodeEvent::Ipv4OptionMalformed);
        }
        break;
      case 68:  // timestamp
        if (length < 5) return raise(layers, DecodeEvent::Ipv4OptionInvalidLength);
        if (options[2] < 5) raise(layers, DecodeEvent::Ipv4OptionMalformed);
        break;
      case 130:  // security
      case 133:
      case 134:
      case 136:  // stream identifier
      case 148:  // router alert (RFC 2113)
        break;
      default:
        raise(layers, DecodeEvent::Ipv4OptionUnknown);
    }
    options = options.subspan(length);
  }
}

void PacketDecoder::decode_ipv6(Layers& layers, Bytes bytes) {
  if (++layers.depth > kMaximumLayers) return finish_with(layers, DecodeEvent::TooManyLayers);
  if (bytes.size() < kIpv6Bytes) return finish_with(layers, DecodeEvent::Ipv6TooSmall);
  if (bytes[0] >> 4U != 6) return finish_with(layers, DecodeEvent::Ipv6WrongVersion);
  const size_t total = kIpv6Bytes + be16(bytes, 4);
  if (total > bytes.size()) return finish_with(layers, DecodeEvent::Ipv6Truncated);

  ids::PacketFacts& facts = layers.packet.facts;
  facts.is_ip = true;
  facts.is_ipv6 = true;
  facts.network = bytes.first(total);
  facts.key.source = net::IpAddress::from_v6(bytes.data() + 8);
  facts.key.destination = net::IpAddress::from_v6(bytes.data() + 24);
  UpperLayer upper;
  if (walk_extensions(layers, facts.network, upper)) decode_upper(layers, upper);
}

// False: the packet ended here (a fragment, or a chain that cannot be walked) and was handed on.
bool PacketDecoder::walk_extensions(Layers& layers, Bytes packet, UpperLayer& upper) {
  ids::PacketFacts& facts = layers.packet.facts;
  std::array<uint8_t, 256> seen{};
  size_t at = kIpv6Bytes;
  size_t naming = 6;  // the byte that names the header at `at`
  while (is_extension(packet[naming])) {
    const uint8_t kind = packet[naming];
    facts.key.protocol = static_cast<net::Protocol>(kind);
    if (packet.size() < at + 8) {
      finish_with(layers, DecodeEvent::Ipv6TruncatedExtension);
      return false;
    }
    const auto header = static_cast<net::Protocol>(kind);
    size_t length = size_t{8} * (size_t{packet[at + 1]} + 1);
    if (header == net::Protocol::Ah) length = size_t{4} * (size_t{packet[at + 1]} + 2);
    if (header == net::Protocol::Ipv6Fragment) length = kIpv6FragmentBytes;
    if (packet.size() < at + length) {
      finish_with(layers, DecodeEvent::Ipv6TruncatedExtension);
      return false;
    }
    ++seen[kind];
    if (header == net::Protocol::Ipv6Fragment) {
      if (seen[kind] > 1) raise(layers, DecodeEvent::Ipv6FragmentHeaderTwice);
      if (packet[at + 1] != 0) raise(layers, DecodeEvent::Ipv6FragmentReservedBits);
      const uint16_t word = be16(packet, at + 2);
      if ((word & 0xfff9U) != 0 && seen[kind] == 1) {
        Fragment fragment;
        fragment.is_ipv6 = true;
        fragment.source = facts.key.source;
        fragment.destination = facts.key.destination;
        fragment.identification = net::load_be32(packet.data() + at + 4).host();
        fragment.protocol = packet[at];
        fragment.more = (word & 1U) != 0;
        fragment.offset = word & 0xfff8U;
        fragment.header = packet.first(at);
        fragment.next_header_offset = static_cast<uint16_t>(naming);
        fragment.data = packet.subspan(at + kIpv6FragmentBytes);
        if (fragment.more && fragment.data.size() % 8 != 0) {
          raise(layers, DecodeEvent::Ipv6FragmentInvalidLength);
        }
        facts.key.protocol = static_cast<net::Protocol>(packet[at]);
        take_fragment(layers, fragment);
        return false;
      }
      if ((word & 0xfff9U) == 0) raise(layers, DecodeEvent::Ipv6FragmentHeaderUseless);
    } else if (header == net::Protocol::Ipv6Routing) {
      if (seen[kind] > 1) raise(layers, DecodeEvent::Ipv6RoutingTwice);
      if (packet[at + 2] == 0) raise(layers, DecodeEvent::Ipv6RoutingTypeZero);
    } else if (header == net::Protocol::HopByHop) {
      if (seen[kind] > 1) raise(layers, DecodeEvent::Ipv6HopByHopTwice);
      check_ipv6_options(layers, kind, packet.subspan(at + 2, length - 2));
    } else if (header == net::Protocol::Ipv6DestinationOptions) {
      if (seen[kind] > 2) raise(layers, DecodeEvent::Ipv6DestinationTwice);
      check_ipv6_options(layers, kind, packet.subspan(at + 2, length - 2));
    } else if (header == net::Protocol::Ah && seen[kind] > 1) {
      raise(layers, DecodeEvent::Ipv6AuthenticationTwice);
    }
    naming = at;
    at += length;
  }
  const bool extended = at != kIpv6Bytes;
  if (extended && packet.size() < at + 2 &&
      static_cast<net::Protocol>(packet[naming]) != net::Protocol::Ipv6NoNext) {
    raise(layers, DecodeEvent::Ipv6TruncatedExtension);
  }
  upper = {packet[naming], packet.subspan(at)};
  facts.key.protocol = static_cast<net::Protocol>(upper.protocol);
  return true;
}

// RFC 8200 section 4.2.
void PacketDecoder::check_ipv6_options(Layers& layers, uint8_t header, Bytes options) {
  while (!options.empty()) {
    const uint8_t kind = options[0];
    if (kind == 0) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2 || size_t{options[1]} + 2 > options.size()) return;
    switch (kind) {
      case 1:
        if (options[1] == 0) raise(layers, DecodeEvent::Ipv6ZeroLengthPadding);
        break;
      case 5:     // router alert (RFC 2711)
      case 0xc2:  // jumbo payload (RFC 2675)
      case 0xc9:  // home address (RFC 6275)
        break;
      default:
        raise(layers, header == 0 ? DecodeEvent::Ipv6UnknownHopByHopOption
                                  : DecodeEvent::Ipv6UnknownDestinationOption);
    }
    options = options.subspan(size_t{options[1]} + 2);
  }
}

void PacketDecoder::take_fragment(Layers& layers, const Fragment& fragment) {
  ids::PacketFacts& facts = layers.packet.facts;
  facts.is_fragment = true;
  Fragment piece = fragment;
  piece.vlan[0] = facts.vlan[0];
  piece.vlan[1] = facts.vlan[1];
  const AssemblyOutcome outcome = assembler_.add(piece, facts.time_us);
  const bool v6 = fragment.is_ipv6;
  if (outcome.overlap) {
    raise(layers, v6 ? DecodeEvent::Ipv6FragmentOverlap : DecodeEvent::Ipv4FragmentOverlap);
  }
  if (outcome.too_large) {
    raise(layers, v6 ? DecodeEvent::Ipv6FragmentTooLarge : DecodeEvent::Ipv4FragmentTooLarge);
  }
  if (!outcome.datagram.empty()) {
    Layers whole;
    whole.depth = layers.depth;
    whole.vlans = layers.vlans;
    ids::PacketFacts& inner = whole.packet.facts;
    inner.time_us = facts.time_us;
    inner.number = facts.number;
    inner.link_type = facts.link_type;
    inner.vlan[0] = facts.vlan[0];
    inner.vlan[1] = facts.vlan[1];
    inner.from_tunnel = facts.from_tunnel;
    inner.was_reassembled = true;
    v6 ? decode_ipv6(whole, outcome.datagram) : decode_ipv4(whole, outcome.datagram);
  }
  finish(layers);
}

void PacketDecoder::decode_upper(Layers& layers, const UpperLayer& upper) {
  ids::PacketFacts& facts = layers.packet.facts;
  facts.transport = upper.bytes;
  switch (static_cast<net::Protocol>(upper.protocol)) {
    case net::Protocol::Tcp:
      return decode_tcp(layers, upper.bytes);
    case net::Protocol::Udp:
      return decode_udp(layers, upper.bytes);
    case net::Protocol::Icmp:
      if (facts.is_ipv6) return finish_with(layers, DecodeEvent::Ipv6WithIcmpv4);
      return decode_icmp(layers, upper.bytes);
    case net::Protocol::Icmpv6:
      if (!facts.is_ipv6) return finish_with(layers, DecodeEvent::Ipv4WithIcmpv6);
      return decode_icmpv6(layers, upper.bytes);
    case net::Protocol::Sctp:
      return decode_sctp(layers, upper.bytes);
    case net::Protocol::Gre:
      facts.payload = upper.bytes;
      decode_gre(layers, upper.bytes);
      return finish(layers);
    case net::Protocol::Esp:
      if (upper.bytes.size() < 8) return finish_with(layers, DecodeEvent::EspTooSmall);
      facts.payload = upper.bytes.subspan(8);
      layers.packet.has_flow = true;
      return finish(layers);
    case net::Protocol::Ipv6NoNext:
      if (facts.is_ipv6 && !upper.bytes.empty()) raise(layers, DecodeEvent::Ipv6DataAfterNone);
      return finish(layers);
    default:
      break;
  }
  if (upper.protocol == kProtocolIpv4 || upper.protocol == kProtocolIpv6) {
    Layers inner = inner_of(layers, upper.bytes);
    const bool v4 = upper.protocol == kProtocolIpv4;
    if (facts.is_ipv6 && upper.bytes.size() < (v4 ? kIpv4Bytes : kIpv6Bytes)) {
      raise(layers, v4 ? DecodeEvent::Ipv4InIpv6TooSmall : DecodeEvent::Ipv6InIpv6TooSmall);
    } else if (facts.is_ipv6 && upper.bytes[0] >> 4U != (v4 ? 4 : 6)) {
      raise(layers, v4 ? DecodeEvent::Ipv4InIpv6WrongVersion : DecodeEvent::Ipv6InIpv6WrongVersion);
    } else {
      v4 ? decode_ipv4(inner, upper.bytes) : decode_ipv6(inner, upper.bytes);
    }
    layers.packet.has_flow = true;
    return finish(layers);
  }
  if (facts.is_ipv6) raise(layers, DecodeEvent::Ipv6UnknownNextHeader);
  facts.payload = upper.bytes;
  finish(layers);
}

}  // namespace masugata::dataplane
