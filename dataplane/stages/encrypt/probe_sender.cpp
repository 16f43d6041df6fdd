// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/encrypt/probe_sender.h"

#include "dataplane/ipsec/ipsec_gate.h"
#include "dataplane/ipsec/probe_packet.h"

namespace masugata::dataplane {

void send_probes(WorkerContext& context) noexcept {
  const ViewedProbe& order = context.ipsec->view()->probe;
  const auto& interfaces = context.configuration->interfaces;
  if (order.tunnel >= interfaces.size() || !interfaces[order.tunnel].tunnel) return;
  for (const ProbePacket& probe : order.packets) {
    rte_mbuf* buffer = rte_pktmbuf_alloc(context.packet_pool);
    if (buffer == nullptr) return;
    char* bytes = rte_pktmbuf_append(buffer, probe.bytes);
    if (bytes == nullptr) {
      rte_pktmbuf_free(buffer);
      continue;
    }
    write_probe(probe, reinterpret_cast<uint8_t*>(bytes));
    Packet& packet = *new (&Packet::of(buffer)) Packet();
    packet.flags = kPacketGenerated | kPacketDontFragment;
    packet.network_length = probe.bytes;
    packet.received_ms = context.now_ms;
    packet.egress_interface = order.tunnel;
    packet.key.source = probe.source;
    packet.key.destination = probe.destination;
    packet.key.protocol = probe.source.is_v4() ? net::Protocol::Icmp : net::Protocol::Icmpv6;
    context.emit(packet, StageId::Encrypt);
  }
}

}  // namespace masugata::dataplane
