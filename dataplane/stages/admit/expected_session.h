// SPDX-License-Identifier: GPL-2.0-or-later
// Sessions that an FTP control connection has announced (RFC 959, RFC 2428): permitted by the rule
// that permitted the control connection.
#pragma once

#include "dataplane/pipeline/worker_context.h"
#include "dataplane/snapshot/admission.h"
#include "ids/protocols/protocol_parser.h"

namespace masugata::dataplane {

// Marks a new session whose payload an application helper reads (FTP control: server port 21).
void attach_helper(Session& session, WorkerContext& context) noexcept;

// The data connection that the other end of a control connection will open to `port` of the end
// that sends in `direction`, as its first packet will look on arrival.
[[nodiscard]] Expectation expectation_of(const Session& control, Direction direction,
                                         net::Be16 port, const WorkerContext& context) noexcept;

// Expects what the inspected stream of a control connection has announced since the last call:
// exactly what its ends have read. What the helper may open is permitted; of everything else (other
// control ports than FTP's, other addresses, the first 1,024 ports) it is only known what it
// carries, should policy permit it. False: no room, it is told again.
[[nodiscard]] bool expect_announced(const Session& control, ids::ProtocolParser& parser,
                                    WorkerContext& context) noexcept;

// The admission of a packet that `expectation` announced. None when permitted. Fails closed when
// the control connection is gone or the packet comes from another zone than announced.
[[nodiscard]] DropReason admit_expected(const Packet& packet, const Expectation& expectation,
                                        AdmissionResult& result, WorkerContext& context) noexcept;

// Ties the new session to its control connection: what it carries is inspected as there, unless the
// rule that permitted it has antivirus of its own.
void bind_expected(Session& session, const Expectation& expectation,
                   const WorkerContext& context) noexcept;

}  // namespace masugata::dataplane
