// SPDX-License-Identifier: GPL-2.0-or-later
// Sessions that an application helper has announced (RFC 959 FTP data connections): admitted
// without a policy rule of their own, once, for a short time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/session/memory_source.h"
#include "dataplane/session/session.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

// What to expect and what to do with it.
struct Expectation {
  net::FlowKey key;            // of the expected opening packet on arrival; source_port 0 = any
  SessionHandle parent;        // in the table of `parent_worker`
  Rewrite rewrite;             // to apply in the original direction of the new session
  uint16_t rewrite_flags = 0;  // FlowFlags: which parts of `rewrite` count
  uint8_t helper = 0;          // SessionRecord::helper of the new session
  uint16_t parent_worker = 0;
  uint8_t zone = 0;  // that the opening packet comes in by, as Flow::zone
  // False: policy decides whether there is such a session; it is only known what it carries and how
  // that is inspected. Stays until it expires.
  bool permits = true;
  uint32_t policy_rule = kNone32;   // inherited from the parent
  uint16_t inspection_profile = 0;  // likewise: rules may have other numbers when it is taken
  uint32_t expires_ms = 0;
};

struct ExpectationCounters {
  uint64_t added = 0;
  uint64_t taken = 0;
  uint64_t expired = 0;
  uint64_t refused_full = 0;
  uint64_t replaced = 0;  // the parent announced more than kPerParent: its oldest went
};

// Bounded; searched only when a session lookup missed. One worker: the helper's parent session and
// the expected packets meet there (see worker_of() and foreign entries).
// At the bound add() looks for overdue expectations in a few slots, else it refuses.
class ExpectationTable {
 public:
  static constexpr uint32_t kPerParent = 4;

  ExpectationTable() = default;

  // Room for `capacity` expectations. False when the memory source has none.
  [[nodiscard]] bool allocate(MemorySource& memory, uint32_t capacity,
                              const net::HashSecret& secret) noexcept;

  // False at the bound. An expectation with the same key is replaced.
  [[nodiscard]] bool add(const Expectation& expectation, uint32_t now_ms) noexcept;

  // Finds the expectation that a missing key answers; false when there is none. An exact source
  // port goes before "any".
  [[nodiscard]] bool look_up(const net::FlowKey& key, uint32_t now_ms,
                             Expectation& found) const noexcept;

  // The same, and removes it.
  [[nodiscard]] bool take(const net::FlowKey& key, uint32_t now_ms, Expectation& found) noexcept;

  // Is there one, without taking it?
  [[nodiscard]] bool contains(const net::FlowKey& key, uint32_t now_ms) const noexcept;

  // Forgets everything that a session announced; call when it ends.
  void remove_of_parent(SessionHandle parent) noexcept;

  // Looks at the next `maximum_slots` slots and drops overdue ones.
  void expire(uint32_t now_ms, uint32_t maximum_slots) noexcept;

  [[nodiscard]] uint32_t size() const noexcept { return size_; }
  [[nodiscard]] const ExpectationCounters& counters() const noexcept { return counters_; }

 private:
  struct Slot {
    Expectation expectation;
    uint32_t key_chain;       // which chain of key_chains_
    uint32_t next_of_key;     // in that chain, or in the free list
    uint32_t next_of_parent;  // in the chain of its parent, newest first
    uint32_t in_use;
  };

  [[nodiscard]] uint32_t key_chain_of(const net::FlowKey& key) const noexcept;
  [[nodiscard]] uint32_t parent_chain_of(SessionHandle parent) const noexcept;
  [[nodiscard]] uint32_t find(const net::FlowKey& key, uint32_t now_ms) const noexcept;
  [[nodiscard]] uint32_t find_same(const net::FlowKey& key) const noexcept;
  void remove(uint32_t slot) noexcept;
  void limit_parent(SessionHandle parent) noexcept;

  SourcedArray<Slot> slots_;
  SourcedArray<uint32_t> key_chains_;     // heads; keys without their source port
  SourcedArray<uint32_t> parent_chains_;  // heads, by parent index
  uint32_t free_head_ = kNone32;
  uint32_t size_ = 0;
  uint32_t cursor_ = 0;
  net::HashSecret secret_;
  ExpectationCounters counters_;
};

}  // namespace masugata::dataplane
