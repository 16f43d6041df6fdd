// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/admit/admission_inputs.h"

#include <cstring>

namespace masugata::dataplane {

PacketRoutes::PacketRoutes(const ForwardingView& view, const Packet& packet) noexcept
    : view_(view), destination_(packet.key.destination) {
  if (packet.has(kPacketFromKernel)) {
    pinned_ = true;
    route_.kind = RouteKind::Connected;
    route_.interface = packet.ingress_interface;
  }
}

PacketFacts facts_of(const Packet& packet) noexcept {
  PacketFacts facts;
  facts.key = packet.key;
  if (!packet.has(kPacketFromKernel)) {
    std::memcpy(facts.source_mac.bytes.data(), packet.frame() + 6, 6);
  }
  facts.icmp_type = packet.icmp_type;
  facts.icmp_code = packet.icmp_code;
  facts.has_ports = packet.key.source_port.raw != 0 || packet.key.destination_port.raw != 0 ||
                    packet.key.protocol == net::Protocol::Icmp ||
                    packet.key.protocol == net::Protocol::Icmpv6;
  return facts;
}

}  // namespace masugata::dataplane
