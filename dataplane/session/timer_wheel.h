// SPDX-License-Identifier: GPL-2.0-or-later
// Deadlines of many elements, bounded work per call. Made for idle timeouts that packets push ahead
// all the time: the owner lets an entry fire early and says where it moves next.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/session/index_list.h"
#include "dataplane/session/memory_source.h"
#include "dataplane/session/prefetch.h"

namespace masugata::dataplane {

// Two rings of slots: fine ones of kTickMs for the next kSlots ticks, coarse ones of a whole fine
// turn each behind them. An entry beyond a fine turn waits in a coarse slot and is asked again when
// that slot begins; so each entry fires never before its deadline is due for a look, and an expired
// one is reported at most kTickMs late plus the time between two calls of advance().
// The clock is a wrapping uint32_t of milliseconds; deadlines lie less than 2^31 ms ahead.
class TimerWheel {
 public:
  static constexpr uint32_t kTickMs = 64;
  static constexpr uint32_t kSlots = 512;
  static constexpr uint32_t kFineTurnMs = kTickMs * kSlots;        // 32.768 s
  static constexpr uint32_t kCoarseTurnMs = kFineTurnMs * kSlots;  // 4.66 h
  // Longest time that an owner may ask for.
  static constexpr uint32_t kMaximumDelayMs = 0x7fffffffU - kFineTurnMs;

  TimerWheel() = default;

  // Entries are the numbers 0 .. capacity - 1. False when the memory source has none.
  [[nodiscard]] bool allocate(MemorySource& memory, uint32_t capacity, uint32_t now_ms) noexcept;
  [[nodiscard]] static size_t memory_bytes(uint32_t capacity) noexcept {
    return capacity * (sizeof(IndexLink) + sizeof(uint16_t));
  }

  // Arms an entry, or moves it. A deadline in the past fires at the next advance().
  void schedule(uint32_t entry, uint32_t deadline_ms) noexcept;
  // Disarms an entry; nothing happens when it is not armed.
  void cancel(uint32_t entry) noexcept;
  [[nodiscard]] bool armed(uint32_t entry) const noexcept { return slot_of_[entry] != kNotArmed; }
  // Starts loading the links of an entry, to be scheduled or cancelled soon.
  void prefetch(uint32_t entry) const noexcept { prefetch_line(&links_[entry]); }
  // Would schedule() with this deadline make the entry fire earlier than it does now?
  [[nodiscard]] bool fires_later_than(uint32_t entry, uint32_t deadline_ms) const noexcept;

  // Moves the wheel to now_ms and asks about at most `maximum_events` entries whose slots have
  // begun. For each, bool look(uint32_t entry, uint32_t& deadline_ms) returns true with the
  // deadline set to re-arm it (one in the past fires again with the next tick), or false to leave
  // it disarmed. Before, soon(entry) is called for the entry that follows so that the owner can
  // prefetch. Returns the number of entries asked about: less than the maximum means that nothing
  // is overdue; else the next call goes on where this one ended. `look` may cancel and schedule
  // other entries than its own.
  template <class Look, class Soon>
  size_t advance(uint32_t now_ms, size_t maximum_events, Look&& look, Soon&& soon) noexcept;

  // Entries armed now.
  [[nodiscard]] uint32_t size() const noexcept { return armed_; }

 private:
  static constexpr uint16_t kNotArmed = 0;
  static constexpr uint32_t kCoarseBase = kSlots;  // slot numbers: fine ones, then coarse ones

  [[nodiscard]] uint32_t slot_for(uint32_t deadline_ms) const noexcept;
  [[nodiscard]] uint64_t begin_of(uint32_t slot) const noexcept;
  void link(uint32_t entry, uint32_t slot) noexcept;
  void unlink(uint32_t entry) noexcept;
  // Fine slots from `from` to the next one that holds entries; kSlots when all are empty.
  [[nodiscard]] uint32_t distance_to_occupied(uint32_t from) const noexcept;
  // An entry whose slot has begun, kEndOfList when there is none.
  [[nodiscard]] uint32_t due_entry() const noexcept;
  // Moves on to the next tick that has due entries; false when there is none up to `target_tick`.
  [[nodiscard]] bool move_to_next_tick(uint64_t target_tick) noexcept;

  SourcedArray<IndexLink> links_;
  SourcedArray<uint16_t> slot_of_;  // slot number + 1, or kNotArmed
  std::array<IndexList, 2 * kSlots> slots_{};
  std::array<uint64_t, kSlots / 64> occupied_{};  // a bit per fine slot that holds entries
  // The tick being worked on. Entries of its slots are due; no entry can be scheduled into them.
  uint64_t tick_ = 0;
  uint64_t clock_ms_ = 0;  // last_now_ms_ without wrapping
  uint32_t last_now_ms_ = 0;
  uint32_t armed_ = 0;
};

template <class Look, class Soon>
size_t TimerWheel::advance(uint32_t now_ms, size_t maximum_events, Look&& look,
                           Soon&& soon) noexcept {
  const uint32_t passed_ms = now_ms - last_now_ms_;
  if (static_cast<int32_t>(passed_ms) > 0) {
    clock_ms_ += passed_ms;
    last_now_ms_ = now_ms;
  }
  const uint64_t target_tick = clock_ms_ / kTickMs;
  size_t events = 0;
  while (events < maximum_events) {
    const uint32_t entry = due_entry();
    if (entry == kEndOfList) {
      if (!move_to_next_tick(target_tick)) break;
      continue;
    }
    if (links_[entry].next != kEndOfList) soon(links_[entry].next);
    unlink(entry);
    ++events;
    uint32_t deadline_ms = now_ms;
    if (look(entry, deadline_ms)) schedule(entry, deadline_ms);
  }
  return events;
}

}  // namespace masugata::dataplane
