// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/session/expectation_table.h"

#include <algorithm>
#include <bit>

namespace masugata::dataplane {

namespace {

// Slots that add() looks at for overdue expectations when none is free.
constexpr uint32_t kSlotsLookedAtWhenFull = 16;

bool is_overdue(const Expectation& expectation, uint32_t now_ms) noexcept {
  return static_cast<int32_t>(expectation.expires_ms - now_ms) <= 0;
}

net::FlowKey without_source_port(net::FlowKey key) noexcept {
  key.source_port = {};
  return key;
}

}  // namespace

bool ExpectationTable::allocate(MemorySource& memory, uint32_t capacity,
                                const net::HashSecret& secret) noexcept {
  const uint32_t chains = std::bit_ceil(std::max(capacity, 1U));
  if (!slots_.allocate(memory, capacity, "expected sessions") ||
      !key_chains_.allocate(memory, chains, "expected sessions by key") ||
      !parent_chains_.allocate(memory, chains, "expected sessions by parent")) {
    return false;
  }
  for (uint32_t slot = 0; slot < capacity; ++slot) {
    slots_[slot].next_of_key = slot + 1 < capacity ? slot + 1 : kNone32;
  }
  for (uint32_t chain = 0; chain < chains; ++chain) {
    key_chains_[chain] = kNone32;
    parent_chains_[chain] = kNone32;
  }
  free_head_ = capacity != 0 ? 0 : kNone32;
  size_ = 0;
  cursor_ = 0;
  secret_ = secret;
  return true;
}

uint32_t ExpectationTable::key_chain_of(const net::FlowKey& key) const noexcept {
  const uint64_t hash = net::hash_flow(without_source_port(key), secret_);
  return static_cast<uint32_t>(hash >> 32U & (key_chains_.size() - 1));
}

uint32_t ExpectationTable::parent_chain_of(SessionHandle parent) const noexcept {
  return static_cast<uint32_t>(parent.index & (parent_chains_.size() - 1));
}

uint32_t ExpectationTable::find_same(const net::FlowKey& key) const noexcept {
  uint32_t slot = key_chains_[key_chain_of(key)];
  while (slot != kNone32 && !(slots_[slot].expectation.key == key)) {
    slot = slots_[slot].next_of_key;
  }
  return slot;
}

uint32_t ExpectationTable::find(const net::FlowKey& key, uint32_t now_ms) const noexcept {
  for (const net::FlowKey& wanted : {key, without_source_port(key)}) {
    const uint32_t slot = find_same(wanted);
    if (slot != kNone32 && !is_overdue(slots_[slot].expectation, now_ms)) return slot;
  }
  return kNone32;
}

bool ExpectationTable::add(const Expectation& expectation, uint32_t now_ms) noexcept {
  if (const uint32_t same = find_same(expectation.key); same != kNone32) remove(same);
  limit_parent(expectation.parent);
  if (free_head_ == kNone32) expire(now_ms, kSlotsLookedAtWhenFull);
  if (free_head_ == kNone32) {
    ++counters_.refused_full;
    return false;
  }
  const uint32_t number = free_head_;
  Slot& slot = slots_[number];
  free_head_ = slot.next_of_key;
  const uint32_t key_chain = key_chain_of(expectation.key);
  const uint32_t parent_chain = parent_chain_of(expectation.parent);
  slot = {expectation, key_chain, key_chains_[key_chain], parent_chains_[parent_chain], 1};
  key_chains_[key_chain] = number;
  parent_chains_[parent_chain] = number;
  ++size_;
  ++counters_.added;
  return true;
}

bool ExpectationTable::take(const net::FlowKey& key, uint32_t now_ms, Expectation& found) noexcept {
  if (size_ == 0) return false;
  const uint32_t slot = find(key, now_ms);
  if (slot == kNone32) return false;
  found = slots_[slot].expectation;
  remove(slot);
  ++counters_.taken;
  return true;
}

bool ExpectationTable::look_up(const net::FlowKey& key, uint32_t now_ms,
                               Expectation& found) const noexcept {
  if (size_ == 0) return false;
  const uint32_t slot = find(key, now_ms);
  if (slot == kNone32) return false;
  found = slots_[slot].expectation;
  return true;
}

bool ExpectationTable::contains(const net::FlowKey& key, uint32_t now_ms) const noexcept {
  return size_ != 0 && find(key, now_ms) != kNone32;
}

void ExpectationTable::remove_of_parent(SessionHandle parent) noexcept {
  if (size_ == 0) return;
  uint32_t slot = parent_chains_[parent_chain_of(parent)];
  while (slot != kNone32) {
    const uint32_t next = slots_[slot].next_of_parent;
    if (slots_[slot].expectation.parent == parent) remove(slot);
    slot = next;
  }
}

void ExpectationTable::limit_parent(SessionHandle parent) noexcept {
  uint32_t count = 0;
  uint32_t oldest = kNone32;
  for (uint32_t slot = parent_chains_[parent_chain_of(parent)]; slot != kNone32;
       slot = slots_[slot].next_of_parent) {
    if (!(slots_[slot].expectation.parent == parent)) continue;
    ++count;
    oldest = slot;
  }
  if (count < kPerParent) return;
  remove(oldest);
  ++counters_.replaced;
}

void ExpectationTable::expire(uint32_t now_ms, uint32_t maximum_slots) noexcept {
  const auto slots = static_cast<uint32_t>(slots_.size());
  for (uint32_t seen = 0; seen < std::min(maximum_slots, slots) && size_ != 0; ++seen) {
    if (cursor_ >= slots) cursor_ = 0;
    const uint32_t number = cursor_++;
    if (slots_[number].in_use == 0 || !is_overdue(slots_[number].expectation, now_ms)) continue;
    remove(number);
    ++counters_.expired;
  }
}

void ExpectationTable::remove(uint32_t number) noexcept {
  Slot& slot = slots_[number];
  uint32_t* link = &key_chains_[slot.key_chain];
  while (*link != number) link = &slots_[*link].next_of_key;
  *link = slot.next_of_key;
  link = &parent_chains_[parent_chain_of(slot.expectation.parent)];
  while (*link != number) link = &slots_[*link].next_of_parent;
  *link = slot.next_of_parent;
  slot.in_use = 0;
  slot.next_of_key = free_head_;
  free_head_ = number;
  --size_;
}

}  // namespace masugata::dataplane
