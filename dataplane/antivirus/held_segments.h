// SPDX-License-Identifier: GPL-2.0-or-later
// Segments that wait for a verdict on the object that they would complete, in order of arrival.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "dataplane/pipeline/held_packet.h"

namespace masugata::dataplane {

// One direction's segments; empty when made. Its segments are in HeldSegments.
struct SegmentQueue {
  uint32_t first = 0xffffffffU;
  uint32_t last = 0xffffffffU;
  uint32_t count = 0;
};

// The room of one worker. At the bound push() refuses and the packet stays with the caller.
// Thread: the worker's; no allocation after construction.
class HeldSegments {
 public:
  explicit HeldSegments(uint32_t capacity = 0) : places_(capacity) {
    for (uint32_t i = 0; i < capacity; ++i) places_[i].next = i + 1 < capacity ? i + 1 : kNone;
    free_ = capacity == 0 ? kNone : 0;
  }

  // `end`: the sequence number behind its last byte.
  [[nodiscard]] bool push(SegmentQueue& queue, Packet& packet, uint32_t end) noexcept {
    if (free_ == kNone) return false;
    const uint32_t place = free_;
    free_ = places_[place].next;
    places_[place].packet = HeldPacket(packet);
    places_[place].end = end;
    places_[place].next = kNone;
    if (queue.last == kNone) {
      queue.first = place;
    } else {
      places_[queue.last].next = place;
    }
    queue.last = place;
    ++queue.count;
    ++held_;
    return true;
  }

  // Takes out those for which `goes(end)`, oldest first: take(HeldPacket&&).
  template <class Goes, class Take>
  void take_if(SegmentQueue& queue, Goes&& goes, Take&& take) noexcept {
    uint32_t before = kNone;
    uint32_t place = queue.first;
    while (place != kNone) {
      const uint32_t next = places_[place].next;
      if (!goes(places_[place].end)) {
        before = place;
        place = next;
        continue;
      }
      (before == kNone ? queue.first : places_[before].next) = next;
      if (queue.last == place) queue.last = before;
      --queue.count;
      --held_;
      HeldPacket packet = std::move(places_[place].packet);
      places_[place].next = free_;
      free_ = place;
      take(std::move(packet));
      place = next;
    }
  }

  // Null for an empty queue.
  [[nodiscard]] Packet* front(const SegmentQueue& queue) noexcept {
    return queue.first == kNone ? nullptr : &places_[queue.first].packet.packet();
  }
  // The oldest that `fits(packet)`; null when none does.
  template <class Fits>
  [[nodiscard]] Packet* find(const SegmentQueue& queue, Fits&& fits) noexcept {
    for (uint32_t place = queue.first; place != kNone; place = places_[place].next) {
      Packet& packet = places_[place].packet.packet();
      if (fits(packet)) return &packet;
    }
    return nullptr;
  }
  [[nodiscard]] uint32_t held() const noexcept { return held_; }

 private:
  static constexpr uint32_t kNone = 0xffffffffU;
  struct Place {
    HeldPacket packet;
    uint32_t end = 0;
    uint32_t next = kNone;
  };
  std::vector<Place> places_;
  uint32_t free_ = kNone;
  uint32_t held_ = 0;
};

}  // namespace masugata::dataplane
