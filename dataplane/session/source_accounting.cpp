// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/session/source_accounting.h"

#include <algorithm>
#include <bit>

namespace masugata::dataplane {

namespace {

constexpr uint32_t kZoneScope = 1U << 31U;
constexpr uint32_t kUnusedScope = 0xffffffffU;
constexpr uint32_t kMillisecondsPerSecond = 1000;
// Keeps a second's worth of thousandths within 32 bits.
constexpr uint32_t kMaximumRate = 4'000'000;

bool is_zone_scope(uint32_t scope) noexcept { return (scope & kZoneScope) != 0; }

uint32_t sets_for(uint32_t capacity) noexcept {
  const uint32_t wanted = std::max(capacity, SourceAccounting::kWays);
  return std::bit_ceil((wanted + SourceAccounting::kWays - 1) / SourceAccounting::kWays);
}

}  // namespace

bool SourceAccounting::allocate(MemorySource& memory, uint32_t capacity,
                                const net::HashSecret& secret) noexcept {
  const uint32_t sets = sets_for(capacity);
  if (!slots_.allocate(memory, static_cast<size_t>(sets) * (kWays + 1), "source accounting")) {
    return false;
  }
  for (size_t slot = 0; slot < slots_.size(); ++slot) slots_[slot].scope = kUnusedScope;
  // Whatever the rate, an overflow slot begins with a second's worth.
  for (size_t set = 0; set < sets; ++set) {
    slots_[static_cast<size_t>(sets) * kWays + set].millitokens = 0xffffffffU;
  }
  set_count_ = sets;
  secret_ = secret;
  return true;
}

size_t SourceAccounting::memory_bytes(uint32_t capacity) noexcept {
  return static_cast<size_t>(sets_for(capacity)) * (kWays + 1) * sizeof(Slot);
}

uint32_t SourceAccounting::first_slot_of(const net::IpAddress& source,
                                         uint32_t scope) const noexcept {
  net::FlowKey key;
  key.source = source;
  key.source_port.raw = static_cast<uint16_t>(scope);
  key.destination_port.raw = static_cast<uint16_t>(scope >> 16U);
  const uint64_t hash = net::hash_flow(key, secret_);
  return static_cast<uint32_t>(hash >> 32U & (set_count_ - 1)) * kWays;
}

uint32_t SourceAccounting::find(const net::IpAddress& source, uint32_t scope) const noexcept {
  const uint32_t first = first_slot_of(source, scope);
  for (uint32_t slot = first; slot < first + kWays; ++slot) {
    if (slots_[slot].scope == scope && slots_[slot].source == source) return slot;
  }
  return kNone32;
}

uint32_t SourceAccounting::recyclable_slot(uint32_t first, uint32_t now_ms) const noexcept {
  uint32_t best = kNone32;
  uint32_t best_unused_ms = 0;
  for (uint32_t slot = first; slot < first + kWays; ++slot) {
    const Slot& candidate = slots_[slot];
    if (candidate.scope == kUnusedScope) return slot;
    const uint32_t unused_ms = now_ms - candidate.last_used_ms;
    const bool holds_information = is_zone_scope(candidate.scope)
                                       ? unused_ms < kMillisecondsPerSecond
                                       : candidate.sessions != 0;
    if (holds_information || (best != kNone32 && unused_ms <= best_unused_ms)) continue;
    best = slot;
    best_unused_ms = unused_ms;
  }
  return best;
}

uint32_t SourceAccounting::slot_for(const net::IpAddress& source, uint32_t scope,
                                    uint32_t millitokens, uint32_t now_ms) noexcept {
  const uint32_t present = find(source, scope);
  if (present != kNone32) return present;
  const uint32_t first = first_slot_of(source, scope);
  const uint32_t slot = recyclable_slot(first, now_ms);
  if (slot == kNone32) {
    ++counters_.shared_overflow;
    return set_count_ * kWays + first / kWays;
  }
  if (slots_[slot].scope != kUnusedScope) ++counters_.recycled;
  slots_[slot] = {source, scope, now_ms, 0, millitokens};
  return slot;
}

uint32_t SourceAccounting::acquire_session(const net::IpAddress& source, uint32_t rule,
                                           uint32_t limit, uint32_t now_ms) noexcept {
  const uint32_t slot = slot_for(source, rule & ~kZoneScope, 0, now_ms);
  if (slots_[slot].sessions >= limit) {
    ++counters_.refused_sessions;
    return kNone32;
  }
  ++slots_[slot].sessions;
  slots_[slot].last_used_ms = now_ms;
  return slot;
}

void SourceAccounting::release_session(uint32_t slot) noexcept {
  if (slot >= slots_.size() || slots_[slot].sessions == 0) return;
  --slots_[slot].sessions;
}

bool SourceAccounting::take_new_session(const net::IpAddress& source, uint16_t zone,
                                        uint32_t rate_per_second, uint32_t now_ms) noexcept {
  const uint32_t rate = std::min(rate_per_second, kMaximumRate);
  const uint32_t full = rate * kMillisecondsPerSecond;
  Slot& slot = slots_[slot_for(source, kZoneScope | zone, full, now_ms)];
  // rate per second is rate thousandths per millisecond.
  const uint64_t refilled =
      slot.millitokens + static_cast<uint64_t>(now_ms - slot.last_used_ms) * rate;
  slot.millitokens = static_cast<uint32_t>(std::min<uint64_t>(refilled, full));
  slot.last_used_ms = now_ms;
  if (slot.millitokens < kMillisecondsPerSecond) {
    ++counters_.refused_rate;
    return false;
  }
  slot.millitokens -= kMillisecondsPerSecond;
  return true;
}

uint32_t SourceAccounting::session_count(const net::IpAddress& source,
                                         uint32_t rule) const noexcept {
  const uint32_t slot = find(source, rule & ~kZoneScope);
  return slot == kNone32 ? 0 : slots_[slot].sessions;
}

}  // namespace masugata::dataplane
