// SPDX-License-Identifier: GPL-2.0-or-later
// Deadlines of many elements, bounded work per call. Made for idle timeouts that packets push ahead
// all the time: the owner lets an entry fire early and says where it moves next.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/session/index_list.h"
#include "dataplane/session/memory_source.h"

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
  static constexpr uint32_t kFineTurnMs = kTickMs * kSlots;         // 32.768 s
  static constexpr uint32_t kCoarseTurnMs = kFineTurnMs * kSlots;   // 4.66 h
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
  void prefetch(uint32_t entry) const noexcept { __builtin_prefetch(&links_[entry], 1); }
  // Would schedule() with this deadline make the entry fire earlier than it does now?
  [[nodiscard]] bool fires_later_than(uint32_t entry, uint32_t deadline_ms) const noexcept;

  // Moves the wheel to now_ms and asks about at most `maximum_events` entries whose slots have
  // begun. For each, look(entry) returns true with `deadline_ms` set to re-arm it (now or earlier
  // counts as not due: it fires again with the next tick), or false to leave it disarmed. Before,
  // soon(entry) is called for the entry after it so that the owner can prefetch. Returns the number
  // of entries asked about: less than the maximum means nothing is overdue. When the bound is
  // reached, the next call goes on where this one ended.
  // `look` may cancel and schedule entries other than its own.
  template <class Look, class Soon>
  size_t advance(uint32_t now_ms, size_t maximum_events, Look&& look, Soon&& soon) noexcept;

  // Entries armed now.
  [[nodiscard]] uint32_t size() const noexcept { return armed_; }

 private:
  static constexpr uint16_t kNotArmed = 0;
  static constexpr uint32_t kCoarseBase = kSlots;  // slot numbers: fine, then coarse, then due
  static constexpr uint32_t kDueSlot = 2 * kSlots;
  static constexpr uint32_t kAllSlots = 2 * kSlots + 1;

  [[nodiscard]] uint32_t slot_for(uint32_t deadline_ms) const noexcept;
  void link(uint32_t entry, uint32_t slot) noexcept;
  // Moves forward to the next tick that holds entries, or to `target_tick`.
  [[nodiscard]] bool step(uint64_t target_tick) noexcept;

  SourcedArray<IndexLink> links_;
  SourcedArray<uint16_t> slot_of_;  // slot number + 1, kNotArmed
  std::array<IndexList, kAllSlots> slots_{};
  std::array<uint64_t, 2 * kSlots / 64> occupied_{};  // a bit per slot
  uint64_t tick_ = 0;       // the last tick whose slot was emptied
  uint64_t clock_ms_ = 0;   // last_now_ms_ without wrapping
  uint32_t last_now_ms_ = 0;
  uint32_t armed_ = 0;
};

}  // namespace masugata::dataplane
