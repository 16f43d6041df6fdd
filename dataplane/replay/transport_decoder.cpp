// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "dataplane/replay/packet_decoder.h"
#include "net/byte_order.h"
#include "net/checksum.h"

namespace masugata::dataplane {
namespace {

constexpr size_t kTcpBytes = 20;
constexpr size_t kUdpBytes = 8;
constexpr size_t kIcmpBytes = 8;
constexpr size_t kSctpBytes = 12;

}  // namespace

bool PacketDecoder::checksum_holds(const Layers& layers, Bytes bytes, uint8_t protocol) const {
  if (!options_.verify_checksums) return true;
  const net::FlowKey& key = layers.packet.facts.key;
  uint64_t sum = 0;
  if (static_cast<net::Protocol>(protocol) != net::Protocol::Icmp) {
    sum = net::pseudo_header_sum(key.source, key.destination, static_cast<net::Protocol>(protocol),
                                 static_cast<uint32_t>(bytes.size()));
  }
  return net::checksum_fold(net::checksum_add(bytes.data(), bytes.size(), sum)) == 0xffff;
}

void PacketDecoder::decode_tcp(Layers& layers, Bytes bytes) {
  if (bytes.size() < kTcpBytes) return finish_with(layers, DecodeEvent::TcpTooSmall);
  const size_t header = size_t{4} * (bytes[12] >> 4U);
  if (header < kTcpBytes || header > bytes.size()) {
    return finish_with(layers, DecodeEvent::TcpHeaderTooSmall);
  }
  ids::PacketFacts& facts = layers.packet.facts;
  facts.key.source_port = net::load_be16(bytes.data());
  facts.key.destination_port = net::load_be16(bytes.data() + 2);
  facts.payload = bytes.subspan(header);
  check_tcp_options(layers, bytes.subspan(kTcpBytes, header - kTcpBytes));
  layers.packet.tcp_flags = bytes[13];
  layers.packet.transport_checksum_ok =
      checksum_holds(layers, bytes, static_cast<uint8_t>(net::Protocol::Tcp));
  layers.packet.has_flow = true;
  finish(layers);
}

// RFC 9293 section 3.2, RFC 7323, RFC 2018. What is wrong is named; the packet goes on.
void PacketDecoder::check_tcp_options(Layers& layers, Bytes options) {
  std::array<bool, 256> seen{};
  while (!options.empty() && options[0] != 0) {
    const uint8_t kind = options[0];
    if (kind == 1) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2) return raise(layers, DecodeEvent::TcpOptionLengths);
    const size_t length = options[1];
    if (length < 2 || length > options.size()) {
      return raise(layers, DecodeEvent::TcpOptionLengths);
    }
    size_t expected = length;
    switch (kind) {
      case 2:
        expected = 4;
        break;
      case 3:
        expected = 3;
        break;
      case 4:
        expected = 2;
        break;
      case 5:
        if ((length - 2) % 8 != 0) expected = 0;
        break;
      case 8:
        expected = 10;
        break;
      default:
        break;
    }
    if (length != expected) {
      raise(layers, DecodeEvent::TcpOptionInvalidLength);
    } else if (seen[kind] && kind <= 8 && kind != 5) {
      raise(layers, DecodeEvent::TcpOptionDuplicate);
    }
    seen[kind] = true;
    options = options.subspan(length);
  }
}

void PacketDecoder::decode_udp(Layers& layers, Bytes bytes) {
  if (bytes.size() < kUdpBytes) return finish_with(layers, DecodeEvent::UdpHeaderTooSmall);
  ids::PacketFacts& facts = layers.packet.facts;
  const size_t length = net::load_be16(bytes.data() + 4).host();
  if (length > bytes.size()) return finish_with(layers, DecodeEvent::UdpTooSmall);
  if (length != 0 && length < kUdpBytes) return finish_with(layers, DecodeEvent::UdpLengthInvalid);
  // Zero: a jumbogram (RFC 2675 section 4), which reaches to the end.
  const Bytes datagram = length == 0 ? bytes : bytes.first(length);
  facts.key.source_port = net::load_be16(bytes.data());
  facts.key.destination_port = net::load_be16(bytes.data() + 2);
  facts.transport = datagram;
  facts.payload = datagram.subspan(kUdpBytes);
  if (net::load_be16(bytes.data() + 6).raw != 0) {
    layers.packet.transport_checksum_ok =
        checksum_holds(layers, datagram, static_cast<uint8_t>(net::Protocol::Udp));
  }
  layers.packet.has_flow = true;
  decode_udp_tunnels(layers, facts.payload);
  finish(layers);
}

void PacketDecoder::decode_icmp(Layers& layers, Bytes bytes) {
  if (bytes.size() < kIcmpBytes) return finish_with(layers, DecodeEvent::Icmpv4TooSmall);
  ids::PacketFacts& facts = layers.packet.facts;
  const uint8_t type = bytes[0];
  const uint8_t code = bytes[1];
  facts.payload = bytes.subspan(kIcmpBytes);
  if (type == 0 || type == 8) {
    facts.key.source_port = facts.key.destination_port = net::load_be16(bytes.data() + 4);
  }
  switch (type) {
    case 3:
      if (code > 15) raise(layers, DecodeEvent::Icmpv4UnknownCode);
      break;
    case 5:
      if (code > 3) raise(layers, DecodeEvent::Icmpv4UnknownCode);
      break;
    case 11:
      if (code > 1) raise(layers, DecodeEvent::Icmpv4UnknownCode);
      break;
    case 12:
      if (code > 2) raise(layers, DecodeEvent::Icmpv4UnknownCode);
      break;
    case 0:
    case 4:
    case 8:
    case 13:
    case 14:
    case 15:
    case 16:
    case 17:
    case 18:
      if (code != 0) raise(layers, DecodeEvent::Icmpv4UnknownCode);
      break;
    case 9:
    case 10:
      break;
    default:
      raise(layers, DecodeEvent::Icmpv4UnknownType);
  }
  const bool quotes = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
  if (quotes && facts.payload.size() < 20) {
    raise(layers, DecodeEvent::Icmpv4QuoteTruncated);
  } else if (quotes && facts.payload[0] >> 4U != 4) {
    raise(layers, DecodeEvent::Icmpv4QuoteUnknownVersion);
  }
  layers.packet.transport_checksum_ok =
      checksum_holds(layers, bytes, static_cast<uint8_t>(net::Protocol::Icmp));
  layers.packet.has_flow = true;
  finish(layers);
}

void PacketDecoder::decode_icmpv6(Layers& layers, Bytes bytes) {
  if (bytes.size() < kIcmpBytes) return finish_with(layers, DecodeEvent::Icmpv6TooSmall);
  ids::PacketFacts& facts = layers.packet.facts;
  const uint8_t type = bytes[0];
  const uint8_t code = bytes[1];
  facts.payload = bytes.subspan(kIcmpBytes);
  if (type == 128 || type == 129) {
    facts.key.source_port = facts.key.destination_port = net::load_be16(bytes.data() + 4);
  }
  if (type >= 1 && type <= 4) {
    constexpr std::array<uint8_t, 5> kHighestCode{0, 8, 0, 1, 10};
    if (code > kHighestCode[type]) raise(layers, DecodeEvent::Icmpv6UnknownCode);
    if (facts.payload.size() < 40) {
      raise(layers, DecodeEvent::Icmpv6QuoteTruncated);
    } else if (facts.payload[0] >> 4U != 6) {
      raise(layers, DecodeEvent::Icmpv6QuoteUnknownVersion);
    }
  } else if (type == 100 || type == 101 || type == 200 || type == 201) {
    raise(layers, DecodeEvent::Icmpv6ExperimentalType);
  } else if (type == 0 || (type > 4 && type < 100) || (type > 101 && type < 127)) {
    raise(layers, DecodeEvent::Icmpv6UnassignedType);
  } else if (type >= 161 && type != 255) {
    raise(layers, DecodeEvent::Icmpv6UnknownType);
  } else if (type >= 130 && type <= 132 && facts.network[7] != 1) {
    raise(layers, DecodeEvent::Icmpv6MldHopLimit);
  }
  layers.packet.transport_checksum_ok =
      checksum_holds(layers, bytes, static_cast<uint8_t>(net::Protocol::Icmpv6));
  layers.packet.has_flow = true;
  finish(layers);
}

void PacketDecoder::decode_sctp(Layers& layers, Bytes bytes) {
  if (bytes.size() < kSctpBytes) return finish_with(layers, DecodeEvent::SctpTooSmall);
  ids::PacketFacts& facts = layers.packet.facts;
  facts.key.source_port = net::load_be16(bytes.data());
  facts.key.destination_port = net::load_be16(bytes.data() + 2);
  facts.payload = bytes.subspan(kSctpBytes);
  layers.packet.has_flow = true;
  finish(layers);
}

}  // namespace masugata::dataplane
