// SPDX-License-Identifier: GPL-2.0-or-later
// Where the packets of a flow go, asked once and remembered in the session.
#pragma once

#include "dataplane/pipeline/verdict.h"
#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {

enum class NextHopOutcome : uint8_t {
  Ready,    // the flow's egress_interface and next_hop are set and `mac` is the neighbour's
  Local,    // the route now leads to the gateway itself
  Unknown,  // the neighbour has not answered yet; `neighbour` says who is asked for
  Refused,  // `reason`
};

// Why a packet does not leave by a route of this kind, which is neither Connected nor Gateway.
[[nodiscard]] DropReason refusal_of(RouteKind kind) noexcept;

struct NextHopAnswer {
  NextHopOutcome outcome = NextHopOutcome::Refused;
  DropReason reason = DropReason::InternalError;
  net::MacAddress mac;
  NeighbourKey neighbour;
};

// The usual case, one load: the flow's way is known and its neighbour can be sent to. False: ask
// find_next_hop().
[[nodiscard]] inline bool known_next_hop(const Flow& flow, const WorkerContext& context,
                                         net::MacAddress& mac) noexcept {
  if ((flow.flags & kFlowRouteResolved) == 0) [[unlikely]]
    return false;
  const NeighbourTable& neighbours = context.forwarding->neighbours();
  if (!neighbours.read(flow.next_hop, mac)) [[unlikely]]
    return false;
  neighbours.mark_used(flow.next_hop);
  return true;
}

// For a packet of `session` that travels in `direction`, when known_next_hop() said no: asks the
// routes for the flow's destination as it is behind the translation.
[[nodiscard]] NextHopAnswer find_next_hop(Session& session, Direction direction,
                                          WorkerContext& context) noexcept;

// Puts the packet into the queue for `neighbour` and has it asked for. None when it waits there;
// otherwise the packet stays the caller's.
[[nodiscard]] DropReason wait_for_neighbour(Packet& packet, const NeighbourKey& neighbour,
                                            WorkerContext& context) noexcept;

}  // namespace masugata::dataplane
