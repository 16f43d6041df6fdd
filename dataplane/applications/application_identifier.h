// SPDX-License-Identifier: GPL-2.0-or-later
// What the sessions of one worker carry: feeds their first packets to the classifier until it
// knows, and remembers the host name for as long as the session lives.
#pragma once

#include <cstdint>
#include <memory>

#include "dataplane/pipeline/counters.h"
#include "dataplane/pipeline/packet.h"
#include "dataplane/policy/packet_facts.h"
#include "dataplane/session/memory_source.h"
#include "dataplane/session/session.h"
#include "ids/applications/application_classifier.h"
#include "result/result.h"

namespace masugata::dataplane {

// Bounds of one worker.
struct IdentifierLimits {
  uint32_t sessions = 65536;  // of the session table
  // Looked at at once; beyond, a session's contents are unknown from the start, and counted.
  uint32_t flows = 8192;
  uint32_t host_names = 65536;  // remembered at once; beyond, as above
  ids::ApplicationBudget budget;
};

// Written by the worker, read by anyone.
struct IdentifierCounters {
  RelaxedCounter recognised;  // sessions
  RelaxedCounter unknown;     // sessions that showed nothing known within the budget
  RelaxedCounter refused;     // sessions for which there was no room
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

  // Looks at a packet of a session whose contents are not known (session.record.application is
  // kApplicationNotKnown). True when they are known from now on and stand in the session's record.
  // Not prepared: at once, as unknown.
  [[nodiscard]] bool look(const Packet& packet, Session& session, uint32_t session_index,
                          uint32_t now_ms) noexcept;

  // What is known of the session, for policy. The host name is valid until the session ends.
  [[nodiscard]] ApplicationFacts contents_of(const Session& session,
                                             uint32_t session_index) const noexcept;

  // The session ends; nothing happens when it was not looked at.
  void session_ended(uint32_t session_index) noexcept;

  // Any thread.
  [[nodiscard]] const IdentifierCounters& counters() const noexcept { return counters_; }

 private:
  static constexpr size_t kHostBytes = 80;  // the classifier gives at most 79
  struct Entry {
    ids::ApplicationFlow flow;
    uint32_t serial;
    uint8_t host_bytes;
    char host[kHostBytes];
  };

  [[nodiscard]] Entry* find(uint32_t session_index) noexcept;
  [[nodiscard]] Entry* open(const Session& session, uint32_t session_index) noexcept;
  void close(uint32_t session_index) noexcept;
  // The packet as the client and the server of the original direction exchange it, in whole_.
  [[nodiscard]] size_t copy(const Packet& packet, const Session& session) noexcept;

  IdentifierLimits limits_;
  std::unique_ptr<ids::ApplicationClassifier> classifier_;
  SourcedArray<uint32_t> slots_;  // by session: entry + 1, 0 = none
  SourcedArray<Entry> entries_;
  SourcedArray<uint32_t> free_;
  uint32_t free_count_ = 0;
  uint32_t used_ = 0;
  std::unique_ptr<uint8_t[]> whole_;
  IdentifierCounters counters_;
};

}  // namespace masugata::dataplane
