// SPDX-License-Identifier: GPL-2.0-or-later
// What single sources do: concurrent sessions per rule and new sessions per second per zone.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/session/memory_source.h"
#include "dataplane/session/session.h"
#include "net/address.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

// Counters of refusals and of what happened at the bound.
struct SourceAccountingCounters {
  uint64_t refused_sessions = 0;  // session limit reached
  uint64_t refused_rate = 0;      // token bucket empty
  uint64_t recycled = 0;          // an idle slot was taken for another source
  uint64_t shared_overflow = 0;   // requests that had to use the shared slot
};

// A bounded, 8-way set-associative table of (source, rule) and (source, zone) pairs. One worker;
// limits therefore hold per worker: the caller divides a configured limit when the flows of one
// source spread over several workers.
//
// At the bound: a set that is full recycles its longest unused slot that holds no information (no
// open session; no new session within a second, so that its tokens are all back). When there is
// none, the pair shares the set's overflow slot with all others in that position: the limits still
// hold, for all of them together (fail closed).
class SourceAccounting {
 public:
  static constexpr uint32_t kWays = 8;

  SourceAccounting() = default;

  // Room for about `capacity` (source, scope) pairs, rounded up to a power of two. `secret` keys
  // the placement. False when the memory source has none.
  [[nodiscard]] bool allocate(MemorySource& memory, uint32_t capacity,
                              const net::HashSecret& secret) noexcept;
  [[nodiscard]] static size_t memory_bytes(uint32_t capacity) noexcept;

  // Counts one more concurrent session of `source` under rule `rule` unless `limit` are open.
  // Returns the slot to keep in SessionRecord::source_limit_slot, or kNone32 when refused.
  // limit >= 1.
  [[nodiscard]] uint32_t acquire_session(const net::IpAddress& source, uint32_t rule,
                                         uint32_t limit, uint32_t now_ms) noexcept;
  // Gives a session back; kNone32 is ignored.
  void release_session(uint32_t slot) noexcept;

  // Takes a token for a new session of `source` out of `zone`: `rate_per_second` (>= 1) on average
  // with bursts of one second's worth. False when there is none.
  [[nodiscard]] bool take_new_session(const net::IpAddress& source, uint16_t zone,
                                      uint32_t rate_per_second, uint32_t now_ms) noexcept;

  // Open sessions of a source under a rule (0 when unknown), for `show` and tests.
  [[nodiscard]] uint32_t session_count(const net::IpAddress& source, uint32_t rule) const noexcept;

  [[nodiscard]] const SourceAccountingCounters& counters() const noexcept { return counters_; }

 private:
  // Half a cache line.
  struct alignas(32) Slot {
    net::IpAddress source;
    uint32_t scope;  // rule or zone, kind in the top bit; 0xffffffff = unused
    uint32_t last_used_ms;
    uint32_t sessions;     // concurrent; rule scopes
    uint32_t millitokens;  // zone scopes: thousandths of a new session
  };
  static_assert(sizeof(Slot) == 32);

  [[nodiscard]] uint32_t first_slot_of(const net::IpAddress& source, uint32_t scope) const noexcept;
  [[nodiscard]] uint32_t find(const net::IpAddress& source, uint32_t scope) const noexcept;
  // Finds or makes the pair's slot; a new one starts with `millitokens`.
  [[nodiscard]] uint32_t slot_for(const net::IpAddress& source, uint32_t scope,
                                  uint32_t millitokens, uint32_t now_ms) noexcept;
  [[nodiscard]] uint32_t recyclable_slot(uint32_t first, uint32_t now_ms) const noexcept;

  SourcedArray<Slot> slots_;  // the sets, then one overflow slot per set
  uint32_t set_count_ = 0;    // a power of two
  net::HashSecret secret_;
  SourceAccountingCounters counters_;
};

}  // namespace masugata::dataplane
