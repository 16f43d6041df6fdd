// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/admit/readmission.h"

#include "dataplane/applications/application_identifier.h"
#include "dataplane/inspection/inspector.h"
#include "dataplane/names/name_learner.h"
#include "dataplane/snapshot/admission.h"
#include "dataplane/stages/admit/session_builder.h"

namespace masugata::dataplane {
namespace {

void forget_next_hops(Session& session) noexcept {
  for (Flow& flow : session.flows) {
    flow.flags &= static_cast<uint8_t>(~(kFlowRouteResolved | kFlowIntoTunnel));
    flow.next_hop = kNoNextHop;
  }
}

// The opening packet as policy saw it: source before, destination after translation.
PacketFacts facts_of(const Session& session, const NameSource& names,
                     const WorkerContext& context) noexcept {
  const net::FlowKey& original = session.flow(Direction::Original).key;
  const net::FlowKey& reply = session.flow(Direction::Reply).key;
  PacketFacts facts;
  facts.key = original;
  facts.key.destination = reply.source;
  if (session.kind == SessionKind::Tcp || session.kind == SessionKind::Udp) {
    facts.key.destination_port = reply.source_port;
  }
  facts.icmp_type = session.record.icmp_type;
  facts.has_ports = session.kind != SessionKind::Other || original.source_port.raw != 0;
  // Rules may name the sender's MAC: its neighbour entry knows it when it sits on the link.
  const NeighbourTable& neighbours = context.forwarding->neighbours();
  const NeighbourIndex index = neighbours.find(session.record.ingress_interface, original.source);
  if (index != kNoNeighbour) (void)neighbours.read(index, facts.source_mac);
  facts.content =
      context.applications->contents_of(session, context.sessions->index_in_table(session));
  facts.names = &names;
  return facts;
}

void set_inspection(Session& session, uint16_t profile, WorkerContext& context) noexcept {
  // What passes uninspected from now on is missing in the stream: should inspection come back, it
  // meets a session in its middle.
  if (profile == kNoInspection && session.inspection_profile != kNoInspection) {
    context.inspector->session_ended(session, context.sessions->index_in_table(session),
                                     context.now_us, "profile");
  }
  session.inspection_profile = profile;
}

DropReason end(Session& session, EndReason reason, WorkerContext& context) noexcept {
  context.sessions->erase(session, reason);
  return DropReason::SessionEnded;
}

// Whether a session of the gateway itself is encrypted or in clear as it has to be now.
bool keeps_protection(const Session& session, const Snapshot& snapshot) noexcept {
  for (const Flow& flow : session.flows) {
    if ((flow.flags & kFlowFromKernel) == 0 || admission::is_group(flow.key.source)) continue;
    return admission::protector_of(snapshot, flow.key, flow.key.destination) ==
           flow.egress_interface;
  }
  return true;
}

bool came_through(const Session& session, const WorkerContext& context,
                  config::ZoneIndex& zone) noexcept {
  const Snapshot& snapshot = context.snapshot();
  if ((session.flow(Direction::Original).flags & kFlowFromKernel) != 0) {
    zone = config::kSelfZone;
    return true;
  }
  const InterfaceIndex interface = session.record.ingress_interface;
  if (interface >= snapshot.interfaces.size()) return false;
  zone = snapshot.interfaces[interface].zone;
  return zone != kNoZone;
}

}  // namespace

DropReason readmit(Session& session, WorkerContext& context) noexcept {
  forget_next_hops(session);
  AdmissionResult result;
  if (!came_through(session, context, result.from_zone)) {
    return end(session, EndReason::RouteLost, context);
  }
  // Names that were valid when it began count still: it has not ended with them.
  const KnownNames names(context.names->table(), context.now_s(), true);
  const PacketFacts facts = facts_of(session, names, context);
  const Flow& original = session.flow(Direction::Original);
  const Snapshot& snapshot = context.snapshot();
  if (!keeps_protection(session, snapshot)) return end(session, EndReason::RouteLost, context);
  if ((original.flags & kFlowLocal) != 0) {
    result.to_zone = config::kSelfZone;
    result.to_self = true;
  } else if ((original.flags & kFlowFromKernel) != 0) {
    result.to_zone = session.record.egress_zone;
    if (result.to_zone >= snapshot.zones.size()) {
      return end(session, EndReason::RouteLost, context);
    }
  } else {
    result.route =
        context.forwarding->lookup(facts.key.destination, net::symmetric_flow_hash(facts.key));
    if (admission::is_closed(snapshot, session.record.ingress_interface)) {
      return end(session, EndReason::PolicyDenied, context);
    }
    admission::keep_inside(snapshot, result.route);
    const DropReason refused =
        admission::judge_route(snapshot, result.route, result.to_zone, result.to_self);
    // Without a way the session waits for one: packets are dropped, the state stays.
    if (refused != DropReason::None) return refused;
  }
  const bool permitted =
      (session.flags & kSessionExpected) != 0 || admission::apply_policy(snapshot, facts, result);
  if (!permitted) return end(session, EndReason::PolicyDenied, context);
  session.flow(Direction::Original).zone = static_cast<uint8_t>(result.from_zone);
  session.flow(Direction::Reply).zone = static_cast<uint8_t>(result.to_zone);
  session.record.ingress_zone = result.from_zone;
  session.record.egress_zone = result.to_zone;
  if ((session.flags & kSessionExpected) == 0) {
    session.record.policy_rule = result.policy.rule;
    // Data of an FTP control connection stays inspected as it began, like what that permits itself.
    if (session.record.helper != kFtpDataHelper) {
      set_inspection(session, result.policy.inspection, context);
    }
    session.flags &= static_cast<uint16_t>(~(kSessionIdentify | kSessionRefused));
    if (result.policy.depends_on_content) session.flags |= kSessionIdentify;
  }
  // Rules may have other numbers now; only the control connection's rule would be known again.
  const bool reconfigured = (session.snapshot_generation ^ context.epoch) >> kRouteEpochBits != 0;
  if ((session.flags & kSessionExpected) != 0 && reconfigured) {
    session.record.policy_rule = kNone32;
  }
  note_teaching(session, snapshot);
  session.snapshot_generation = context.epoch;
  return DropReason::None;
}

DropReason readmit_by_contents(const Packet& packet, Session& session, WorkerContext& context,
                               bool& reject) noexcept {
  reject = false;
  AdmissionResult result;
  result.from_zone = session.record.ingress_zone;
  result.to_zone = session.record.egress_zone;
  const KnownNames names(context.names->table(), context.now_s(), true);
  const bool permitted =
      admission::apply_policy(context.snapshot(), facts_of(session, names, context), result);
  const bool other_rule = result.policy.rule != session.record.policy_rule;
  session.record.policy_rule = result.policy.rule;
  if (permitted) {
    set_inspection(session, result.policy.inspection, context);
    if (!other_rule) return DropReason::None;
    count_hit(context.configuration_counters().policy_rules, result.policy.rule, context.now_ms);
    if (result.policy.log) session.flags |= kSessionLog;
    return DropReason::None;
  }
  reject = result.verdict == AdmissionVerdict::Reject;
  session.flags |= kSessionRefused;
  session.flags &= static_cast<uint16_t>(~kSessionIdentify);
  context.applications->count_denied();
  result.reason = DropReason::ApplicationDenied;
  result.route.interface = session.flow(Direction::Original).egress_interface;
  note_refusal(packet, result, context);
  return result.reason;
}

}  // namespace masugata::dataplane
