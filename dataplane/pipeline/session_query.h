// SPDX-License-Identifier: GPL-2.0-or-later
// How the control thread looks into a worker's session table without a lock: the worker copies.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "dataplane/session/session.h"
#include "net/address.h"

namespace masugata::dataplane {

// Which sessions to copy. Plain fields, so that the worker can test them without allocation.
struct SessionQueryFilter {
  net::AddressRange source;       // of the original direction, before or after translation
  net::AddressRange destination;
  bool match_source = false;
  bool match_destination = false;
  bool match_protocol = false;
  net::Protocol protocol = net::Protocol::HopByHop;
  uint16_t source_port = 0;       // host order, 0 = any
  uint16_t destination_port = 0;
  uint16_t zone = 0xffff;         // either side
  uint16_t interface = 0xffff;    // either side
  uint32_t rule = 0xffffffff;
  ProtocolState state = ProtocolState::Free;  // Free = any

  [[nodiscard]] bool matches(const Session& session) const noexcept;
};

// One question to one worker. Made by the control thread, given to the worker through
// SessionQuerySlot, and read by the control thread again when `done`.
struct SessionQuery {
  SessionQueryFilter filter;
  std::vector<Session> found;   // reserved by the control thread; the worker never grows it
  uint64_t matched = 0;
  uint32_t cursor = 0;
  uint32_t now_ms = 0;          // worker clock at the end
  uint32_t in_table = 0;
  uint32_t per_zone_from[256] = {};  // live sessions by ingress zone, whatever the filter
  uint32_t per_zone_to[256] = {};
  std::vector<uint32_t> per_rule;    // live sessions by RuleId; sized by the control thread
  std::atomic<bool> done{false};
};

// One question at a time per worker.
class SessionQuerySlot {
 public:
  // Control thread. False while the worker still works on one.
  bool post(SessionQuery* query) noexcept {
    SessionQuery* expected = nullptr;
    return pending_.compare_exchange_strong(expected, query, std::memory_order_acq_rel);
  }
  // Worker. nullptr when there is none.
  [[nodiscard]] SessionQuery* pending() const noexcept {
    return pending_.load(std::memory_order_acquire);
  }
  void finish(SessionQuery& query) noexcept {
    pending_.store(nullptr, std::memory_order_release);
    query.done.store(true, std::memory_order_release);
  }

 private:
  std::atomic<SessionQuery*> pending_{nullptr};
};

}  // namespace masugata::dataplane
