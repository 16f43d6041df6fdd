// SPDX-License-Identifier: GPL-2.0-or-later
// What the sessions of one worker carry: feeds their first packets to the classifier until it
// knows, remembers the host name for as long as the session lives, and begins anew when a session
// turns to something else.
#pragma once

#include <cstdint>
#include <memory>

#include "dataplane/pipeline/counters.h"
#include "dataplane/pipeline/packet.h"
#include "dataplane/policy/packet_facts.h"
#include "dataplane/session/memory_source.h"
#include "dataplane/session/session.h"
#include "ids/applications/application_classifier.h"
#include "ids/applications/content_turn.h"
#include "result/result.h"

namespace masugata::dataplane {

// Bounds of one worker.
struct IdentifierLimits {
  uint32_t sessions = 65536;  // of the session table
  // Looked at at once; beyond, a session's contents are unknown from the start, and counted.
  uint32_t flows = 8192;
  uint32_t host_names = 65536;  // remembered at once; beyond, as above
  ids::ApplicationBudget budget;
  // How often a session may begin anew; one that would go on ends.
  uint8_t turns = 64;
};

// Written by the worker, read by anyone.
struct IdentifierCounters {
  RelaxedCounter recognised;  // sessions
  RelaxedCounter unknown;     // sessions that showed nothing known within the budget
  RelaxedCounter refused;     // sessions for which there was no room
  RelaxedCounter turned;      // times that a session began to carry something else
  RelaxedCounter refined;     // times that more became known of one that had been judged
  RelaxedCounter exhausted;   // sessions ended because they turned too often
  RelaxedCounter denied;      // sessions that a rule refused once their contents were known
  RelaxedCounter flows;       // looked at now
  RelaxedCounter hosts;       // host names remembered now, and sessions looked at
};

// What a look at a packet has brought.
struct ContentNews {
  bool changed = false;    // something is known that was not: policy is to be asked
  bool settled = false;    // nothing more will come: packets need not be shown any more
  bool exhausted = false;  // the session has turned too often and is to be ended
};

// Thread: the worker's, but where said otherwise.
class ApplicationIdentifier {
 public:
  ApplicationIdentifier() = default;
  ~ApplicationIdentifier();
  ApplicationIdentifier(const ApplicationIdentifier&) = delete;
  ApplicationIdentifier& operator=(const ApplicationIdentifier&) = delete;

  // Control thread, before a configuration with rules about contents is published to this worker.
  // Takes memory and sets the library up, once.
  Status prepare(const IdentifierLimits& limits, MemorySource& memory);

  // Looks at a packet of a session for which policy asks. What is known stands in the session's
  // record and in contents_of(). Not prepared: at once, as unknown.
  [[nodiscard]] ContentNews look(const Packet& packet, Session& session, uint32_t session_index,
                                 uint32_t now_ms) noexcept;
  // A rule refused a session for what it carries.
  void count_denied() noexcept { counters_.denied.add(1); }

  // What is known of the session, for policy. The host name is valid until the session ends.
  [[nodiscard]] ApplicationFacts contents_of(const Session& session,
                                             uint32_t session_index) const noexcept;

  // The session ends; nothing happens when it was not looked at.
  void session_ended(uint32_t session_index) noexcept;

  // Any thread.
  [[nodiscard]] const IdentifierCounters& counters() const noexcept { return counters_; }
  // Control thread.
  [[nodiscard]] const IdentifierLimits& limits() const noexcept { return limits_; }

 private:
  static constexpr size_t kHostBytes = 80;  // the classifier gives at most 79
  struct Entry {
    ids::ApplicationFlow flow;
    uint32_t serial;
    uint8_t turns;
    bool turns_next;  // with the next payload something else begins
    uint8_t host_bytes;
    char host[kHostBytes];
  };

  [[nodiscard]] Entry* find(uint32_t session_index) noexcept;
  [[nodiscard]] Entry* open(const Session& session, uint32_t session_index) noexcept;
  void close(uint32_t session_index) noexcept;
  // Of a session that is known: does something else begin with this packet?
  [[nodiscard]] bool turns(const Packet& packet, const Session& session, Entry& entry) noexcept;
  [[nodiscard]] ContentNews classify(const Packet& packet, Session& session, Entry& entry,
                                     uint32_t session_index, uint32_t now_ms) noexcept;
  void set_gauges() noexcept;
  // The packet as the client and the server of the original direction exchange it, in whole_.
  [[nodiscard]] size_t copy(const Packet& packet, const Session& session) noexcept;

  IdentifierLimits limits_;
  std::unique_ptr<ids::ApplicationClassifier> classifier_;
  ids::TurnWatcher watcher_;
  SourcedArray<uint32_t> slots_;  // by session: entry + 1, 0 = none
  SourcedArray<Entry> entries_;
  SourcedArray<uint32_t> free_;
  uint32_t free_count_ = 0;
  uint32_t used_ = 0;
  std::unique_ptr<uint8_t[]> whole_;
  IdentifierCounters counters_;
};

}  // namespace masugata::dataplane
