// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/replay/link_type.h"
#include "dataplane/replay/packet_decoder.h"
#include "net/byte_order.h"

namespace masugata::dataplane {
namespace {

constexpr uint16_t kEthertypeIpv4 = 0x0800;
constexpr uint16_t kEthertypeArp = 0x0806;
constexpr uint16_t kEthertypeBridge = 0x6558;  // transparent Ethernet bridging
constexpr uint16_t kEthertypeVlan = 0x8100;
constexpr uint16_t kEthertypeIpv6 = 0x86dd;
constexpr uint16_t kEthertypeMpls = 0x8847;
constexpr uint16_t kEthertypeMplsMulticast = 0x8848;
constexpr uint16_t kEthertypePppoeDiscovery = 0x8863;
constexpr uint16_t kEthertypePppoeSession = 0x8864;
constexpr uint16_t kEthertypeServiceVlan = 0x88a8;
constexpr uint16_t kEthertypeOldServiceVlan = 0x9100;
constexpr uint16_t kEthertypeNsh = 0x894f;
constexpr uint16_t kEthertypeFabricPath = 0x8903;
constexpr uint16_t kEthertypeLoopback = 0x9000;

constexpr size_t kEthernetBytes = 14;
constexpr size_t kVlanBytes = 4;
constexpr size_t kPppoeBytes = 6;
constexpr size_t kMplsLabelBytes = 4;

constexpr uint16_t kPppIpv4 = 0x0021;
constexpr uint16_t kPppVanJacobson = 0x002f;
constexpr uint16_t kPppIpv6 = 0x0057;
constexpr uint16_t kPppControl = 0x8000;  // RFC 1661 section 2: 8*** and c***

uint16_t be16(std::span<const uint8_t> bytes, size_t at) noexcept {
  return net::load_be16(bytes.data() + at).host();
}

// PPP protocols that are known and carry nothing to inspect; others are not PPP at all
// (RFC 1661 section 2: the low octet is odd, the high octet even).
bool is_ppp_protocol(uint16_t protocol) noexcept {
  return (protocol & 1U) != 0 && (protocol & 0x0100U) == 0;
}

}  // namespace

void PacketDecoder::decode(const CapturedFrame& frame) {
  Layers layers;
  ids::PacketFacts& facts = layers.packet.facts;
  facts.time_us = frame.time_us;
  facts.number = frame.number;
  facts.frame = frame.bytes;
  facts.link_type = frame.link_type;
  facts.is_ip = false;
  decode_link(layers, frame.link_type, frame.bytes);
}

void PacketDecoder::decode_link(Layers& layers, uint16_t link_type, Bytes bytes) {
  switch (static_cast<LinkType>(link_type)) {
    case LinkType::Ethernet:
      return decode_ethernet(layers, bytes);
    case LinkType::Null:
      return decode_null(layers, bytes, false);
    case LinkType::Loop:
      return decode_null(layers, bytes, true);
    case LinkType::Ppp:
    case LinkType::PppSerial:
      return decode_ppp(layers, bytes);
    case LinkType::Raw:
    case LinkType::RawBsd:
    case LinkType::RawOpenBsd:
    case LinkType::Ipv4:
    case LinkType::Ipv6:
      return decode_by_version(layers, bytes);
    case LinkType::CiscoHdlc:
      if (bytes.size() < 4) return finish_with(layers, DecodeEvent::ChdlcTooSmall);
      return decode_ethertype(layers, be16(bytes, 2), bytes.subspan(4));
    case LinkType::LinuxSll:
      if (bytes.size() < 16) return finish_with(layers, DecodeEvent::SllTooSmall);
      return decode_ethertype(layers, be16(bytes, 14), bytes.subspan(16));
    case LinkType::LinuxSll2:
      if (bytes.size() < 20) return finish_with(layers, DecodeEvent::Sll2TooSmall);
      return decode_ethertype(layers, be16(bytes, 0), bytes.subspan(20));
  }
  finish(layers);
}

void PacketDecoder::decode_ethernet(Layers& layers, Bytes bytes) {
  if (bytes.size() < kEthernetBytes) return finish_with(layers, DecodeEvent::EthernetTooSmall);
  decode_ethertype(layers, be16(bytes, 12), bytes.subspan(kEthernetBytes));
}

void PacketDecoder::decode_ethertype(Layers& layers, uint16_t ethertype, Bytes bytes) {
  if (++layers.depth > kMaximumLayers) return finish_with(layers, DecodeEvent::TooManyLayers);
  switch (ethertype) {
    case kEthertypeIpv4:
      return decode_ipv4(layers, bytes);
    case kEthertypeIpv6:
      return decode_ipv6(layers, bytes);
    case kEthertypeVlan:
    case kEthertypeServiceVlan:
    case kEthertypeOldServiceVlan:
      return decode_vlan(layers, bytes);
    case kEthertypeMpls:
    case kEthertypeMplsMulticast:
      return decode_mpls(layers, bytes);
    case kEthertypePppoeSession:
      return decode_pppoe_session(layers, bytes);
    case kEthertypePppoeDiscovery:
      return decode_pppoe_discovery(layers, bytes);
    case kEthertypeBridge:
      return decode_ethernet(layers, bytes);
    case kEthertypeNsh:
      return decode_nsh(layers, bytes);
    case kEthertypeFabricPath:
      // The destination's two bytes of tag stand where the type was: the frame follows at once.
      if (bytes.size() < 2) return finish_with(layers, DecodeEvent::EthernetTooSmall);
      return decode_ethernet(layers, bytes.subspan(2));
    case kEthertypeArp:
    case kEthertypeLoopback:
      return finish(layers);
    default:
      return finish_with(layers, DecodeEvent::EthernetUnknownType);
  }
}

void PacketDecoder::decode_vlan(Layers& layers, Bytes bytes) {
  if (bytes.size() < kVlanBytes) return finish_with(layers, DecodeEvent::VlanTooSmall);
  constexpr unsigned kMaximumVlans = 3;
  if (layers.vlans >= kMaximumVlans) return finish_with(layers, DecodeEvent::VlanTooMany);
  ids::PacketFacts& facts = layers.packet.facts;
  uint16_t& vlan = layers.vlans < 2 ? facts.vlan[layers.vlans] : facts.third_vlan;
  vlan = static_cast<uint16_t>(be16(bytes, 0) & 0x0fffU);
  facts.vlan_layers = static_cast<uint8_t>(++layers.vlans);
  decode_ethertype(layers, be16(bytes, 2), bytes.subspan(kVlanBytes));
}

void PacketDecoder::decode_mpls(Layers& layers, Bytes bytes) {
  uint32_t label = 0;
  for (bool bottom = false; !bottom; bytes = bytes.subspan(kMplsLabelBytes)) {
    if (bytes.size() < kMplsLabelBytes) {
      return finish_with(layers, DecodeEvent::MplsHeaderTooSmall);
    }
    if (++layers.depth > kMaximumLayers) return finish_with(layers, DecodeEvent::TooManyLayers);
    const uint32_t entry = net::load_be32(bytes.data()).host();
    label = entry >> 12U;
    bottom = (entry & 0x100U) != 0;
  }
  // Reserved labels (RFC 3032 section 2.1).
  if (label == 0) return decode_ipv4(layers, bytes);
  if (label == 1) return finish_with(layers, DecodeEvent::MplsBadRouterAlert);
  if (label == 2) return decode_ipv6(layers, bytes);
  if (label == 3) return finish_with(layers, DecodeEvent::MplsBadImplicitNull);
  if (label < 16) return finish_with(layers, DecodeEvent::MplsBadReserved);
  if (bytes.size() < 4) return finish_with(layers, DecodeEvent::MplsTooSmall);
  switch (bytes[0] >> 4U) {
    case 4:
      return decode_ipv4(layers, bytes);
    case 6:
      return decode_ipv6(layers, bytes);
    case 0:  // a pseudowire's control word (RFC 4385), then the frame
      return decode_ethernet(layers, bytes.subspan(4));
    default:
      return finish_with(layers, DecodeEvent::MplsUnknownPayload);
  }
}

void PacketDecoder::decode_pppoe_discovery(Layers& layers, Bytes bytes) {
  if (bytes.size() < kPppoeBytes) return finish_with(layers, DecodeEvent::PppoeTooSmall);
  switch (bytes[1]) {
    case 0x07:  // PADO
    case 0x09:  // PADI
    case 0x19:  // PADR
    case 0x65:  // PADS
    case 0xa7:  // PADT (RFC 2516 section 5)
      break;
    default:
      return finish_with(layers, DecodeEvent::PppoeWrongCode);
  }
  size_t length = be16(bytes, 4);
  Bytes tags = bytes.subspan(kPppoeBytes);
  if (length > tags.size()) return finish_with(layers, DecodeEvent::PppoeMalformedTags);
  tags = tags.first(length);
  while (tags.size() >= 4) {
    length = size_t{4} + be16(tags, 2);
    if (length > tags.size()) return finish_with(layers, DecodeEvent::PppoeMalformedTags);
    tags = tags.subspan(length);
  }
  finish(layers);
}

void PacketDecoder::decode_pppoe_session(Layers& layers, Bytes bytes) {
  constexpr size_t kWithProtocol = kPppoeBytes + 2;
  if (bytes.size() < kWithProtocol) return finish_with(layers, DecodeEvent::PppoeTooSmall);
  if (bytes[1] != 0) raise(layers, DecodeEvent::PppoeWrongCode);
  // Control protocols (LCP, IPCP, CHAP ..) are what sessions begin and end with.
  if (be16(bytes, kPppoeBytes) >= kPppControl) return finish(layers);
  decode_ppp(layers, bytes.subspan(kPppoeBytes));
}

void PacketDecoder::decode_ppp(Layers& layers, Bytes bytes) {
  if (++layers.depth > kMaximumLayers) return finish_with(layers, DecodeEvent::TooManyLayers);
  if (bytes.size() < 2) return finish_with(layers, DecodeEvent::PppTooSmall);
  if (bytes[0] == 0xff && bytes[1] == 0x03) bytes = bytes.subspan(2);  // RFC 1662 section 3.1
  if (bytes.empty()) return finish_with(layers, DecodeEvent::PppTooSmall);
  uint16_t protocol = bytes[0];
  size_t header = 1;
  if ((protocol & 1U) == 0) {  // not compressed (RFC 1661 section 6.5)
    if (bytes.size() < 2) return finish_with(layers, DecodeEvent::PppTooSmall);
    protocol = be16(bytes, 0);
    header = 2;
  }
  const Bytes inner = bytes.subspan(header);
  switch (protocol) {
    case kPppIpv4:
      if (inner.size() < 20) return finish_with(layers, DecodeEvent::PppIp4TooSmall);
      return decode_ipv4(layers, inner);
    case kPppIpv6:
      if (inner.size() < 40) return finish_with(layers, DecodeEvent::PppIp6TooSmall);
      return decode_ipv6(layers, inner);
    case kPppVanJacobson:
      if (inner.size() < 20) return finish_with(layers, DecodeEvent::PppVjuTooSmall);
      if (inner[0] >> 4U == 4) return decode_ipv4(layers, inner);
      return finish(layers);
    default:
      return finish_with(layers, is_ppp_protocol(protocol) ? DecodeEvent::PppUnsupported
                                                           : DecodeEvent::PppWrongType);
  }
}

void PacketDecoder::decode_null(Layers& layers, Bytes bytes, bool network_order) {
  if (bytes.size() < 4) return finish_with(layers, DecodeEvent::NullTooSmall);
  uint32_t family = net::load_be32(bytes.data()).host();
  // Captures travel between machines of both byte orders; a family is a small number.
  if (!network_order && family > 0xffff) family = __builtin_bswap32(family);
  switch (family) {
    case 2:
      return decode_ipv4(layers, bytes.subspan(4));
    case 10:  // Linux
    case 24:  // NetBSD, OpenBSD
    case 28:  // FreeBSD
    case 30:  // Darwin
      return decode_ipv6(layers, bytes.subspan(4));
    default:
      return finish_with(layers, DecodeEvent::NullUnsupported);
  }
}

void PacketDecoder::decode_by_version(Layers& layers, Bytes bytes) {
  if (bytes.size() < 20) return finish_with(layers, DecodeEvent::Ipv4TooSmall);
  if (bytes[0] >> 4U == 4) return decode_ipv4(layers, bytes);
  if (bytes[0] >> 4U == 6) return decode_ipv6(layers, bytes);
  finish_with(layers, DecodeEvent::RawBadVersion);
}

// RFC 8300 section 2.2: the length field counts words of four bytes.
void PacketDecoder::decode_nsh(Layers& layers, Bytes bytes) {
  if (bytes.size() < 8) return finish_with(layers, DecodeEvent::NshHeaderTooSmall);
  const size_t length = size_t{4} * (bytes[1] & 0x3fU);
  if (length < 8 || length > bytes.size()) {
    return finish_with(layers, DecodeEvent::NshHeaderTooSmall);
  }
  const Bytes inner = bytes.subspan(length);
  switch (bytes[3]) {
    case 1:
      return decode_ipv4(layers, inner);
    case 2:
      return decode_ipv6(layers, inner);
    case 3:
      return decode_ethernet(layers, inner);
    case 5:
      return decode_mpls(layers, inner);
    default:
      return finish_with(layers, DecodeEvent::NshUnknownPayload);
  }
}

}  // namespace masugata::dataplane
