// SPDX-License-Identifier: GPL-2.0-or-later
// Writing a flow's translation, hop limit and link header into a packet.
#pragma once

#include <cstdint>
#include <cstring>

#include "dataplane/pipeline/packet.h"
#include "dataplane/pipeline/running_configuration.h"
#include "dataplane/session/session.h"
#include "net/checksum.h"
#include "net/headers/ethernet.h"

namespace masugata::dataplane {

// Taking 1 from the TTL takes 1 from the first byte of its 16-bit word (RFC 1141).
inline constexpr uint16_t kHopDecrementDelta = 0xfffe;

// TTL of an IPv4, hop limit of an IPv6 packet.
[[nodiscard]] inline uint8_t hop_limit(const Packet& packet) noexcept {
  const uint8_t* network = packet.network();
  return network[(network[0] >> 4U) == 4 ? 8 : 7];
}

inline void adjust_checksum(uint8_t* field, uint16_t delta) noexcept {
  net::store(field, net::Be16{net::checksum_apply(net::load_be16(field).raw, delta)});
}

// Ports or identifier and the transport checksum of an IPv4 packet.
void rewrite_transport(uint8_t* transport, net::Protocol protocol, const Flow& flow) noexcept;

// Addresses, TTL and header checksum of an IPv4 packet in one go, then its transport.
inline void rewrite_ipv4(Packet& packet, const Flow& flow) noexcept {
  uint8_t* network = packet.network();
  network[8] = static_cast<uint8_t>(network[8] - 1);
  uint16_t delta = kHopDecrementDelta;
  if ((flow.flags & (kFlowRewriteSource | kFlowRewriteDestination)) != 0) {
    if ((flow.flags & kFlowRewriteSource) != 0) net::store(network + 12, flow.rewrite.source);
    if ((flow.flags & kFlowRewriteDestination) != 0) {
      net::store(network + 16, flow.rewrite.destination);
    }
    delta = net::checksum_delta_add(delta, flow.rewrite.l3_checksum_delta);
    rewrite_transport(packet.transport(), flow.key.protocol, flow);
  }
  adjust_checksum(network + 10, delta);
}

// Writes the Ethernet header for `interface` in front of the IP packet, with or without a tag;
// moves the frame's start as needed. False when there is no headroom (a bug).
[[nodiscard]] inline bool write_link_header(Packet& packet, const EgressInterface& interface,
                                            const net::MacAddress& destination) noexcept {
  const uint16_t length = static_cast<uint16_t>(net::kEthernetHeaderBytes +
                                                (interface.vlan != 0 ? net::kVlanTagBytes : 0));
  const int shift = static_cast<int>(length) - static_cast<int>(packet.link_length);
  if (shift != 0) [[unlikely]] {
    rte_mbuf& mbuf = packet.mbuf();
    if (shift > 0 ? rte_pktmbuf_prepend(&mbuf, static_cast<uint16_t>(shift)) == nullptr
                  : rte_pktmbuf_adj(&mbuf, static_cast<uint16_t>(-shift)) == nullptr) {
      return false;
    }
    packet.link_length = length;
    packet.transport_offset = static_cast<uint16_t>(packet.transport_offset + shift);
    packet.payload_offset = static_cast<uint16_t>(packet.payload_offset + shift);
  }
  uint8_t* frame = packet.frame();
  std::memcpy(frame, destination.bytes.data(), 6);
  std::memcpy(frame + 6, interface.mac.bytes.data(), 6);
  uint8_t* type = frame + 12;
  if (interface.vlan != 0) {
    net::store(type, net::Be16::from_host(static_cast<uint16_t>(net::EtherType::Vlan)));
    net::store(type + 2, net::Be16::from_host(interface.vlan));
    type += net::kVlanTagBytes;
  }
  const net::EtherType ether_type =
      (packet.network()[0] >> 4U) == 4 ? net::EtherType::Ipv4 : net::EtherType::Ipv6;
  net::store(type, net::Be16::from_host(static_cast<uint16_t>(ether_type)));
  return true;
}

}  // namespace masugata::dataplane
