// SPDX-License-Identifier: GPL-2.0-or-later
// Packets inside packets. The inner packet is handed on before the outer one.
#include "dataplane/replay/packet_decoder.h"
#include "net/byte_order.h"

namespace masugata::dataplane {
namespace {

constexpr uint16_t kEthertypeBridge = 0x6558;
constexpr uint16_t kEthertypePpp = 0x880b;
constexpr uint16_t kEthertypeErspan = 0x88be;

constexpr uint8_t kGreChecksum = 0x80;
constexpr uint8_t kGreRouting = 0x40;
constexpr uint8_t kGreKey = 0x20;
constexpr uint8_t kGreSequence = 0x10;
constexpr uint8_t kGreAcknowledgement = 0x80;  // of the second byte, version 1

uint16_t be16(std::span<const uint8_t> bytes, size_t at) noexcept {
  return net::load_be16(bytes.data() + at).host();
}

bool looks_like_ipv6(std::span<const uint8_t> bytes) noexcept {
  return bytes.size() >= 40 && bytes[0] >> 4U == 6 && bytes.size() == size_t{40} + be16(bytes, 4);
}

}  // namespace

PacketDecoder::Layers PacketDecoder::inner_of(const Layers& outer, Bytes bytes) {
  Layers inner;
  inner.depth = outer.depth;
  const ids::PacketFacts& from = outer.packet.facts;
  ids::PacketFacts& facts = inner.packet.facts;
  facts.time_us = from.time_us;
  facts.number = from.number;
  facts.frame = bytes;
  facts.vlan[0] = from.vlan[0];
  facts.vlan[1] = from.vlan[1];
  facts.link_type = 101;
  facts.is_ip = false;
  facts.from_tunnel = true;
  return inner;
}

void PacketDecoder::decode_inner_ethertype(const Layers& outer, uint16_t ethertype, Bytes bytes) {
  Layers inner = inner_of(outer, bytes);
  decode_ethertype(inner, ethertype, bytes);
}

void PacketDecoder::decode_inner_ppp(const Layers& outer, Bytes bytes) {
  Layers inner = inner_of(outer, bytes);
  decode_ppp(inner, bytes);
}

// RFC 2784, RFC 2890, and the source routes of RFC 1701.
void PacketDecoder::decode_gre(Layers& layers, Bytes bytes) {
  if (bytes.size() < 4) return raise(layers, DecodeEvent::GreTooSmall);
  layers.packet.has_flow = true;
  const uint8_t version = bytes[1] & 0x07U;
  if (version == 1) return decode_pptp_gre(layers, bytes);
  if (version != 0) return raise(layers, DecodeEvent::GreWrongVersion);
  const uint8_t flags = bytes[0];
  size_t header = 4;
  if ((flags & (kGreChecksum | kGreRouting)) != 0) header += 4;
  if ((flags & kGreKey) != 0) header += 4;
  if ((flags & kGreSequence) != 0) header += 4;
  if (header > bytes.size()) return raise(layers, DecodeEvent::GreVersion0HeaderTooBig);
  while ((flags & kGreRouting) != 0) {
    if (header + 4 > bytes.size()) return raise(layers, DecodeEvent::GreVersion0HeaderTooBig);
    const bool last = be16(bytes, header) == 0 && bytes[header + 3] == 0;
    header += 4 + (last ? size_t{0} : size_t{bytes[header + 3]});
    if (header > bytes.size()) return raise(layers, DecodeEvent::GreVersion0HeaderTooBig);
    if (last) break;
  }
  const uint16_t type = be16(bytes, 2);
  const Bytes inner = bytes.subspan(header);
  if (type == kEthertypePpp) return decode_inner_ppp(layers, inner);
  if (type == kEthertypeErspan) {
    // Without a sequence number there is no ERSPAN header (type I).
    if ((flags & kGreSequence) == 0) {
      return decode_inner_ethertype(layers, kEthertypeBridge, inner);
    }
    return decode_erspan(layers, inner);
  }
  decode_inner_ethertype(layers, type, inner);
}

// RFC 2637 section 4.1.
void PacketDecoder::decode_pptp_gre(Layers& layers, Bytes bytes) {
  if ((bytes[0] & kGreKey) == 0) return raise(layers, DecodeEvent::GreVersion1NoKey);
  if (be16(bytes, 2) != kEthertypePpp) return raise(layers, DecodeEvent::GreVersion1WrongProtocol);
  size_t header = 8;
  if ((bytes[0] & kGreSequence) != 0) header += 4;
  if ((bytes[1] & kGreAcknowledgement) != 0) header += 4;
  if (header > bytes.size()) return raise(layers, DecodeEvent::GreVersion1HeaderTooBig);
  if (header < bytes.size()) decode_inner_ppp(layers, bytes.subspan(header));
}

void PacketDecoder::decode_erspan(Layers& layers, Bytes bytes) {
  if (bytes.size() < 8) return raise(layers, DecodeEvent::ErspanTooSmall);
  const uint8_t version = bytes[0] >> 4U;
  size_t header = 8;
  if (version == 2) {  // type III
    if (bytes.size() < 12) return raise(layers, DecodeEvent::ErspanTooSmall);
    header = (bytes[11] & 1U) != 0 ? 20 : 12;
    if (bytes.size() < header) return raise(layers, DecodeEvent::ErspanTooSmall);
  } else if (version != 1) {
    return raise(layers, DecodeEvent::ErspanBadVersion);
  }
  Layers inner = inner_of(layers, bytes.subspan(header));
  inner.packet.facts.vlan[0] = static_cast<uint16_t>(be16(bytes, 0) & 0x0fffU);
  decode_ethernet(inner, bytes.subspan(header));
}

// VXLAN (RFC 7348), Geneve (RFC 8926) by port, Teredo (RFC 4380) by content.
void PacketDecoder::decode_udp_tunnels(Layers& layers, Bytes payload) {
  const uint16_t to = layers.packet.facts.key.destination_port.host();
  if (to == options_.vxlan_port && to != 0 && payload.size() >= 8 && (payload[0] & 0x08U) != 0 &&
      payload[7] == 0) {
    Layers inner = inner_of(layers, payload.subspan(8));
    return decode_ethernet(inner, payload.subspan(8));
  }
  if (to == options_.geneve_port && to != 0 && payload.size() >= 8 && payload[0] >> 6U == 0) {
    const size_t header = size_t{8} + size_t{4} * (payload[0] & 0x3fU);
    if (header > payload.size()) return;
    return decode_inner_ethertype(layers, be16(payload, 2), payload.subspan(header));
  }
  if (!options_.teredo) return;
  Bytes inner = payload;
  // An origin indicator may come first. What has an authentication indicator speaks of the tunnel
  // and is not in it (RFC 4380 section 5.1.1).
  if (inner.size() >= 8 && inner[0] == 0 && inner[1] == 0) inner = inner.subspan(8);
  if (!looks_like_ipv6(inner)) return;
  Layers packet = inner_of(layers, inner);
  packet.guessed = true;
  decode_ipv6(packet, inner);
}

}  // namespace masugata::dataplane
