// SPDX-License-Identifier: GPL-2.0-or-later
// What changes in a TCP stream besides addresses: the FTP helper's texts, sequence numbers behind
// them, and the windows and numbers of connections that began with a SYN cookie.
#pragma once

#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {

// For a tracked TCP packet that is about to be translated. None, or why it cannot go on.
[[nodiscard]] DropReason adjust_stream(Packet& packet, Session& session, Direction direction,
                                       WorkerContext& context) noexcept;

}  // namespace masugata::dataplane
