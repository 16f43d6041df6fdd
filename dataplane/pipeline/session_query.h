// SPDX-License-Identifier: GPL-2.0-or-later
// How the control thread looks into a worker's session table without a lock: the worker copies.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "dataplane/pipeline/running_configuration.h"
#include "dataplane/session/session.h"
#include "net/address.h"

namespace masugata::dataplane {

// Where a session belongs in the numbering of a configuration.
struct SessionPlace {
  uint16_t from_zone = kNoZone;
  uint16_t to_zone = kNoZone;
  // kNone32: admitted under earlier rules, and no packet since has asked the present ones.
  uint32_t rule = kNone32;
};

// A session that no packet has come for since a reload still has the numbers of its time: its zones
// are then taken from its interfaces, which keep their numbers.
[[nodiscard]] SessionPlace place_of(const Session& session,
                                    const RunningConfiguration& configuration) noexcept;

// Which sessions to copy. Plain fields, so that the worker can test them without allocation.
struct SessionQueryFilter {
  net::AddressRange source;  // of the original direction, before or after translation
  net::AddressRange destination;
  bool match_source = false;
  bool match_destination = false;
  bool match_protocol = false;
  net::Protocol protocol = net::Protocol::HopByHop;
  uint16_t source_port = 0;  // host order, 0 = any
  uint16_t destination_port = 0;
  uint16_t zone = 0xffff;         // either side
  uint16_t interface = 0xffff;    // either side
  uint16_t application = 0xffff;  // ApplicationId, of the session or of what carries it
  uint32_t states = 0;            // bit per ProtocolState, 0 = any
  std::vector<bool> rules;        // by RuleId; empty = any

  [[nodiscard]] bool matches(const Session& session, const SessionPlace& place) const noexcept;
};

// One question to one worker. Made by the control thread, given to the worker through
// SessionQuerySlot, and read by the control thread again when `done`. Vectors are sized (or
// reserved) by the control thread; the worker never grows them.
struct SessionQuery {
  static constexpr size_t kZones = 256;

  SessionQueryFilter filter;
  std::vector<net::AddressRange> translated;  // addresses that source translation takes
  std::vector<Session> found;                 // up to the capacity reserved
  uint64_t matched = 0;
  uint32_t cursor = 0;
  uint32_t now_ms = 0;  // worker clock at the end
  uint32_t in_table = 0;
  // Live sessions, whatever the filter.
  uint32_t per_zone_from[kZones] = {};
  uint32_t per_zone_to[kZones] = {};
  uint32_t half_open_from[kZones] = {};  // TCP before its handshake is complete
  std::vector<uint32_t> per_rule;        // by RuleId
  std::vector<uint32_t> per_translated;  // by `translated`: whose source was translated to it
  std::atomic<bool> done{false};

  // Worker. Counts and, when it matches, copies a session.
  void visit(const Session& session, const RunningConfiguration& configuration) noexcept;
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
