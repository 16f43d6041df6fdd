// SPDX-License-Identifier: GPL-2.0-or-later
// The body of admit(); included by admission.h only. A template because workers look up routes in
// a ForwardingView and ports in their session table, and tests in tables of their own.
#pragma once

#include "dataplane/snapshot/admission.h"

namespace masugata::dataplane {

namespace admission {

// What the steps hand on to each other.
template <RouteSource Routes, PortProbe Probe>
struct Run {
  const Snapshot& snapshot;
  const Routes& routes;
  const AdmissionOrigin& origin;
  const net::HashSecret& secret;
  Probe& probe;
  AdmissionTrace* trace;
  PacketFacts routed;  // facts with the translated destination
  DestinationTranslation destination;
  AdmissionResult result;

  [[nodiscard]] bool refuse(DropReason reason) noexcept {
    result.verdict = AdmissionVerdict::Drop;
    result.reason = reason;
    return false;
  }
  void reached(AdmissionStep step) noexcept {
    if (trace != nullptr) trace->reached = step;
  }

  [[nodiscard]] bool check_source() noexcept {
    reached(AdmissionStep::SourceCheck);
    const net::FlowKey& key = routed.key;
    const DropReason address_reason = check_addresses(key, origin.from_self);
    if (origin.from_self) {
      result.from_zone = config::kSelfZone;
      return address_reason == DropReason::None || refuse(address_reason);
    }
    if (origin.interface >= snapshot.interfaces.size())
      return refuse(DropReason::InterfaceDisabled);
    const SnapshotInterface& ingress = snapshot.interfaces[origin.interface];
    if (ingress.zone == kNoZone || !ingress.enabled) return refuse(DropReason::InterfaceDisabled);
    result.from_zone = ingress.zone;
    if (address_reason != DropReason::None) return refuse(address_reason);
    const config::AntiSpoofing mode = snapshot.zones[ingress.zone].anti_spoofing;
    const bool exempt = is_exempt_from_reverse_path(key.source);
    if (trace != nullptr) {
      trace->anti_spoofing = mode;
      trace->source_exempt = exempt;
    }
    if (exempt || mode == config::AntiSpoofing::Off) return true;
    // Its SA is for no other source, to whom routes lead by the interface below.
    if (protector_of(snapshot, key, key.source) == origin.interface) return true;
    Route back = routes.lookup(key.source, net::symmetric_flow_hash(key));
    // Senders in the Internet reach a closed network through its tunnel.
    if (!is_closed(snapshot, origin.interface)) keep_inside(snapshot, back);
    if (trace != nullptr) trace->source_route = back;
    return passes_reverse_path(snapshot, mode, ingress.zone, back) || refuse(DropReason::Spoofed);
  }

  void translate_destination() noexcept {
    reached(AdmissionStep::DestinationNat);
    destination.port = routed.key.destination_port;
    if (!origin.from_self) {
      destination = snapshot.nat->translate_destination(result.from_zone, routed);
    }
    result.destination_rule = destination.rule;
    if (destination.translated) {
      routed.key.destination = destination.address;
      routed.key.destination_port = destination.port;
    }
    if (trace != nullptr) {
      trace->destination = destination;
      trace->routed = routed.key;
    }
  }

  // What the gateway itself sends to a protected peer goes by its site, whatever the route below.
  void protect(Route& route) noexcept {
    result.protector = protector_of(snapshot, routed.key, routed.key.destination);
    if (result.protector != kNoInterface) route = {RouteKind::Connected, result.protector, {}};
  }
  // False: what comes to the gateway itself should have been encrypted (RFC 4301 section 5.2).
  // Groups are nobody's address, and no SA is for them.
  [[nodiscard]] bool judge_protection() noexcept {
    if (origin.from_self || !result.to_self || is_group(routed.key.destination)) return true;
    result.protector = protector_of(snapshot, routed.key, routed.key.source);
    return result.protector == kNoInterface || result.protector == origin.interface;
  }

  [[nodiscard]] bool find_route() noexcept {
    reached(AdmissionStep::Route);
    if (!origin.from_self && is_group(routed.key.destination)) {
      result.route = Route{RouteKind::Local, origin.interface, {}};
    } else {
      result.route = routes.lookup(routed.key.destination, net::symmetric_flow_hash(routed.key));
      if (origin.from_self) {
        protect(result.route);
      } else {
        keep_inside(snapshot, result.route);
      }
    }
    if (trace != nullptr) trace->route = result.route;
    const DropReason reason = judge_route(snapshot, result.route, result.to_zone, result.to_self);
    if (reason != DropReason::None) return refuse(reason);
    if (!judge_protection()) return refuse(DropReason::IpsecInClear);
    // Link-local addresses mean something on their own link only (RFC 4291 2.5.6, RFC 3927 2.7).
    const bool leaves_link = !result.to_self && !origin.from_self;
    if (!leaves_link) return true;
    if (is_closed(snapshot, origin.interface)) return refuse(DropReason::ClosedNetwork);
    if (routed.key.source.is_link_local()) return refuse(DropReason::MartianSource);
    return !routed.key.destination.is_link_local() || refuse(DropReason::MartianDestination);
  }

  [[nodiscard]] bool translate_source(const net::FlowKey& original) noexcept {
    reached(AdmissionStep::SourceNat);
    const SourceDecision decision = decide_source(snapshot, routed, destination, result);
    result.source_rule = decision.plan.rule;
    result.hairpin = decision.hairpin;
    if (trace != nullptr) trace->source = decision.plan;
    if (decision.untranslatable) return refuse(DropReason::NatUntranslatable);
    net::FlowKey forward = routed.key;
    const DropReason reason = choose_source(decision.plan, forward);
    if (reason != DropReason::None) return refuse(reason);
    write_keys(original, forward, result);
    if (trace != nullptr) trace->translated = forward;
    return true;
  }

  [[nodiscard]] DropReason choose_source(const SourceTranslationPlan& plan,
                                         net::FlowKey& forward) noexcept {
    const bool translatable = has_translatable_ports(forward, routed.has_ports);
    bool found = true;
    switch (plan.kind) {
      case SourceTranslationKind::None:
        break;
      case SourceTranslationKind::Static:
        forward.source = plan.address;
        break;
      case SourceTranslationKind::Pool:
        found =
            allocate_from_pool(forward, snapshot.nat->pool(plan.pool), translatable, secret, probe);
        break;
      case SourceTranslationKind::Interface: {
        const net::IpAddress& next_hop = result.route.next_hop(forward.destination);
        const bool same_family = next_hop.family() == forward.family();
        const auto address = snapshot.interfaces[result.route.interface].address_towards(
            same_family ? next_hop : forward.destination);
        if (!address) return DropReason::NatUntranslatable;
        found = allocate_source(forward, *address, config::PortRange{}, kInterfacePorts,
                                translatable, true, secret, probe);
        break;
      }
    }
    return found ? DropReason::None : DropReason::NatPortsExhausted;
  }
};

}  // namespace admission

template <RouteSource Routes, PortProbe Probe>
AdmissionResult admit(const Snapshot& snapshot, const Routes& routes, const PacketFacts& facts,
                      const AdmissionOrigin& origin, const net::HashSecret& secret, Probe& probe,
                      AdmissionTrace* trace) noexcept {
  admission::Run<Routes, Probe> run{snapshot, routes, origin, secret, probe, trace, facts, {}, {}};
  run.result.original = facts.key;
  if (!run.check_source()) return run.result;
  run.translate_destination();
  if (!run.find_route()) return run.result;
  run.reached(AdmissionStep::Policy);
  if (!admission::apply_policy(snapshot, run.routed, run.result)) {
    if (run.result.reason == DropReason::PolicyDefaultDenied && !origin.from_self &&
        admission::is_group(run.routed.key.destination)) {
      run.result.reason = admission::refusal_of_group(run.routed.key.destination);
    }
    return run.result;
  }
  if (!run.translate_source(facts.key)) return run.result;
  run.reached(AdmissionStep::Done);
  run.result.verdict = AdmissionVerdict::Permit;
  run.result.reason = DropReason::None;
  return run.result;
}

}  // namespace masugata::dataplane
