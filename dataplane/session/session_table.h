// SPDX-License-Identifier: GPL-2.0-or-later
// All sessions of one worker, found by either direction's key. Fixed capacity, no allocation after
// create(), used by its worker only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "dataplane/session/index_list.h"
#include "dataplane/session/memory_source.h"
#include "dataplane/session/prefetch.h"
#include "dataplane/session/session.h"
#include "dataplane/session/session_index.h"
#include "dataplane/session/timer_wheel.h"
#include "net/flow_key.h"
#include "result/result.h"

namespace masugata::dataplane {

inline constexpr size_t kMaximumLookupBurst = 32;

// Sizes of a table, fixed at start.
struct SessionTableSettings {
  uint32_t capacity = 0;          // live sessions, 1 .. 2^28
  uint32_t foreign_capacity = 0;  // keys that belong to other workers; 0 with one worker
  uint16_t zone_count = 1;        // zones for which half-open sessions are counted
  uint32_t now_ms = 0;            // the worker's clock at start
};

// Why insert() made no session.
enum class InsertRefusal : uint8_t {
  None,
  OriginalKeyExists,
  ReplyKeyExists,  // how source NAT learns that a port is taken
  TableFull,       // every session is protected, or too many ended within one burst
  IndexFull,       // the overflow pool of the index is used up (expected never to happen)
};

// Why a session ended; each is counted.
enum class EndReason : uint8_t {
  Expired,        // idle for its timeout
  Evicted,        // made room for a newcomer
  Replaced,       // a new SYN reused the key after TIME_WAIT
  PolicyDenied,   // the policy of a newer snapshot denies it
  RouteLost,      // its way through the gateway changed and cannot be mended
  Administrator,  // `reset session`
  Abandoned,      // admission failed after the session was made
  Count,
};
inline constexpr size_t kEndReasonCount = static_cast<size_t>(EndReason::Count);

// "expired", "evicted", ...; static storage.
[[nodiscard]] const char* name_of(EndReason reason) noexcept;

// Is told of every end before the session leaves the index, on the worker's thread: gives back
// translated ports, source slots, expectations. Must not call into the table.
class SessionObserver {
 public:
  SessionObserver() = default;
  SessionObserver(const SessionObserver&) = delete;
  SessionObserver& operator=(const SessionObserver&) = delete;
  virtual ~SessionObserver() = default;
  virtual void session_ended(Session& session, EndReason reason) noexcept = 0;
};

// What a key leads to.
struct SessionMatch {
  Session* session = nullptr;  // nullptr: a miss, or foreign
  Direction direction = Direction::Original;
  bool foreign = false;         // the key belongs to `foreign_worker`
  uint16_t foreign_worker = 0;  // valid when foreign
};

struct InsertRequest {
  net::FlowKey original;       // key of the opening packet on arrival
  net::FlowKey reply;          // key that answers will show on arrival (after translation)
  uint64_t original_hash = 0;  // net::hash_flow() of each with the worker's secret
  uint64_t reply_hash = 0;
  ProtocolState state = ProtocolState::UdpNew;
  uint32_t timeout_ms = 0;
  uint16_t ingress_zone = 0;
};

struct InsertResult {
  Session* session = nullptr;  // nullptr exactly when refused
  InsertRefusal refusal = InsertRefusal::None;
};

struct SessionTableCounters {
  uint64_t inserted = 0;
  uint64_t refused_full = 0;
  uint64_t evicted_embryonic = 0;
  uint64_t evicted_idle = 0;
  std::array<uint64_t, kEndReasonCount> ended{};
};

// Within a burst, two packets of one new flow both miss: the second insert() is refused with
// OriginalKeyExists and its caller looks the key up again. The same goes for a match whose session
// has ended() since.
// Pointers to sessions stay readable until release_burst(), even when a session ends or is evicted
// in between (then ended() is true): the packets of a burst may carry them through all stages.
class SessionTable {
 public:
  // Fails with a sentence about memory or sizes. `memory` must outlive the table.
  [[nodiscard]] static Result<std::unique_ptr<SessionTable>> create(
      const SessionTableSettings& settings, MemorySource& memory);

  // Bytes that create() will ask for, for start-up checks and messages.
  [[nodiscard]] static size_t memory_bytes(const SessionTableSettings& settings) noexcept;

  SessionTable(const SessionTable&) = delete;
  SessionTable& operator=(const SessionTable&) = delete;
  ~SessionTable() = default;

  // `observer` may be nullptr; must outlive its use.
  void set_observer(SessionObserver* observer) noexcept { observer_ = observer; }

  // ---- finding ----

  // Starts loading the index bucket of a hash; best called in decode, as soon as the hash is known.
  void prefetch_bucket(uint64_t hash) const noexcept { index_.prefetch_bucket(hash); }

  // Starts loading the session that a hash most likely leads to; its bucket should have arrived.
  void prefetch_session(uint64_t hash) const noexcept {
    uint32_t entry = 0;
    if (index_.first_candidate(hash, entry)) prefetch_entry(entry);
  }

  // Finds `count` <= kMaximumLookupBurst keys; hashes by net::hash_flow(). Prefetches the buckets
  // itself. results[i] answers keys[i]. Keys are read through pointers so that they may stay in
  // their packets' metadata.
  void lookup_bulk(const net::FlowKey* const* keys, const uint64_t* hashes, size_t count,
                   SessionMatch* results) noexcept;

  // The same when prefetch_bucket() was called for every hash long enough ago.
  void lookup_bulk_prefetched(const net::FlowKey* const* keys, const uint64_t* hashes, size_t count,
                              SessionMatch* results) noexcept;

  // One key, without prefetch: for ICMP errors, control and tests.
  [[nodiscard]] SessionMatch lookup(const net::FlowKey& key, uint64_t hash) noexcept;

  // Is the key taken, by a session or a foreign entry?
  [[nodiscard]] bool contains(const net::FlowKey& key, uint64_t hash) const noexcept;

  // ---- changing ----

  // Makes a session with both keys or nothing at all. At the bound it first evicts: the oldest
  // embryonic session, else the longest idle of kEvictionCandidates that are not established TCP;
  // never an established one. The new session has keys, kind, state, timeout, last_seen_ms,
  // created_ms, serial and ingress zone set and everything else at its default.
  [[nodiscard]] InsertResult insert(const InsertRequest& request, uint32_t now_ms) noexcept;

  // Ends a session of this table that has not ended yet. It stays readable until release_burst().
  void erase(Session& session, EndReason reason) noexcept;

  // Moves a session to a state with its timeout and keeps counts, eviction order and timer right.
  // The only way to change Session::state and to shorten Session::timeout_ms. Cheap when only the
  // timeout grows; does nothing to a session that has ended.
  void change_state(Session& session, ProtocolState state, uint32_t timeout_ms) noexcept;

  // Slots of sessions that ended become available. Call once per burst, when no packet holds a
  // Session* any more (keep a SessionHandle instead).
  void release_burst() noexcept;

  // Ends sessions that were idle for their timeout; looks at no more than `maximum_events` timer
  // entries. Returns how many it looked at: less than the maximum means nothing is overdue.
  size_t expire(uint32_t now_ms, size_t maximum_events) noexcept;

  // ---- keys that belong to other workers ----

  // Packets with this key go to `worker` until removed or `timeout_ms` passed without a refresh.
  // A key that is foreign already is refreshed. False at the bound, when the key is a session here,
  // or when the index is full: the caller then tells the owner, who chooses another port.
  [[nodiscard]] bool insert_foreign(const net::FlowKey& key, uint64_t hash, uint16_t worker,
                                    uint32_t now_ms, uint32_t timeout_ms) noexcept;
  // False when there is no such foreign entry.
  bool erase_foreign(const net::FlowKey& key, uint64_t hash) noexcept;
  // Looks at the next `maximum_slots` foreign slots and drops overdue ones; returns how many it
  // dropped.
  size_t expire_foreign(uint32_t now_ms, size_t maximum_slots) noexcept;

  // ---- walking ----

  // Calls visit(Session&) for the live sessions among the next `maximum_slots` slots from `cursor`
  // and moves the cursor; returns false when the end was reached (cursor is 0 again). Sessions that
  // come or go between two calls may or may not be seen. `visit` may erase the session it is given.
  template <class Visit>
  bool visit_slice(uint32_t& cursor, uint32_t maximum_slots, Visit&& visit) {
    for (uint32_t seen = 0; seen < maximum_slots && cursor < slots_.size(); ++seen, ++cursor) {
      Session& session = slots_[cursor];
      if (session.state != ProtocolState::Free) visit(session);
    }
    if (cursor < slots_.size()) return true;
    cursor = 0;
    return false;
  }

  [[nodiscard]] uint32_t index_in_table(const Session& session) const noexcept {
    return static_cast<uint32_t>(&session - slots_.data());
  }
  [[nodiscard]] SessionHandle handle_of(const Session& session) const noexcept {
    return {index_in_table(session), session.record.serial};
  }
  // nullptr once that session has ended.
  [[nodiscard]] Session* resolve(SessionHandle handle) noexcept;

  // ---- numbers ----

  [[nodiscard]] uint32_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] uint32_t size() const noexcept { return live_count_; }
  [[nodiscard]] uint32_t count(ProtocolState state) const noexcept {
    return state_counts_[static_cast<size_t>(state)];
  }
  // Sessions that could be evicted as this; Protected counts established TCP.
  [[nodiscard]] uint32_t count(EvictionClass eviction_class) const noexcept {
    return eviction_class == EvictionClass::Protected
               ? count(ProtocolState::TcpEstablished)
               : age_lists_[static_cast<size_t>(eviction_class)].size();
  }
  // Half-open TCP sessions opened from a zone; zones beyond zone_count share the last counter.
  [[nodiscard]] uint32_t half_open_count(uint16_t zone) const noexcept {
    return half_open_[half_open_index(zone)];
  }
  [[nodiscard]] uint32_t foreign_count() const noexcept { return foreign_count_; }
  [[nodiscard]] const SessionTableCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] const SessionIndex& index() const noexcept { return index_; }

  // How many idle sessions an insert at the bound compares, and how many it looks at to find them:
  // those in the first quarter of their timeout are in use and are passed over when others exist.
  static constexpr size_t kEvictionCandidates = 8;
  static constexpr size_t kEvictionLooks = 32;
  // Sessions that may end between two calls of release_burst() while the table is full.
  static constexpr uint32_t kBurstReserve = 128;

 private:
  // Index entries: a session's slot and direction, or a foreign slot under the top bit.
  static constexpr uint32_t kForeignBit = 1U << 31U;

  struct alignas(64) ForeignEntry {
    net::FlowKey key;
    uint32_t bucket;
    uint32_t expires_ms;
    uint32_t next_free;
    uint16_t worker;
    uint16_t in_use;
    uint64_t reserved;
  };
  static_assert(sizeof(ForeignEntry) == 64);

  // Index buckets of both keys of a session, so that its end needs no hash.
  struct KeyBuckets {
    uint32_t bucket[2];
  };

  SessionTable() = default;

  [[nodiscard]] size_t half_open_index(uint16_t zone) const noexcept {
    return zone < half_open_.size() ? zone : half_open_.size() - 1;
  }
  [[nodiscard]] bool matches(uint32_t entry, const net::FlowKey& key) const noexcept;
  [[nodiscard]] SessionMatch match_of(uint32_t entry) noexcept;
  void prefetch_entry(uint32_t entry) const noexcept {
    if ((entry & kForeignBit) != 0) [[unlikely]] {
      prefetch_line(&foreign_[entry & ~kForeignBit]);
      return;
    }
    const Session& session = slots_[entry >> 1U];
    prefetch_line(&session);
    prefetch_line(&session.flows[entry & 1U]);
  }
  [[nodiscard]] InsertRefusal check_keys(const InsertRequest& request) const noexcept;
  [[nodiscard]] bool make_room(uint32_t now_ms) noexcept;
  [[nodiscard]] Session& longest_idle(uint32_t now_ms) noexcept;
  [[nodiscard]] bool link_keys(const InsertRequest& request, uint32_t slot) noexcept;
  void fill(Session& session, const InsertRequest& request, uint32_t now_ms) noexcept;
  void count_in(const Session& session) noexcept;
  void count_out(const Session& session) noexcept;
  void prefetch_next_free() const noexcept;
  void drop_foreign(uint32_t slot) noexcept;
  [[nodiscard]] bool find_foreign(const net::FlowKey& key, uint64_t hash,
                                  uint32_t& slot) const noexcept;
  [[nodiscard]] bool allocate(const SessionTableSettings& settings, MemorySource& memory);

  SessionIndex index_;
  SourcedArray<Session> slots_;
  SourcedArray<KeyBuckets> key_buckets_;
  // Eviction order of live slots; free and just ended slots are chained through `next`.
  SourcedArray<IndexLink> age_links_;
  SourcedArray<ForeignEntry> foreign_;
  SourcedArray<uint32_t> half_open_;
  std::array<IndexList, 2> age_lists_{};  // Embryonic by birth, Idle by the time of becoming idle
  TimerWheel timers_;
  SessionObserver* observer_ = nullptr;

  uint32_t capacity_ = 0;
  uint32_t live_count_ = 0;
  uint32_t free_head_ = kNone32;
  uint32_t pending_head_ = kNone32;  // ended in this burst
  uint32_t pending_tail_ = kNone32;
  uint32_t next_serial_ = 1;
  uint32_t foreign_free_ = kNone32;
  uint32_t foreign_count_ = 0;
  uint32_t foreign_cursor_ = 0;
  std::array<uint32_t, kProtocolStateCount> state_counts_{};
  SessionTableCounters counters_;
};

}  // namespace masugata::dataplane
