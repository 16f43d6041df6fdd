// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/icmp/generated_packet.h"

#include <algorithm>
#include <cstring>

#include "net/checksum.h"

namespace masugata::dataplane {
namespace {

constexpr uint16_t kDontFragment = 0x4000;

void swap_stations(uint8_t* frame) noexcept { std::swap_ranges(frame, frame + 6, frame + 6); }

}  // namespace

rte_mbuf* start_generated_packet(rte_mempool& pool, const Packet& received, Heading heading,
                                 uint16_t network_length, const net::FlowKey& key) noexcept {
  rte_mbuf* buffer = rte_pktmbuf_alloc(&pool);
  if (buffer == nullptr) return nullptr;
  const uint16_t link_length = received.link_length;
  const uint32_t frame_bytes = uint32_t{link_length} + network_length;
  if (frame_bytes > rte_pktmbuf_tailroom(buffer)) {
    rte_pktmbuf_free(buffer);
    return nullptr;
  }
  auto* frame =
      reinterpret_cast<uint8_t*>(rte_pktmbuf_append(buffer, static_cast<uint16_t>(frame_bytes)));
  std::memcpy(frame, received.frame(), link_length);
  buffer->port = received.mbuf().port;

  Packet& packet = Packet::of(buffer);
  packet = Packet{};
  packet.ingress_interface = received.ingress_interface;
  packet.ingress_port = received.ingress_port;
  packet.ingress_zone = received.ingress_zone;
  packet.received_ms = received.received_ms;
  packet.flags = kPacketGenerated | kPacketDontFragment;
  packet.link_length = link_length;
  packet.network_length = network_length;
  packet.key = key;
  if (heading == Heading::BackToSender) {
    swap_stations(frame);
    packet.egress_interface = received.ingress_interface;
  }
  return buffer;
}

void write_network_header(uint8_t* network, const net::FlowKey& key, net::Protocol protocol,
                          uint16_t payload_length, uint8_t traffic_class) noexcept {
  const uint16_t header = network_header_bytes(key.family());
  std::memset(network, 0, header);
  if (key.family() == net::Family::Ipv4) {
    network[0] = 0x45;
    network[1] = traffic_class;
    net::store(network + 2, net::Be16::from_host(static_cast<uint16_t>(header + payload_length)));
    net::store(network + 6, net::Be16::from_host(kDontFragment));
    network[8] = kGeneratedHopLimit;
    network[9] = static_cast<uint8_t>(protocol);
    net::store(network + 12, key.source.v4());
    net::store(network + 16, key.destination.v4());
    const uint16_t sum = net::checksum_fold(net::checksum_add(network, header));
    net::store(network + 10, net::Be16{static_cast<uint16_t>(~sum)});
    return;
  }
  network[0] = static_cast<uint8_t>(0x60U | (traffic_class >> 4U));
  network[1] = static_cast<uint8_t>((traffic_class & 0x0fU) << 4U);
  net::store(network + 4, net::Be16::from_host(payload_length));
  network[6] = static_cast<uint8_t>(protocol);
  network[7] = kGeneratedHopLimit;
  std::memcpy(network + 8, key.source.bytes.data(), 16);
  std::memcpy(network + 24, key.destination.bytes.data(), 16);
}

}  // namespace masugata::dataplane
