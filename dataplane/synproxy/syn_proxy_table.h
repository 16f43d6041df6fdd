// SPDX-License-Identifier: GPL-2.0-or-later
// The proxy states of the sessions that began with a SYN cookie; bounded, one worker's.
#pragma once

#include <cstdint>

#include "dataplane/session/memory_source.h"
#include "dataplane/session/session.h"
#include "dataplane/synproxy/syn_proxy.h"

namespace masugata::dataplane {

class SynProxyTable {
 public:
  SynProxyTable() = default;

  // Room for `capacity` sessions. False when the memory source has none.
  [[nodiscard]] bool allocate(MemorySource& memory, uint32_t capacity) noexcept {
    if (!states_.allocate(memory, capacity, "syn proxy states") ||
        !next_free_.allocate(memory, capacity, "syn proxy free list")) {
      return false;
    }
    for (uint32_t slot = 0; slot < capacity; ++slot) {
      next_free_[slot] = slot + 1 < capacity ? slot + 1 : kNone32;
    }
    free_head_ = capacity > 0 ? 0 : kNone32;
    return true;
  }

  // A fresh state for the session, and kSessionSynProxied; nullptr at the bound: no session then.
  [[nodiscard]] SynProxyState* acquire(Session& session) noexcept {
    if (free_head_ == kNone32) return nullptr;
    const uint32_t slot = free_head_;
    free_head_ = next_free_[slot];
    states_[slot] = SynProxyState{};
    session.record.syn_proxy = slot;
    session.flags = static_cast<uint16_t>(session.flags | kSessionSynProxied);
    ++in_use_;
    return &states_[slot];
  }
  // nullptr when the session has none.
  [[nodiscard]] SynProxyState* find(const Session& session) noexcept {
    const bool has_one =
        (session.flags & kSessionSynProxied) != 0 && session.record.syn_proxy < states_.size();
    return has_one ? &states_[session.record.syn_proxy] : nullptr;
  }
  // At the session's end; nothing happens when it has none.
  void release(Session& session) noexcept {
    if (find(session) == nullptr) return;
    next_free_[session.record.syn_proxy] = free_head_;
    free_head_ = session.record.syn_proxy;
    session.record.syn_proxy = kNone32;
    session.flags = static_cast<uint16_t>(session.flags & ~kSessionSynProxied);
    --in_use_;
  }
  [[nodiscard]] uint32_t in_use() const noexcept { return in_use_; }

 private:
  SourcedArray<SynProxyState> states_;
  SourcedArray<uint32_t> next_free_;
  uint32_t free_head_ = kNone32;
  uint32_t in_use_ = 0;
};

}  // namespace masugata::dataplane
