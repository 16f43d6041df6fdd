// SPDX-License-Identifier: GPL-2.0-or-later
// Packets on their way to the ports' queues, gathered into bursts. One per worker.
#pragma once

#include <rte_config.h>

#include <array>
#include <cstdint>

#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {

class TransmitQueues {
 public:
  static constexpr uint16_t kBurst = 32;

  // Takes the packet; sends a burst when one is full. EgressDown (the packet stays the caller's)
  // when its egress interface has no port.
  [[nodiscard]] DropReason enqueue(Packet& packet, WorkerContext& context) noexcept;

  // Sends what has gathered. What a queue does not take is dropped as TransmitQueueFull.
  void flush(WorkerContext& context) noexcept;

 private:
  struct Queue {
    std::array<rte_mbuf*, kBurst> packets;
    uint16_t count = 0;
  };
  static void send(uint16_t port, Queue& queue, WorkerContext& context) noexcept;

  std::array<Queue, RTE_MAX_ETHPORTS> queues_;
  uint64_t waiting_ports_ = 0;  // bit per port with packets
};
static_assert(RTE_MAX_ETHPORTS <= 64);

}  // namespace masugata::dataplane
