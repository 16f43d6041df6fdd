// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/egress/next_hop.h"

#include "dataplane/snapshot/admission.h"

namespace masugata::dataplane {
namespace {

NextHopAnswer refuse(DropReason reason) noexcept {
  NextHopAnswer answer;
  answer.reason = reason;
  return answer;
}

}  // namespace

DropReason refusal_of(RouteKind kind) noexcept {
  switch (kind) {
    case RouteKind::Blackhole:
      return DropReason::NoRouteBlackhole;
    case RouteKind::Prohibit:
      return DropReason::NoRouteProhibited;
    case RouteKind::Broadcast:
      return DropReason::BroadcastNotForwarded;
    default:
      return DropReason::NoRoute;
  }
}

NextHopAnswer find_next_hop(Session& session, Direction direction,
                            WorkerContext& context) noexcept {
  Flow& flow = session.flow(direction);
  if ((flow.flags & kFlowIntoTunnel) != 0) {
    NextHopAnswer known;
    known.outcome = NextHopOutcome::Ready;
    return known;
  }
  const Flow& other = session.flow(opposite(direction));
  const net::IpAddress& destination = other.key.source;
  Route route = context.forwarding->lookup(destination, net::symmetric_flow_hash(other.key));
  admission::keep_inside(context.snapshot(), route);
  NextHopAnswer answer;
  if (route.kind == RouteKind::Local) {
    answer.outcome = NextHopOutcome::Local;
    return answer;
  }
  if (route.kind != RouteKind::Connected && route.kind != RouteKind::Gateway) {
    return refuse(refusal_of(route.kind));
  }
  if (route.interface >= context.configuration->interfaces.size()) {
    return refuse(DropReason::EgressNoZone);
  }
  if (static_cast<uint8_t>(context.configuration->interfaces[route.interface].zone) != other.zone) {
    return refuse(DropReason::RouteZoneChanged);
  }
  if (context.configuration->interfaces[route.interface].tunnel) {
    // Behind a tunnel there is nobody to ask for. known_next_hop() says no to it each time.
    flow.egress_interface = route.interface;
    flow.flags |= kFlowIntoTunnel;
    answer.outcome = NextHopOutcome::Ready;
    return answer;
  }
  const net::IpAddress& next_hop = route.next_hop(destination);
  const NeighbourIndex index = context.forwarding->neighbours().find(route.interface, next_hop);
  flow.egress_interface = route.interface;
  if (index != kNoNeighbour && context.forwarding->neighbours().read(index, answer.mac)) {
    flow.next_hop = index;
    flow.flags |= kFlowRouteResolved;
    context.forwarding->neighbours().mark_used(index);
    answer.outcome = NextHopOutcome::Ready;
    return answer;
  }
  answer.outcome = NextHopOutcome::Unknown;
  answer.neighbour = NeighbourKey{next_hop, route.interface};
  return answer;
}

DropReason wait_for_neighbour(Packet& packet, const NeighbourKey& neighbour,
                              WorkerContext& context) noexcept {
  using Admission = ResolveQueue<HeldPacket>::Admission;
  if (packet.session != nullptr) {
    const SessionHandle handle = context.sessions->handle_of(*packet.session);
    packet.held_session_index = handle.index;
    packet.held_session_serial = handle.serial;
  }
  HeldPacket held(packet);
  const Admission admission = context.waiting.push(neighbour, held, context.now_ms);
  if (admission == Admission::QueuedFirst) {
    // A full ring is no loss: the queue asks again after its retry time.
    (void)context.resolve_requests.push(neighbour);
  }
  if (admission == Admission::Queued || admission == Admission::QueuedFirst) {
    return DropReason::None;
  }
  held.release();
  return DropReason::NeighbourQueueFull;
}

}  // namespace masugata::dataplane
