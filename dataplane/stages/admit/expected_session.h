// SPDX-License-Identifier: GPL-2.0-or-later
// Sessions that an FTP control connection has announced (RFC 959, RFC 2428): permitted by the rule
// that permitted the control connection.
#pragma once

#include "dataplane/pipeline/worker_context.h"
#include "dataplane/snapshot/admission.h"

namespace masugata::dataplane {

// Marks a new session whose payload an application helper reads (FTP control: server port 21).
void attach_helper(Session& session, WorkerContext& context) noexcept;

// The admission of a packet that `expectation` announced. None when permitted. Fails closed when
// the control connection is gone or the packet comes from another zone than announced.
[[nodiscard]] DropReason admit_expected(const Packet& packet, const Expectation& expectation,
                                        AdmissionResult& result, WorkerContext& context) noexcept;

// Ties the new session to its control connection.
void bind_expected(Session& session, const Expectation& expectation,
                   const WorkerContext& context) noexcept;

}  // namespace masugata::dataplane
