// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/session/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace masugata::dataplane {

bool TimerWheel::allocate(MemorySource& memory, uint32_t capacity, uint32_t now_ms) noexcept {
  if (!links_.allocate(memory, capacity, "session timer links") ||
      !slot_of_.allocate(memory, capacity, "session timer slots")) {
    return false;
  }
  slots_.fill(IndexList{});
  occupied_.fill(0);
  tick_ = 0;
  clock_ms_ = 0;
  last_now_ms_ = now_ms;
  armed_ = 0;
  return true;
}

uint32_t TimerWheel::slot_for(uint32_t deadline_ms) const noexcept {
  // Relative to the wheel's own clock, which may lag behind the caller's.
  const auto delay_ms = static_cast<int32_t>(deadline_ms - last_now_ms_);
  if (delay_ms <= 0) return static_cast<uint32_t>((tick_ + 1) % kSlots);
  const uint64_t due_ms = clock_ms_ + static_cast<uint32_t>(delay_ms);
  const uint64_t due_tick = std::max((due_ms + kTickMs - 1) / kTickMs, tick_ + 1);
  if (due_tick - tick_ < kSlots) return static_cast<uint32_t>(due_tick % kSlots);
  // A coarse slot begins at a multiple of a fine turn, not after the deadline; the current coarse
  // slot has begun already, the one a whole turn ahead would be the same.
  const uint64_t turn = tick_ / kSlots;
  const uint64_t due_turn = std::min(due_tick / kSlots, turn + kSlots - 1);
  return kCoarseBase + static_cast<uint32_t>(due_turn % kSlots);
}

void TimerWheel::link(uint32_t entry, uint32_t slot) noexcept {
  slots_[slot].push_back(links_.data(), entry);
  slot_of_[entry] = static_cast<uint16_t>(slot + 1);
  if (slot < kCoarseBase) occupied_[slot / 64] |= 1ULL << (slot % 64);
  ++armed_;
}

void TimerWheel::unlink(uint32_t entry) noexcept {
  const uint32_t slot = slot_of_[entry] - 1U;
  slots_[slot].remove(links_.data(), entry);
  slot_of_[entry] = kNotArmed;
  if (slot < kCoarseBase && slots_[slot].empty()) occupied_[slot / 64] &= ~(1ULL << (slot % 64));
  --armed_;
}

void TimerWheel::schedule(uint32_t entry, uint32_t deadline_ms) noexcept {
  const uint32_t slot = slot_for(deadline_ms);
  if (slot_of_[entry] == slot + 1) return;
  if (slot_of_[entry] != kNotArmed) unlink(entry);
  link(entry, slot);
}

void TimerWheel::cancel(uint32_t entry) noexcept {
  if (slot_of_[entry] != kNotArmed) unlink(entry);
}

bool TimerWheel::fires_later_than(uint32_t entry, uint32_t deadline_ms) const noexcept {
  if (slot_of_[entry] == kNotArmed) return true;
  const uint32_t armed_slot = slot_of_[entry] - 1U;
  const uint32_t wanted_slot = slot_for(deadline_ms);
  return begin_of(armed_slot) > begin_of(wanted_slot);
}

uint64_t TimerWheel::begin_of(uint32_t slot) const noexcept {
  if (slot < kCoarseBase) return tick_ + (slot - tick_) % kSlots;
  const uint64_t turn = tick_ / kSlots;
  return std::max((turn + (slot - kCoarseBase - turn) % kSlots) * kSlots, tick_);
}

uint32_t TimerWheel::distance_to_occupied(uint32_t from) const noexcept {
  constexpr uint32_t kWords = kSlots / 64;
  for (uint32_t step = 0; step <= kWords; ++step) {
    const uint32_t word_number = (from / 64 + step) % kWords;
    uint64_t word = occupied_[word_number];
    if (step == 0) word &= ~0ULL << (from % 64);
    if (word == 0) continue;
    const auto slot = word_number * 64 + static_cast<uint32_t>(std::countr_zero(word));
    return (slot - from) % kSlots;
  }
  return kSlots;
}

uint32_t TimerWheel::due_entry() const noexcept {
  const uint32_t fine = slots_[tick_ % kSlots].head();
  if (fine != kEndOfList || tick_ % kSlots != 0) return fine;
  return slots_[kCoarseBase + tick_ / kSlots % kSlots].head();
}

bool TimerWheel::move_to_next_tick(uint64_t target_tick) noexcept {
  while (tick_ < target_tick) {
    const uint64_t first = tick_ + 1;
    // The next tick of interest: an occupied fine slot, or the beginning of a coarse one.
    const uint64_t fine = first + distance_to_occupied(static_cast<uint32_t>(first % kSlots));
    const uint64_t turn_begin = (first + kSlots - 1) / kSlots * kSlots;
    tick_ = std::min({fine, turn_begin, target_tick});
    if (due_entry() != kEndOfList) return true;
  }
  return false;
}

}  // namespace masugata::dataplane
