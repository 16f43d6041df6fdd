// SPDX-License-Identifier: GPL-2.0-or-later
// What single sources do: concurrent sessions per rule and new sessions per second per zone.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/session/memory_source.h"
#include "dataplane/session/session.h"
#include "net/address.h"

namespace masugata::dataplane {

// Counters of refusals and of what happened at the bound.
struct SourceAccountingCounters {
  uint64_t refused_sessions = 0;    // session limit reached
  uint64_t refused_rate = 0;        // token bucket empty
  uint64_t recycled = 0;            // an idle slot was taken for another source
  uint64_t shared_overflow = 0;     // requests that had to use the shared slot
};

// A bounded, 8-way set-associative table of sources. One worker; limits therefore hold per worker:
// the caller divides a configured limit when flows of one source spread over several workers.
//
// At the bound: a set that is full recycles its longest unused slot that counts no session. When
// every slot of the set counts sessions, the source shares the set's scope-wide overflow slot with
// all others in that position: the limits still hold, for all of them together (fail closed).
class SourceAccounting {
 public:
  static constexpr uint32_t kWays = 8;

  SourceAccounting() = default;

  // Room for about `capacity` (source, scope) pairs, rounded up to a power of two. `secret` keys
  // the placement. False when the memory source has none.
  [[nodiscard]] bool allocate(MemorySource& memory, uint32_t capacity, uint64_t secret) noexcept;
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
    uint32_t scope;         // rule or zone, kind in the top bit; 0xffffffff = unused
    uint32_t last_used_ms;
    uint32_t sessions;      // concurrent; rule scopes
    uint32_t millitokens;   // zone scopes: thousandths of a new session
  };
  static_assert(sizeof(Slot) == 32);

  [[nodiscard]] uint32_t set_of(const net::IpAddress& source, uint32_t scope) const noexcept;
  [[nodiscard]] uint32_t slot_for(const net::IpAddress& source, uint32_t scope, uint32_t now_ms,
                                  bool& fresh) noexcept;

  SourcedArray<Slot> slots_;
  SourcedArray<Slot> overflow_;
  uint32_t set_mask_ = 0;
  uint64_t secret_ = 0;
  SourceAccountingCounters counters_;
};

}  // namespace masugata::dataplane
