// SPDX-License-Identifier: GPL-2.0-or-later
// Packets of one worker that wait until their neighbour is known.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "dataplane/forwarding/neighbour_key.h"
#include "dataplane/forwarding/neighbour_table.h"

namespace masugata::dataplane {

struct ResolveQueueSettings {
  uint32_t maximum_neighbours = 256;  // waited for at the same time
  uint32_t maximum_packets = 512;     // in all
  uint32_t maximum_packets_per_neighbour = 8;
  uint32_t timeout_ms = 3000;  // from the first packet; then all are given back as expired
  uint32_t retry_ms = 1000;    // a request is repeated until there is an answer
  // A Failed neighbour is believed only after this time: the control thread needs a moment to
  // start a new attempt for one that failed earlier.
  uint32_t failure_grace_ms = 100;
};

// One worker's own: no atomics, no allocation after construction, all functions noexcept.
// `Held` is what owns a packet: default-constructible (empty) and nothrow-movable, for example
// HeldPacket, or a plain rte_mbuf* (then the caller frees what comes back).
// At a bound the newest packet is refused and stays with the caller, who drops it with the reason
// that the Admission names. Nothing is ever dropped inside.
template <class Held>
class ResolveQueue {
 public:
  enum class Admission : uint8_t {
    Queued,         // waits
    QueuedFirst,    // waits, and it is the first one: ask the control thread to resolve
    NeighbourFull,  // refused: maximum_packets_per_neighbour
    QueueFull,      // refused: maximum_packets or maximum_neighbours
  };

  explicit ResolveQueue(const ResolveQueueSettings& settings = {})
      : settings_(settings),
        waits_(settings.maximum_neighbours),
        packets_(settings.maximum_packets) {
    for (uint32_t i = 0; i < packets_.size(); ++i) {
      packets_[i].next = i + 1 < packets_.size() ? i + 1 : kNone;
    }
    free_packet_ = packets_.empty() ? kNone : 0;
  }

  // Moves `packet` in when it is admitted, leaves it alone otherwise. A walk over the neighbours
  // that are waited for (at most maximum_neighbours, usually none). `now_ms` wraps.
  Admission push(const NeighbourKey& key, Held& packet, uint32_t now_ms) noexcept {
    Wait* wait = find(key);
    if (wait != nullptr && wait->count >= settings_.maximum_packets_per_neighbour) {
      return Admission::NeighbourFull;
    }
    if (free_packet_ == kNone) return Admission::QueueFull;
    const bool first = wait == nullptr;
    if (first) {
      if (waiting_ == waits_.size() || settings_.maximum_packets_per_neighbour == 0) {
        return Admission::QueueFull;
      }
      wait = &waits_[waiting_++];
      *wait = Wait{key, now_ms, now_ms, kNone, kNone, 0};
    }
    append(*wait, packet);
    return first ? Admission::QueuedFirst : Admission::Queued;
  }

  // Looks at up to `budget` waited-for neighbours, round robin, and gives back in arrival order:
  //   ready(Held&&, NeighbourIndex)    the neighbour answered: send
  //   expired(Held&&, const NeighbourKey&)  timeout or failed: drop, ICMP host unreachable
  //   ask(const NeighbourKey&)         repeat the request to the control thread
  // Returns the number of packets given back. Callbacks must not call back into this queue.
  template <class Ready, class Expired, class Ask>
  uint32_t poll(const NeighbourTable& table, uint32_t now_ms, uint32_t budget, Ready&& ready,
                Expired&& expired, Ask&& ask) noexcept {
    uint32_t given_back = 0;
    for (uint32_t looked = 0; looked < budget && waiting_ > 0; ++looked) {
      if (cursor_ >= waiting_) {
        if (looked >= waiting_) break;
        cursor_ = 0;
      }
      Wait& wait = waits_[cursor_];
      const NeighbourIndex index = table.find(wait.key.interface, wait.key.address);
      net::MacAddress mac;
      if (index != kNoNeighbour && table.read(index, mac)) {
        given_back += release(wait, [&](Held&& held) { ready(std::move(held), index); });
      } else if (elapsed(wait.since_ms, now_ms, settings_.timeout_ms) ||
                 (has_failed(table, index) &&
                  elapsed(wait.since_ms, now_ms, settings_.failure_grace_ms))) {
        given_back += release(wait, [&](Held&& held) { expired(std::move(held), wait.key); });
      } else {
        if (elapsed(wait.asked_ms, now_ms, settings_.retry_ms)) {
          wait.asked_ms = now_ms;
          ask(wait.key);
        }
        ++cursor_;
        continue;
      }
      remove(wait);
    }
    return given_back;
  }

  // Gives everything back (shutdown): drain(Held&&).
  template <class Drain>
  void clear(Drain&& drain) noexcept {
    while (waiting_ > 0) {
      release(waits_[waiting_ - 1], drain);
      --waiting_;
    }
    cursor_ = 0;
  }

  [[nodiscard]] uint32_t packets() const noexcept { return packet_count_; }
  [[nodiscard]] uint32_t neighbours() const noexcept { return waiting_; }

 private:
  static constexpr uint32_t kNone = 0xffffffffU;

  struct Wait {
    NeighbourKey key;
    uint32_t since_ms = 0;
    uint32_t asked_ms = 0;
    uint32_t head = kNone;
    uint32_t tail = kNone;
    uint32_t count = 0;
  };
  struct Cell {
    Held held{};
    uint32_t next = kNone;
  };

  static bool elapsed(uint32_t since_ms, uint32_t now_ms, uint32_t span_ms) noexcept {
    return static_cast<int32_t>(now_ms - since_ms) >= static_cast<int32_t>(span_ms);
  }
  static bool has_failed(const NeighbourTable& table, NeighbourIndex index) noexcept {
    return index != kNoNeighbour && table.state(index) == NeighbourState::Failed;
  }

  Wait* find(const NeighbourKey& key) noexcept {
    for (uint32_t i = 0; i < waiting_; ++i) {
      if (waits_[i].key == key) return &waits_[i];
    }
    return nullptr;
  }

  void append(Wait& wait, Held& packet) noexcept {
    const uint32_t cell = free_packet_;
    free_packet_ = packets_[cell].next;
    packets_[cell].held = std::move(packet);
    packets_[cell].next = kNone;
    (wait.tail == kNone ? wait.head : packets_[wait.tail].next) = cell;
    wait.tail = cell;
    ++wait.count;
    ++packet_count_;
  }

  template <class Sink>
  uint32_t release(Wait& wait, Sink&& sink) noexcept {
    const uint32_t count = wait.count;
    while (wait.head != kNone) {
      const uint32_t cell = wait.head;
      wait.head = packets_[cell].next;
      sink(std::move(packets_[cell].held));
      packets_[cell].held = Held{};
      packets_[cell].next = free_packet_;
      free_packet_ = cell;
    }
    packet_count_ -= count;
    wait.count = 0;
    return count;
  }

  void remove(Wait& wait) noexcept {
    --waiting_;
    if (&wait != &waits_[waiting_]) wait = waits_[waiting_];
  }

  ResolveQueueSettings settings_;
  std::vector<Wait> waits_;  // the first waiting_ are in use
  std::vector<Cell> packets_;
  uint32_t waiting_ = 0;
  uint32_t cursor_ = 0;
  uint32_t free_packet_ = kNone;
  uint32_t packet_count_ = 0;
};

}  // namespace masugata::dataplane
