// SPDX-License-Identifier: GPL-2.0-or-later
// What a worker remembers of the sessions that it inspects, found by the session's place in the
// session table.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "dataplane/antivirus/antivirus_slot.h"
#include "dataplane/inspection/inspection_set.h"
#include "dataplane/session/memory_source.h"
#include "dataplane/session/session.h"
#include "dataplane/stream/tcp_stream.h"
#include "ids/engine/inspection_engine.h"

namespace masugata::dataplane {

// How the packets of a session are treated from now on.
enum class InspectionState : uint8_t {
  Inspect,
  Pass,       // uninspected by choice of the profile; counted
  Condemned,  // every packet is dropped
};

struct InspectedSession {
  uint32_t session_index = kNone32;
  uint32_t serial = 0;
  InspectionSlotIndex slot = kNoInspectionSlot;
  InspectionState state = InspectionState::Inspect;
  bool has_stream = false;
  AntivirusSlotIndex antivirus_slot = kNoAntivirusSlot;
  uint32_t guarded = kNone32;  // its place with the stream guard
  ids::FlowInspection* flow = nullptr;
  alignas(TcpStreamPair) unsigned char stream_bytes[sizeof(TcpStreamPair)];

  [[nodiscard]] TcpStreamPair& stream() noexcept {
    return *std::launder(reinterpret_cast<TcpStreamPair*>(stream_bytes));
  }
};

// Thread: the worker's, but for allocate(). Memory is touched only as far as it is used.
class InspectedSessions {
 public:
  InspectedSessions() = default;

  // For a session table of `sessions` slots; at most `maximum` are inspected at once. Before use.
  [[nodiscard]] bool allocate(MemorySource& memory, uint32_t sessions, uint32_t maximum) noexcept {
    if (!slots_.allocate(memory, sessions, "inspected sessions") ||
        !entries_.allocate(memory, maximum, "inspected sessions") ||
        !free_.allocate(memory, maximum, "inspected sessions")) {
      return false;
    }
    return true;
  }
  [[nodiscard]] bool is_allocated() const noexcept { return entries_.size() != 0; }

  [[nodiscard]] InspectedSession* find(uint32_t session_index) noexcept {
    if (session_index >= slots_.size()) return nullptr;
    const uint32_t slot = slots_[session_index];
    return slot == 0 || slot == kLeftOut ? nullptr : &entries_[slot - 1];
  }

  // A session that found no room, whose packets pass all the same as long as it lives: it takes no
  // entry. Forgotten by forget() or add().
  void leave_out(uint32_t session_index) noexcept {
    if (session_index < slots_.size()) slots_[session_index] = kLeftOut;
  }
  [[nodiscard]] bool is_left_out(uint32_t session_index) const noexcept {
    return session_index < slots_.size() && slots_[session_index] == kLeftOut;
  }
  void forget(uint32_t session_index) noexcept {
    if (is_left_out(session_index)) slots_[session_index] = 0;
  }

  // A fresh entry for a session that has none; nullptr at the bound.
  [[nodiscard]] InspectedSession* add(uint32_t session_index, uint32_t serial) noexcept {
    if (session_index >= slots_.size()) return nullptr;
    uint32_t slot = 0;
    if (free_count_ > 0) {
      slot = free_[--free_count_];
    } else if (used_ < entries_.size()) {
      slot = ++used_;
    } else {
      return nullptr;
    }
    slots_[session_index] = slot;
    auto* entry = new (&entries_[slot - 1]) InspectedSession();
    entry->session_index = session_index;
    entry->serial = serial;
    ++count_;
    return entry;
  }

  void remove(InspectedSession& entry) noexcept {
    const auto slot = static_cast<uint32_t>(&entry - &entries_[0]) + 1;
    slots_[entry.session_index] = 0;
    entry.session_index = kNone32;
    free_[free_count_++] = slot;
    --count_;
  }

  [[nodiscard]] uint32_t count() const noexcept { return count_; }
  // Entries that were ever used lie in [0, touched()).
  [[nodiscard]] uint32_t touched() const noexcept { return used_; }
  [[nodiscard]] InspectedSession& at(uint32_t place) noexcept { return entries_[place]; }

 private:
  static constexpr uint32_t kLeftOut = 0xffffffff;

  SourcedArray<uint32_t> slots_;  // by session: entry + 1, 0 = none, kLeftOut
  SourcedArray<InspectedSession> entries_;
  SourcedArray<uint32_t> free_;
  uint32_t free_count_ = 0;
  uint32_t used_ = 0;
  uint32_t count_ = 0;
};

}  // namespace masugata::dataplane
