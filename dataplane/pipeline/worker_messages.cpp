// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/pipeline/worker_messages.h"

#include <fmt/core.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {
namespace {

constexpr unsigned kKeyBytes = (sizeof(ForeignKeyMessage) + 15) / 16 * 16;
struct alignas(16) KeyElement {
  ForeignKeyMessage message;
};
static_assert(sizeof(KeyElement) == kKeyBytes);

}  // namespace

Result<std::unique_ptr<WorkerMessages>> WorkerMessages::create(uint16_t workers) {
  std::unique_ptr<WorkerMessages> messages(new WorkerMessages);
  for (uint16_t worker = 0; worker < workers; ++worker) {
    rte_ring* packets = rte_ring_create(fmt::format("handover{}", worker).c_str(), kPacketRingSize,
                                        SOCKET_ID_ANY, RING_F_SC_DEQ);
    rte_ring* keys = rte_ring_create_elem(fmt::format("foreign{}", worker).c_str(), kKeyBytes,
                                          kKeyRingSize, SOCKET_ID_ANY, RING_F_SC_DEQ);
    if (packets != nullptr) messages->packets_.push_back(packets);
    if (keys != nullptr) messages->keys_.push_back(keys);
    if (packets == nullptr || keys == nullptr) {
      return failure("workers", fmt::format("no memory for the rings between workers: {}",
                                            rte_strerror(rte_errno)));
    }
  }
  return messages;
}

WorkerMessages::~WorkerMessages() {
  for (rte_ring* ring : packets_) {
    void* packet = nullptr;
    while (rte_ring_dequeue(ring, &packet) == 0) {
      rte_pktmbuf_free(&static_cast<Packet*>(packet)->mbuf());
    }
    rte_ring_free(ring);
  }
  for (rte_ring* ring : keys_) rte_ring_free(ring);
}

bool WorkerMessages::send_packet(uint16_t to, Packet& packet) noexcept {
  return rte_ring_enqueue(packets_[to], &packet) == 0;
}

bool WorkerMessages::send_key(uint16_t to, const ForeignKeyMessage& message) noexcept {
  KeyElement element{message};
  return rte_ring_enqueue_elem(keys_[to], &element, kKeyBytes) == 0;
}

uint32_t WorkerMessages::receive_packets(uint16_t own, Packet** packets,
                                         uint32_t maximum) noexcept {
  return rte_ring_dequeue_burst(packets_[own], reinterpret_cast<void**>(packets), maximum, nullptr);
}

bool WorkerMessages::receive_key(uint16_t own, ForeignKeyMessage& message) noexcept {
  KeyElement element;
  if (rte_ring_dequeue_elem(keys_[own], &element, kKeyBytes) != 0) return false;
  message = element.message;
  return true;
}

bool hand_over(Packet& packet, uint16_t to, WorkerContext& context) noexcept {
  if (context.messages == nullptr || to == context.worker || to >= context.worker_count) {
    return false;
  }
  packet.set(kPacketHandedOver);
  if (!context.messages->send_packet(to, packet)) return false;
  context.counters.handed_over.add(1);
  return true;
}

void take_key_messages(WorkerContext& context) noexcept {
  if (context.messages == nullptr) return;
  ForeignKeyMessage message;
  for (uint32_t count = 0; count < WorkerMessages::kKeyRingSize; ++count) {
    if (!context.messages->receive_key(context.worker, message)) return;
    const uint64_t hash = net::hash_flow(message.key, context.secret);
    if (message.timeout_ms == 0) {
      context.sessions->erase_foreign(message.key, hash);
      continue;
    }
    // At the bound answers of this one session find no owner and are dropped with a named reason.
    (void)context.sessions->insert_foreign(message.key, hash, message.owner, context.now_ms,
                                           message.timeout_ms);
  }
}

}  // namespace masugata::dataplane
