// SPDX-License-Identifier: GPL-2.0-or-later
// What the engine remembers of one transaction between packets.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ids/plan/compiled_rules.h"
#include "ids/protocols/transaction.h"

namespace masugata::ids {

// Memory: a few bytes per group of patterns of the protocol, and four per rule that is pending or
// decided.
struct TransactionMemory final : Transaction::InspectionState {
  struct GroupProgress {
    uint64_t scanned = 0;  // bytes of a progressive buffer (of its last instance)
    uint32_t instances = 0;
    bool over = false;  // nothing new will come
  };
  struct Side {
    uint32_t version = 0;
    bool seen = false;         // inspected at least once
    bool finished = false;     // inspected to the end
    uint64_t stream_from = 0;  // where in the stream the side was first seen
    std::vector<GroupProgress> groups;
    std::vector<RuleNumber> pending;  // ascending
    std::vector<RuleNumber> decided;  // matched, or never can; ascending
    // Of a side that is finished: those that wait for an event that the other one may still raise.
    std::vector<RuleNumber> awaiting_events;
    EventSet events;  // the transaction's when the side was inspected last
  };
  std::array<Side, 2> sides;
  // Rules over both directions (`=>`) that wait for the rest of them; ascending.
  std::vector<RuleNumber> pending_both;
  std::vector<RuleNumber> decided_both;
  EventSet reported_events;
  uint16_t reported_files = 0;  // bits by index
  uint32_t generation = 0;      // of the plan that the numbers are of

  [[nodiscard]] size_t memory_bytes() const noexcept {
    size_t bytes = sizeof(TransactionMemory);
    for (const Side& side : sides) {
      bytes +=
          side.groups.capacity() * sizeof(GroupProgress) +
          (side.pending.capacity() + side.decided.capacity() + side.awaiting_events.capacity()) *
              sizeof(RuleNumber);
    }
    return bytes + (pending_both.capacity() + decided_both.capacity()) * sizeof(RuleNumber);
  }

  // For another transaction, with the memory that it has.
  void reset(uint32_t plan_generation) noexcept {
    for (Side& side : sides) {
      side.finished = false;
    }
    reported_events.reset();
    reported_files = 0;
    change_plan(plan_generation);
  }

  // The same transaction under another plan: what has been inspected to the end is not inspected
  // again.
  void change_plan(uint32_t plan_generation) noexcept {
    for (Side& side : sides) {
      side.seen = side.finished;
      side.version = 0;
      side.groups.clear();
      side.pending.clear();
      side.decided.clear();
      side.awaiting_events.clear();
      side.events.reset();
    }
    pending_both.clear();
    decided_both.clear();
    generation = plan_generation;
  }
};

}  // namespace masugata::ids
