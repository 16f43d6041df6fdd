// SPDX-License-Identifier: GPL-2.0-or-later
// The frame around packets that the gateway writes itself.
#pragma once

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <cstdint>

#include "dataplane/pipeline/packet.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

enum class Heading : uint8_t {
  // To the station that sent the packet: MAC addresses swapped, VLAN tag kept, egress_interface is
  // the ingress interface; ready for transmission.
  BackToSender,
  // The way that the packet was going: link header as received, for the later stages to rewrite.
  Onward,
};

// A fresh buffer holding the link header and room for `network_length` bytes behind it (written by
// the caller), with a Packet in its private area: kPacketGenerated and kPacketDontFragment set,
// ingress_interface, ingress_port, received_ms from `received`, network_length and `key` as given;
// session and hash are not filled in. nullptr without a buffer or when the bytes do not fit one.
[[nodiscard]] rte_mbuf* start_generated_packet(rte_mempool& pool, const Packet& received,
                                               Heading heading, uint16_t network_length,
                                               const net::FlowKey& key) noexcept;

// Writes the fixed IPv4 (DF, identification 0: RFC 6864 atomic; checksum filled in) or IPv6 header
// at `network`; key.family() decides. `payload_length`: bytes behind it.
inline constexpr uint8_t kGeneratedHopLimit = 64;
void write_network_header(uint8_t* network, const net::FlowKey& key, net::Protocol protocol,
                          uint16_t payload_length, uint8_t traffic_class) noexcept;
[[nodiscard]] constexpr uint16_t network_header_bytes(net::Family family) noexcept {
  return family == net::Family::Ipv4 ? 20 : 40;
}

}  // namespace masugata::dataplane
