// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/transmit/transmit_queues.h"

#include <rte_ethdev.h>

#include <bit>

#include "dataplane/stages/transmit/transport_checksum.h"

namespace masugata::dataplane {

DropReason TransmitQueues::enqueue(Packet& packet, WorkerContext& context) noexcept {
  const RunningConfiguration& configuration = *context.configuration;
  if (packet.egress_interface >= configuration.interfaces.size()) [[unlikely]] {
    return DropReason::InternalError;
  }
  const uint16_t port = configuration.interfaces[packet.egress_interface].port;
  if (port >= queues_.size() || ((context.ports_down >> port) & 1U) != 0) [[unlikely]] {
    return DropReason::EgressDown;
  }
  InterfaceCounters& counters =
      context.configuration_counters().interfaces[packet.egress_interface];
  counters.sent_packets.add(1);
  counters.sent_bytes.add(packet.mbuf().pkt_len);
  packet.mbuf().ol_flags = 0;
  if (packet.has(kPacketChecksumPending)) [[unlikely]] {
    if (configuration.interfaces[packet.egress_interface].port_sums_tcp) {
      leave_checksum_to_port(packet);
    } else {
      complete_checksum(packet);
    }
  }
  Queue& queue = queues_[port];
  queue.packets[queue.count++] = &packet.mbuf();
  waiting_ports_ |= uint64_t{1} << port;
  if (queue.count == kBurst) send(port, queue, context);
  return DropReason::None;
}

void TransmitQueues::flush(WorkerContext& context) noexcept {
  while (waiting_ports_ != 0) {
    const auto port = static_cast<uint16_t>(std::countr_zero(waiting_ports_));
    waiting_ports_ &= waiting_ports_ - 1;
    if (queues_[port].count > 0) send(port, queues_[port], context);
  }
}

void TransmitQueues::send(uint16_t port, Queue& queue, WorkerContext& context) noexcept {
  const uint16_t sent = rte_eth_tx_burst(port, context.worker, queue.packets.data(), queue.count);
  const auto left = static_cast<uint16_t>(queue.count - sent);
  if (left > 0) [[unlikely]] {
    context.counters.drops[static_cast<size_t>(DropReason::TransmitQueueFull)].add(left);
    rte_pktmbuf_free_bulk(queue.packets.data() + sent, left);
  }
  queue.count = 0;
}

}  // namespace masugata::dataplane
