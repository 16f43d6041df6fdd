// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/pipeline/worker_messages.h"

#include <fmt/core.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "dataplane/names/name_learner.h"
#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {
namespace {

// Ring elements are multiples of four bytes, copied whole.
template <class Message>
struct alignas(16) Element {
  Message message;
};
template <class Message>
constexpr unsigned kElementBytes = sizeof(Element<Message>);

template <class Message>
rte_ring* make_ring(const char* name, uint16_t worker, uint32_t size) {
  return rte_ring_create_elem(fmt::format("{}{}", name, worker).c_str(), kElementBytes<Message>,
                              size, SOCKET_ID_ANY, RING_F_SC_DEQ);
}

template <class Message>
bool send(rte_ring* ring, const Message& message) noexcept {
  Element<Message> element{message};
  return rte_ring_enqueue_elem(ring, &element, kElementBytes<Message>) == 0;
}

template <class Message>
bool receive(rte_ring* ring, Message& message) noexcept {
  Element<Message> element;
  if (rte_ring_dequeue_elem(ring, &element, kElementBytes<Message>) != 0) return false;
  message = element.message;
  return true;
}

}  // namespace

Result<std::unique_ptr<WorkerMessages>> WorkerMessages::create(uint16_t workers) {
  std::unique_ptr<WorkerMessages> messages(new WorkerMessages);
  for (uint16_t worker = 0; worker < workers; ++worker) {
    rte_ring* packets = rte_ring_create(fmt::format("handover{}", worker).c_str(), kPacketRingSize,
                                        SOCKET_ID_ANY, RING_F_SC_DEQ);
    rte_ring* keys = make_ring<ForeignKeyMessage>("foreign", worker, kKeyRingSize);
    rte_ring* expectations =
        make_ring<ExpectationMessage>("expected", worker, kExpectationRingSize);
    rte_ring* lessons = make_ring<NameLesson>("lessons", worker, kLessonRingSize);
    if (lessons != nullptr) messages->lessons_.push_back(lessons);
    if (packets != nullptr) messages->packets_.push_back(packets);
    if (keys != nullptr) messages->keys_.push_back(keys);
    if (expectations != nullptr) messages->expectations_.push_back(expectations);
    if (packets == nullptr || keys == nullptr || expectations == nullptr || lessons == nullptr) {
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
  for (rte_ring* ring : expectations_) rte_ring_free(ring);
  for (rte_ring* ring : lessons_) rte_ring_free(ring);
}

bool WorkerMessages::send_packet(uint16_t to, Packet& packet) noexcept {
  return rte_ring_enqueue(packets_[to], &packet) == 0;
}

bool WorkerMessages::send_key(uint16_t to, const ForeignKeyMessage& message) noexcept {
  return send(keys_[to], message);
}

bool WorkerMessages::send_expectation(uint16_t to, const ExpectationMessage& message) noexcept {
  return send(expectations_[to], message);
}

uint32_t WorkerMessages::receive_packets(uint16_t own, Packet** packets,
                                         uint32_t maximum) noexcept {
  return rte_ring_dequeue_burst(packets_[own], reinterpret_cast<void**>(packets), maximum, nullptr);
}

bool WorkerMessages::receive_key(uint16_t own, ForeignKeyMessage& message) noexcept {
  return receive(keys_[own], message);
}

bool WorkerMessages::receive_expectation(uint16_t own, ExpectationMessage& message) noexcept {
  return receive(expectations_[own], message);
}

bool WorkerMessages::send_lesson(uint16_t to, const NameLesson& lesson) noexcept {
  return send(lessons_[to], lesson);
}

bool WorkerMessages::receive_lesson(uint16_t own, NameLesson& lesson) noexcept {
  return receive(lessons_[own], lesson);
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

namespace {

void take_keys(WorkerContext& context) noexcept {
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

}  // namespace

void take_messages(WorkerContext& context) noexcept {
  if (context.messages == nullptr) return;
  take_keys(context);
  ExpectationMessage message;
  for (uint32_t count = 0; count < WorkerMessages::kExpectationRingSize; ++count) {
    if (!context.messages->receive_expectation(context.worker, message)) break;
    (void)context.expectations.add(message.expectation, context.now_ms);
  }
  NameLesson lesson;
  for (uint32_t count = 0; count < WorkerMessages::kLessonRingSize; ++count) {
    if (!context.messages->receive_lesson(context.worker, lesson)) return;
    context.names->learn(lesson, context.now_s());
  }
}

void share_lessons(WorkerContext& context) noexcept {
  if (context.messages == nullptr) return;
  for (const NameLesson& lesson : context.names->lessons()) {
    for (uint16_t other = 0; other < context.worker_count; ++other) {
      if (other == context.worker || context.messages->send_lesson(other, lesson)) continue;
      context.names->count_not_shared();
    }
  }
}

void share_expectation(const Expectation& expectation, WorkerContext& context) noexcept {
  if (context.messages == nullptr) return;
  for (uint16_t other = 0; other < context.worker_count; ++other) {
    if (other != context.worker) (void)context.messages->send_expectation(other, {expectation});
  }
}

}  // namespace masugata::dataplane
