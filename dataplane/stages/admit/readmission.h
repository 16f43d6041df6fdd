// SPDX-License-Identifier: GPL-2.0-or-later
// A session that was admitted under an earlier configuration or other routes is looked at again
// when its next packet comes.
#pragma once

#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {

// Asks routes and policy again for `session`, keeping its translation. None: it goes on under the
// present epoch, its next hops will be asked anew. Otherwise the session has been ended
// (EndReason::PolicyDenied or RouteLost) and the packet is to be dropped for the reason.
[[nodiscard]] DropReason readmit(Session& session, WorkerContext& context) noexcept;

// What `session` carries is known with this packet: asks policy again. None: it goes on, under the
// rule that permits it. Otherwise its packets are to be dropped from now on, this one for the
// reason; `reject` says whether both ends are to be told.
[[nodiscard]] DropReason readmit_by_contents(const Packet& packet, Session& session,
                                             WorkerContext& context, bool& reject) noexcept;

}  // namespace masugata::dataplane
