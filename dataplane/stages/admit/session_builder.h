// SPDX-License-Identifier: GPL-2.0-or-later
// From a permission to a session in the table.
#pragma once

#include "dataplane/pipeline/worker_context.h"
#include "dataplane/snapshot/admission.h"

namespace masugata::dataplane {

struct BuildResult {
  Session* session = nullptr;  // nullptr exactly when refused
  DropReason reason = DropReason::None;
  bool already_there = false;  // made by a packet before: track this one
};

// Makes the session that `admission` permits for `packet`, in `state`; counts rule hits, writes the
// log record, tells another worker when the reply key leads there. Leaves TCP tracking and next
// hops to the caller.
[[nodiscard]] BuildResult build_session(const Packet& packet, const AdmissionResult& admission,
                                        ProtocolState state, WorkerContext& context) noexcept;

// Marks a session whose server is a trusted resolver: what it answers is learnt from.
void note_teaching(Session& session, const Snapshot& snapshot) noexcept;

// Copies a translation into a flow.
void set_rewrite(Flow& flow, const net::FlowKey& own_key, const FlowRewrite& rewrite) noexcept;

// A rule has decided about a session.
void count_hit(std::vector<RuleCounters>& counters, uint32_t rule, uint32_t now_ms) noexcept;

// Counts a hit of a policy rule and, when it is asked for, tells the log about a refusal.
void note_refusal(const Packet& packet, const AdmissionResult& admission,
                  WorkerContext& context) noexcept;

}  // namespace masugata::dataplane
