// SPDX-License-Identifier: GPL-2.0-or-later
// What workers tell each other: packets that belong to another one, keys that do, what is expected
// and what was learnt.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/names/name_table.h"
#include "dataplane/pipeline/packet.h"
#include "dataplane/session/expectation_table.h"
#include "net/flow_key.h"
#include "result/result.h"

struct rte_ring;

namespace masugata::dataplane {

struct WorkerContext;

// "Packets with this key belong to me." Sent by a session's owner to the worker that the key's
// hash leads to. It is in that worker's ring before the packet that makes the answer possible
// leaves the gateway, and rings are emptied before ports, so no answer can overtake it.
struct ForeignKeyMessage {
  net::FlowKey key;
  uint32_t timeout_ms = 0;  // 0: forget the key
  uint16_t owner = 0;
};

// "A session like this is expected": whoever gets its first packet may open it. Sent to every other
// worker, because the expected source port, and with it the owner, is not known.
struct ExpectationMessage {
  Expectation expectation;
};

// The rings in front of all workers. Made by the control thread before the workers start.
class WorkerMessages {
 public:
  static constexpr uint32_t kPacketRingSize = 2048;
  static constexpr uint32_t kKeyRingSize = 4096;
  static constexpr uint32_t kExpectationRingSize = 256;
  static constexpr uint32_t kLessonRingSize = 256;

  // Needs a running EAL.
  static Result<std::unique_ptr<WorkerMessages>> create(uint16_t workers);
  ~WorkerMessages();
  WorkerMessages(const WorkerMessages&) = delete;
  WorkerMessages& operator=(const WorkerMessages&) = delete;

  // Any worker. False when the ring is full; the packet or key stays with the caller.
  [[nodiscard]] bool send_packet(uint16_t to, Packet& packet) noexcept;
  [[nodiscard]] bool send_key(uint16_t to, const ForeignKeyMessage& message) noexcept;
  [[nodiscard]] bool send_expectation(uint16_t to, const ExpectationMessage& message) noexcept;
  [[nodiscard]] bool send_lesson(uint16_t to, const NameLesson& lesson) noexcept;
  // The worker `own` alone. Up to `maximum` (at most 32) packets.
  [[nodiscard]] uint32_t receive_packets(uint16_t own, Packet** packets, uint32_t maximum) noexcept;
  [[nodiscard]] bool receive_key(uint16_t own, ForeignKeyMessage& message) noexcept;
  [[nodiscard]] bool receive_expectation(uint16_t own, ExpectationMessage& message) noexcept;
  [[nodiscard]] bool receive_lesson(uint16_t own, NameLesson& lesson) noexcept;

 private:
  WorkerMessages() = default;
  std::vector<rte_ring*> packets_;
  std::vector<rte_ring*> keys_;
  std::vector<rte_ring*> expectations_;
  std::vector<rte_ring*> lessons_;
};

// Gives a packet to its owner; true when the ring took it (it is no longer the caller's).
[[nodiscard]] bool hand_over(Packet& packet, uint16_t to, WorkerContext& context) noexcept;

// Takes the keys, expectations and lessons that others sent to this worker in; bounded by the
// rings.
void take_messages(WorkerContext& context) noexcept;

// Tells every other worker of an expectation that this one has added. A full ring loses it there:
// that transfer then fails, nothing is let through by mistake.
void share_expectation(const Expectation& expectation, WorkerContext& context) noexcept;

// Tells every other worker what this one has learnt from the answer that it looked at last, before
// that answer leaves. A full ring loses it there, counted: sessions are judged there by what they
// show themselves.
void share_lessons(WorkerContext& context) noexcept;

}  // namespace masugata::dataplane
