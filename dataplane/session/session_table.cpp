// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/session/session_table.h"

#include <algorithm>
#include <string>

namespace masugata::dataplane {

namespace {

constexpr uint32_t kMaximumCapacity = 1U << 28U;

uint32_t entry_of(uint32_t slot, size_t side) noexcept {
  return (slot << 1U) | static_cast<uint32_t>(side);
}

// Written out because the compiler calls memcmp for 40 bytes.
[[gnu::always_inline]] inline bool same_key(const net::FlowKey& left,
                                            const net::FlowKey& right) noexcept {
  uint64_t a[5];
  uint64_t b[5];
  std::memcpy(a, &left, sizeof a);
  std::memcpy(b, &right, sizeof b);
  return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4])) == 0;
}

size_t slot_count(const SessionTableSettings& settings) noexcept {
  return static_cast<size_t>(settings.capacity) + SessionTable::kBurstReserve;
}

uint32_t entry_capacity(const SessionTableSettings& settings) noexcept {
  return 2 * settings.capacity + settings.foreign_capacity;
}

}  // namespace

const char* name_of(EndReason reason) noexcept {
  static constexpr std::array<const char*, kEndReasonCount> kNames{
      "expired", "evicted", "replaced", "policy-denied", "route-lost", "administrator", "abandoned",
  };
  const auto number = static_cast<size_t>(reason);
  return number < kNames.size() ? kNames[number] : "unknown";
}

// ---- making ----

Result<std::unique_ptr<SessionTable>> SessionTable::create(const SessionTableSettings& settings,
                                                           MemorySource& memory) {
  if (settings.capacity == 0 || settings.capacity > kMaximumCapacity ||
      settings.foreign_capacity > kMaximumCapacity) {
    return failure("session table", "a worker's table holds 1 to " +
                                        std::to_string(kMaximumCapacity) + " sessions, not " +
                                        std::to_string(settings.capacity));
  }
  std::unique_ptr<SessionTable> table(new SessionTable);
  if (!table->allocate(settings, memory)) {
    constexpr size_t kMebibyte = 1024 * 1024;
    return failure("session table",
                   "not enough memory: " + std::to_string(settings.capacity) +
                       " sessions per worker need " +
                       std::to_string(memory_bytes(settings) / kMebibyte + 1) +
                       " MiB; lower sessions maximum or give the gateway more memory");
  }
  return table;
}

size_t SessionTable::memory_bytes(const SessionTableSettings& settings) noexcept {
  const size_t slots = slot_count(settings);
  return slots * (sizeof(Session) + sizeof(KeyBuckets) + sizeof(IndexLink)) +
         settings.foreign_capacity * sizeof(ForeignEntry) + settings.zone_count * sizeof(uint32_t) +
         TimerWheel::memory_bytes(static_cast<uint32_t>(slots)) +
         SessionIndex::memory_bytes(entry_capacity(settings));
}

bool SessionTable::allocate(const SessionTableSettings& settings, MemorySource& memory) {
  const auto slots = static_cast<uint32_t>(slot_count(settings));
  const size_t zones = std::max<size_t>(1, settings.zone_count);
  if (!slots_.allocate(memory, slots, "sessions") ||
      !key_buckets_.allocate(memory, slots, "session key buckets") ||
      !age_links_.allocate(memory, slots, "session eviction order") ||
      !half_open_.allocate(memory, zones, "half-open sessions per zone") ||
      !timers_.allocate(memory, slots, settings.now_ms) ||
      !index_.allocate(memory, entry_capacity(settings))) {
    return false;
  }
  if (settings.foreign_capacity != 0 &&
      !foreign_.allocate(memory, settings.foreign_capacity, "keys of other workers")) {
    return false;
  }
  capacity_ = settings.capacity;
  for (uint32_t slot = 0; slot < slots; ++slot) {
    age_links_[slot] = {slot + 1 < slots ? slot + 1 : kNone32, kNone32};
  }
  free_head_ = 0;
  for (uint32_t slot = 0; slot < settings.foreign_capacity; ++slot) {
    foreign_[slot].next_free = slot + 1 < settings.foreign_capacity ? slot + 1 : kNone32;
  }
  foreign_free_ = settings.foreign_capacity != 0 ? 0 : kNone32;
  return true;
}

// ---- finding ----

bool SessionTable::matches(uint32_t entry, const net::FlowKey& key) const noexcept {
  if ((entry & kForeignBit) != 0) return same_key(foreign_[entry & ~kForeignBit].key, key);
  return same_key(slots_[entry >> 1U].flows[entry & 1U].key, key);
}

SessionMatch SessionTable::match_of(uint32_t entry) noexcept {
  SessionMatch match;
  if ((entry & kForeignBit) != 0) {
    match.foreign = true;
    match.foreign_worker = foreign_[entry & ~kForeignBit].worker;
  } else {
    match.session = &slots_[entry >> 1U];
    match.direction = static_cast<Direction>(entry & 1U);
  }
  return match;
}

void SessionTable::lookup_bulk(const net::FlowKey* const* keys, const uint64_t* hashes,
                               size_t count, SessionMatch* results) noexcept {
  for (size_t i = 0; i < count; ++i) index_.prefetch_bucket(hashes[i]);
  lookup_bulk_prefetched(keys, hashes, count, results);
}

void SessionTable::lookup_bulk_prefetched(const net::FlowKey* const* keys, const uint64_t* hashes,
                                          size_t count, SessionMatch* results) noexcept {
  constexpr uint32_t kNoCandidate = kNone32;
  std::array<uint32_t, kMaximumLookupBurst> candidates;
  count = std::min(count, kMaximumLookupBurst);
  for (size_t i = 0; i < count; ++i) {
    candidates[i] = kNoCandidate;
    if (index_.first_candidate(hashes[i], candidates[i])) prefetch_entry(candidates[i]);
  }
  for (size_t i = 0; i < count; ++i) {
    if (candidates[i] != kNoCandidate && matches(candidates[i], *keys[i])) [[likely]] {
      results[i] = match_of(candidates[i]);
    } else {
      results[i] = lookup(*keys[i], hashes[i]);
    }
  }
}

SessionMatch SessionTable::lookup(const net::FlowKey& key, uint64_t hash) noexcept {
  uint32_t entry = 0;
  const bool found = index_.find(
      hash, entry, [&](uint32_t candidate) noexcept { return matches(candidate, key); });
  return found ? match_of(entry) : SessionMatch{};
}

bool SessionTable::contains(const net::FlowKey& key, uint64_t hash) const noexcept {
  uint32_t entry = 0;
  return index_.find(hash, entry,
                     [&](uint32_t candidate) noexcept { return matches(candidate, key); });
}

Session* SessionTable::resolve(SessionHandle handle) noexcept {
  if (handle.index >= slots_.size()) return nullptr;
  Session& session = slots_[handle.index];
  if (session.state == ProtocolState::Free || session.record.serial != handle.serial) {
    return nullptr;
  }
  return &session;
}

// ---- changing ----

InsertRefusal SessionTable::check_keys(const InsertRequest& request) const noexcept {
  if (contains(request.original, request.original_hash)) return InsertRefusal::OriginalKeyExists;
  if (contains(request.reply, request.reply_hash) || same_key(request.original, request.reply)) {
    return InsertRefusal::ReplyKeyExists;
  }
  return InsertRefusal::None;
}

InsertResult SessionTable::insert(const InsertRequest& request, uint32_t now_ms) noexcept {
  index_.prefetch_bucket(request.reply_hash);
  const InsertRefusal refusal = check_keys(request);
  if (refusal != InsertRefusal::None) return {nullptr, refusal};
  if (free_head_ == kNone32 || (live_count_ >= capacity_ && !make_room(now_ms))) {
    ++counters_.refused_full;
    return {nullptr, InsertRefusal::TableFull};
  }
  const uint32_t slot = free_head_;
  if (!link_keys(request, slot)) return {nullptr, InsertRefusal::IndexFull};
  free_head_ = age_links_[slot].next;
  prefetch_next_free();
  Session& session = slots_[slot];
  fill(session, request, now_ms);
  count_in(session);
  timers_.schedule(slot, now_ms + session.timeout_ms);
  ++live_count_;
  ++counters_.inserted;
  return {&session, InsertRefusal::None};
}

bool SessionTable::link_keys(const InsertRequest& request, uint32_t slot) noexcept {
  if (!index_.insert(request.original_hash, entry_of(slot, 0))) return false;
  const uint32_t original_bucket = index_.bucket_of(request.original_hash);
  if (!index_.insert(request.reply_hash, entry_of(slot, 1))) {
    index_.erase(original_bucket, entry_of(slot, 0));
    return false;
  }
  key_buckets_[slot] = {{original_bucket, index_.bucket_of(request.reply_hash)}};
  return true;
}

void SessionTable::fill(Session& session, const InsertRequest& request, uint32_t now_ms) noexcept {
  session = Session{};
  session.last_seen_ms = now_ms;
  session.timeout_ms = std::min(request.timeout_ms, TimerWheel::kMaximumDelayMs);
  session.state = request.state;
  session.kind = kind_of(request.original.protocol);
  session.flows[0].key = request.original;
  session.flows[1].key = request.reply;
  session.record.created_ms = now_ms;
  session.record.serial = next_serial_++;
  session.record.ingress_zone = request.ingress_zone;
}

void SessionTable::prefetch_next_free() const noexcept {
  if (free_head_ == kNone32) return;
  const Session& next = slots_[free_head_];
  prefetch_line(&next);
  prefetch_line(&next.flows[0]);
  prefetch_line(&next.flows[1]);
  prefetch_line(&next.record);
  prefetch_line(&key_buckets_[free_head_]);
  prefetch_line(&age_links_[free_head_]);
  timers_.prefetch(free_head_);
}

void SessionTable::erase(Session& session, EndReason reason) noexcept {
  if (session.state == ProtocolState::Free) return;
  if (observer_ != nullptr) observer_->session_ended(session, reason);
  const uint32_t slot = index_in_table(session);
  index_.erase(key_buckets_[slot].bucket[0], entry_of(slot, 0));
  index_.erase(key_buckets_[slot].bucket[1], entry_of(slot, 1));
  timers_.cancel(slot);
  count_out(session);
  session.state = ProtocolState::Free;
  session.flags = static_cast<uint16_t>(session.flags | kSessionEnded);
  age_links_[slot].next = pending_head_;
  if (pending_head_ == kNone32) pending_tail_ = slot;
  pending_head_ = slot;
  --live_count_;
  ++counters_.ended[static_cast<size_t>(reason)];
}

void SessionTable::release_burst() noexcept {
  if (pending_head_ == kNone32) return;
  age_links_[pending_tail_].next = free_head_;
  free_head_ = pending_head_;
  pending_head_ = kNone32;
  pending_tail_ = kNone32;
}

void SessionTable::change_state(Session& session, ProtocolState state,
                                uint32_t timeout_ms) noexcept {
  if (session.state == ProtocolState::Free || state == ProtocolState::Free) return;
  const uint32_t slot = index_in_table(session);
  if (session.state != state) {
    const bool same_class = eviction_class_of(session.state) == eviction_class_of(state);
    if (same_class && is_half_open(session.state) == is_half_open(state)) {
      --state_counts_[static_cast<size_t>(session.state)];
      ++state_counts_[static_cast<size_t>(state)];
      session.state = state;
    } else {
      count_out(session);
      session.state = state;
      count_in(session);
    }
  }
  timeout_ms = std::min(timeout_ms, TimerWheel::kMaximumDelayMs);
  // A longer timeout needs nothing: the entry fires early and is armed again.
  const bool shorter = timeout_ms < session.timeout_ms;
  session.timeout_ms = timeout_ms;
  const uint32_t deadline_ms = session.last_seen_ms + timeout_ms;
  if (shorter && timers_.fires_later_than(slot, deadline_ms)) timers_.schedule(slot, deadline_ms);
}

void SessionTable::count_in(const Session& session) noexcept {
  ++state_counts_[static_cast<size_t>(session.state)];
  if (is_half_open(session.state)) ++half_open_[half_open_index(session.record.ingress_zone)];
  const EvictionClass eviction_class = eviction_class_of(session.state);
  if (eviction_class == EvictionClass::Protected) return;
  age_lists_[static_cast<size_t>(eviction_class)].push_back(age_links_.data(),
                                                            index_in_table(session));
}

void SessionTable::count_out(const Session& session) noexcept {
  --state_counts_[static_cast<size_t>(session.state)];
  if (is_half_open(session.state)) --half_open_[half_open_index(session.record.ingress_zone)];
  const EvictionClass eviction_class = eviction_class_of(session.state);
  if (eviction_class == EvictionClass::Protected) return;
  age_lists_[static_cast<size_t>(eviction_class)].remove(age_links_.data(),
                                                         index_in_table(session));
}

bool SessionTable::make_room(uint32_t now_ms) noexcept {
  const IndexList& embryonic = age_lists_[static_cast<size_t>(EvictionClass::Embryonic)];
  if (!embryonic.empty()) {
    ++counters_.evicted_embryonic;
    erase(slots_[embryonic.head()], EndReason::Evicted);
    return true;
  }
  if (age_lists_[static_cast<size_t>(EvictionClass::Idle)].empty()) return false;
  ++counters_.evicted_idle;
  erase(longest_idle(now_ms), EndReason::Evicted);
  return true;
}

Session& SessionTable::longest_idle(uint32_t now_ms) noexcept {
  IndexList& idle = age_lists_[static_cast<size_t>(EvictionClass::Idle)];
  uint32_t slot = idle.head();
  uint32_t chosen = slot;
  size_t candidates = 0;
  for (size_t looks = 0; looks < kEvictionLooks && candidates < kEvictionCandidates; ++looks) {
    if (slot == kEndOfList) break;
    const uint32_t next = age_links_[slot].next;
    if (next != kEndOfList) prefetch_line(&slots_[next]);
    const uint32_t idle_ms = slots_[slot].idle_ms(now_ms);
    if (idle_ms > slots_[chosen].idle_ms(now_ms)) chosen = slot;
    // Those in use make place at the head for others; the rest is compared again next time.
    if (idle_ms < slots_[slot].timeout_ms / 4) {
      idle.remove(age_links_.data(), slot);
      idle.push_back(age_links_.data(), slot);
    } else {
      ++candidates;
    }
    slot = next;
  }
  return slots_[chosen];
}

size_t SessionTable::expire(uint32_t now_ms, size_t maximum_events) noexcept {
  return timers_.advance(
      now_ms, maximum_events,
      [&](uint32_t slot, uint32_t& deadline_ms) noexcept {
        Session& session = slots_[slot];
        deadline_ms = session.last_seen_ms + session.timeout_ms;
        if (static_cast<int32_t>(deadline_ms - now_ms) > 0) return true;
        erase(session, EndReason::Expired);
        return false;
      },
      [&](uint32_t slot) noexcept { prefetch_line(&slots_[slot]); });
}

// ---- keys that belong to other workers ----

bool SessionTable::find_foreign(const net::FlowKey& key, uint64_t hash,
                                uint32_t& slot) const noexcept {
  uint32_t entry = 0;
  const bool found = index_.find(hash, entry, [&](uint32_t candidate) noexcept {
    return (candidate & kForeignBit) != 0 && matches(candidate, key);
  });
  slot = entry & ~kForeignBit;
  return found;
}

bool SessionTable::insert_foreign(const net::FlowKey& key, uint64_t hash, uint16_t worker,
                                  uint32_t now_ms, uint32_t timeout_ms) noexcept {
  const uint32_t expires_ms = now_ms + std::min(timeout_ms, TimerWheel::kMaximumDelayMs);
  uint32_t slot = 0;
  if (find_foreign(key, hash, slot)) {
    foreign_[slot].worker = worker;
    foreign_[slot].expires_ms = expires_ms;
    return true;
  }
  if (foreign_free_ == kNone32 || contains(key, hash)) return false;
  slot = foreign_free_;
  if (!index_.insert(hash, slot | kForeignBit)) return false;
  ForeignEntry& entry = foreign_[slot];
  foreign_free_ = entry.next_free;
  entry = {key, index_.bucket_of(hash), expires_ms, kNone32, worker, 1, 0};
  ++foreign_count_;
  return true;
}

bool SessionTable::erase_foreign(const net::FlowKey& key, uint64_t hash) noexcept {
  uint32_t slot = 0;
  if (!find_foreign(key, hash, slot)) return false;
  drop_foreign(slot);
  return true;
}

void SessionTable::drop_foreign(uint32_t slot) noexcept {
  ForeignEntry& entry = foreign_[slot];
  index_.erase(entry.bucket, slot | kForeignBit);
  entry.in_use = 0;
  entry.next_free = foreign_free_;
  foreign_free_ = slot;
  --foreign_count_;
}

size_t SessionTable::expire_foreign(uint32_t now_ms, size_t maximum_slots) noexcept {
  size_t dropped = 0;
  const size_t slots = std::min(maximum_slots, foreign_.size());
  for (size_t seen = 0; seen < slots; ++seen) {
    if (foreign_cursor_ >= foreign_.size()) foreign_cursor_ = 0;
    const uint32_t slot = foreign_cursor_++;
    const ForeignEntry& entry = foreign_[slot];
    if (entry.in_use == 0 || static_cast<int32_t>(entry.expires_ms - now_ms) > 0) continue;
    drop_foreign(slot);
    ++dropped;
  }
  return dropped;
}

}  // namespace masugata::dataplane
