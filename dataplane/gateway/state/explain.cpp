// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/explain.h"

#include <fmt/format.h>

#include "dataplane/control/records_json.h"
#include "dataplane/gateway/configuration_manager.h"
#include "dataplane/gateway/state/explain_steps.h"
#include "dataplane/gateway/state/texts.h"

namespace masugata::dataplane {
namespace {

using control::ExplainRequest;
using control::Explanation;

constexpr uint8_t kEchoRequest = 8;
constexpr uint8_t kEchoRequest6 = 128;

// As if no session were there.
struct EveryPortFree {
  [[nodiscard]] bool is_free(const net::FlowKey&) const noexcept { return true; }
};

Result<PacketFacts> facts_of(const ExplainRequest& request) {
  const bool ipv4 = request.source.address.is_v4();
  if (ipv4 != request.destination.address.is_v4()) {
    return failure("explain", "source and destination are of different families");
  }
  PacketFacts facts;
  facts.key.source = request.source.address;
  facts.key.destination = request.destination.address;
  facts.key.protocol = request.protocol;
  switch (request.protocol) {
    case net::Protocol::Tcp:
    case net::Protocol::Udp:
    case net::Protocol::Sctp:
      facts.has_ports = true;
      facts.key.source_port = net::Be16::from_host(request.source.port);
      facts.key.destination_port = net::Be16::from_host(request.destination.port);
      if (request.destination.port == 0) {
        return failure("explain", fmt::format("{} needs a destination port",
                                              control::protocol_name(request.protocol)));
      }
      break;
    case net::Protocol::Icmp:
    case net::Protocol::Icmpv6:
      if (ipv4 != (request.protocol == net::Protocol::Icmp)) {
        return failure("explain", ipv4 ? "ICMPv6 goes between IPv6 addresses"
                                       : "ICMP goes between IPv4 addresses; use icmpv6");
      }
      facts.has_ports = true;
      facts.icmp_type = ipv4 ? kEchoRequest : kEchoRequest6;
      facts.key.source_port = net::Be16::from_host(request.source.port);
      facts.key.destination_port = facts.key.source_port;
      break;
    default:
      break;
  }
  if (!request.application.empty() || !request.domain.empty()) {
    facts.content.known = true;
    facts.content.host = request.domain;
  }
  if (!request.application.empty()) {
    const auto application = application_named(request.application);
    if (!application) return tl::unexpected(application.error());
    facts.content.application = *application;
  }
  return facts;
}

Result<AdmissionOrigin> origin_in_zone(const ExplainRequest& request, const Route& back,
                                       const Snapshot& snapshot) {
  const auto zone = zone_named(snapshot, request.from_zone);
  if (!zone) return tl::unexpected(zone.error());
  if (*zone == config::kSelfZone) return AdmissionOrigin{kNoInterface, true};
  // The interface towards the source, when the zone has it.
  if (back.interface < snapshot.interfaces.size() &&
      snapshot.interfaces[back.interface].zone == *zone) {
    return AdmissionOrigin{back.interface, false};
  }
  for (InterfaceIndex index = 0; index < snapshot.interfaces.size(); ++index) {
    if (snapshot.interfaces[index].zone == *zone) return AdmissionOrigin{index, false};
  }
  return failure("zone " + request.from_zone, "has no interface that a packet could come in by");
}

Result<AdmissionOrigin> origin_of(const ExplainRequest& request, const net::FlowKey& key,
                                  const ExplainInputs& inputs) {
  const Snapshot& snapshot = *inputs.configuration.snapshot;
  if (!request.interface.empty()) {
    const auto interface = interface_named(snapshot, request.interface);
    if (!interface) return tl::unexpected(interface.error());
    return AdmissionOrigin{*interface, false};
  }
  const Route& back = inputs.forwarding.view().lookup(key.source, net::symmetric_flow_hash(key));
  if (!request.from_zone.empty()) return origin_in_zone(request, back, snapshot);
  if (back.kind == RouteKind::Local) return AdmissionOrigin{kNoInterface, true};
  if (back.kind == RouteKind::Connected || back.kind == RouteKind::Gateway) {
    return AdmissionOrigin{back.interface, false};
  }
  return failure(key.source.to_string(),
                 "no route leads there: say `from-zone` or `interface` where it comes from");
}

void fill_names(Explanation& explanation, const AdmissionStory& story) {
  const Snapshot& snapshot = *story.inputs.configuration.snapshot;
  const AdmissionResult& result = story.result;
  if (!story.origin.from_self) {
    explanation.ingress_interface = interface_text(snapshot, story.origin.interface);
  }
  if (result.from_zone != kNoZone) explanation.from_zone = zone_text(snapshot, result.from_zone);
  if (story.trace.reached < AdmissionStep::Route) return;
  explanation.route = chosen_route_text(story);
  if (!result.to_self) {
    explanation.egress_interface = interface_text(snapshot, result.route.interface);
  }
  if (result.to_zone != kNoZone) explanation.to_zone = zone_text(snapshot, result.to_zone);
  if (story.trace.reached < AdmissionStep::Policy) return;
  explanation.rule = ConfigurationManager::rule_title(snapshot, result.policy.rule);
  const auto& profiles = snapshot.policy->inspection_profiles();
  if (result.policy.inspection < profiles.size()) {
    explanation.ips = profiles[result.policy.inspection].ips;
    explanation.av = profiles[result.policy.inspection].av;
  }
}

void fill_translation(Explanation& explanation, const AdmissionStory& story) {
  const auto& rules = story.inputs.configuration.snapshot->nat->rules();
  const AdmissionResult& result = story.result;
  if (result.destination_rule != kNoNatRule) {
    explanation.destination_nat = rules[result.destination_rule].name;
  }
  if (result.source_rule != kNoNatRule) explanation.source_nat = rules[result.source_rule].name;
  // As far as it has come.
  net::FlowKey leaves = story.facts.key;
  if (story.trace.reached >= AdmissionStep::Route) leaves = story.trace.routed;
  if (story.trace.reached == AdmissionStep::Done) leaves = story.trace.translated;
  explanation.translated_source = source_of(leaves);
  // An echo identifier that nobody asked about.
  if (kind_of(leaves.protocol) == SessionKind::Icmp) explanation.translated_source.port = 0;
  explanation.translated_destination = destination_of(leaves);
}

std::string verdict_text(const AdmissionResult& result, DropReason refusal) {
  if (result.verdict == AdmissionVerdict::Reject) return "reject";
  if (refusal == DropReason::None) return "permit";
  const bool by_policy =
      refusal == DropReason::PolicyDenied || refusal == DropReason::PolicyDefaultDenied;
  return by_policy ? "deny" : "drop";
}

}  // namespace

Result<Explanation> explain_connection(const ExplainRequest& request, const ExplainInputs& inputs) {
  auto facts = facts_of(request);
  if (!facts) return tl::unexpected(facts.error());
  const auto origin = origin_of(request, facts->key, inputs);
  if (!origin) return tl::unexpected(origin.error());
  const ForwardingView& view = inputs.forwarding.view();
  if (!origin->from_self) {
    // Rules may name the sender's MAC: its neighbour entry knows it when it sits on the link.
    const NeighbourIndex index = view.neighbours().find(origin->interface, facts->key.source);
    if (index != kNoNeighbour) (void)view.neighbours().read(index, facts->source_mac);
  }
  EveryPortFree probe;
  AdmissionTrace trace;
  const AdmissionResult result =
      admit(*inputs.configuration.snapshot, view, *facts, *origin, inputs.secret, probe, &trace);
  const AdmissionStory story{inputs, *facts, *origin, result, trace};
  Explanation explanation;
  explanation.steps = admission_steps(story);
  DropReason refusal = result.reason;
  if (result.verdict == AdmissionVerdict::Permit) {
    const auto behind = forwarding_steps(story, refusal);
    explanation.steps.insert(explanation.steps.end(), behind.begin(), behind.end());
  }
  explanation.permitted = refusal == DropReason::None;
  explanation.verdict = verdict_text(result, refusal);
  if (refusal != DropReason::None) {
    const DropReasonText& text = kDropReasonTexts[static_cast<size_t>(refusal)];
    explanation.drop_reason = std::string(text.name);
    explanation.drop_explanation = std::string(text.explanation);
  }
  fill_names(explanation, story);
  fill_translation(explanation, story);
  return explanation;
}

}  // namespace masugata::dataplane
