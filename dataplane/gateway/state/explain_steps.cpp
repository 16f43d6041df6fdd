// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/explain_steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "dataplane/gateway/state/texts.h"

namespace masugata::dataplane {
namespace {

using control::ExplanationStep;

const Snapshot& snapshot_of(const AdmissionStory& story) {
  return *story.inputs.configuration.snapshot;
}

std::string refusal_text(DropReason reason) {
  const DropReasonText& text = kDropReasonTexts[static_cast<size_t>(reason)];
  return fmt::format("{}: {}", text.name, text.explanation);
}

// Did admission end at this step?
bool ended_at(const AdmissionStory& story, AdmissionStep step) {
  return story.result.verdict != AdmissionVerdict::Permit && story.trace.reached == step;
}

ExplanationStep ingress_step(const AdmissionStory& story) {
  if (story.origin.from_self) return {"ingress", "sent by the gateway itself (zone self)", true};
  const Snapshot& snapshot = snapshot_of(story);
  const SnapshotInterface& interface = snapshot.interfaces[story.origin.interface];
  if (story.result.reason == DropReason::InterfaceDisabled) {
    return {
        "ingress",
        fmt::format("{} {}", interface.name, interface.enabled ? "is in no zone" : "is disabled"),
        false};
  }
  return {"ingress",
          fmt::format("comes in by {} (zone {})", interface.name,
                      zone_text(snapshot, story.result.from_zone)),
          true};
}

ExplanationStep source_step(const AdmissionStory& story) {
  const std::string source = story.facts.key.source.to_string();
  if (ended_at(story, AdmissionStep::SourceCheck) && story.result.reason != DropReason::Spoofed) {
    return {"addresses", refusal_text(story.result.reason), false};
  }
  const Snapshot& snapshot = snapshot_of(story);
  const std::string zone = zone_text(snapshot, story.result.from_zone);
  const std::string back =
      route_text(story.trace.source_route,
                 prefix_for(story.inputs.forwarding, story.facts.key.source), snapshot);
  if (story.result.reason == DropReason::Spoofed) {
    return {
        "anti-spoofing",
        fmt::format("{} does not belong behind zone {}: back to it leads {}", source, zone, back),
        false};
  }
  if (story.trace.source_exempt) return {"anti-spoofing", source + " is link-local", true};
  if (story.trace.anti_spoofing == config::AntiSpoofing::Off) {
    return {"anti-spoofing", "off in zone " + zone, true};
  }
  return {"anti-spoofing",
          fmt::format("{} belongs behind zone {}: back to it leads {}", source, zone, back), true};
}

ExplanationStep destination_step(const AdmissionStory& story) {
  const DestinationTranslation& translation = story.trace.destination;
  if (translation.rule == kNoNatRule) return {"destination NAT", "no rule applies", true};
  const NatRuleRecord& rule = snapshot_of(story).nat->rules()[translation.rule];
  const std::string name = rule_with_line(rule.name, rule.place.line);
  if (!translation.translated) return {"destination NAT", name + " makes an exception", true};
  return {
      "destination NAT",
      fmt::format("{} translates to {}", name, endpoint_text(destination_of(story.trace.routed))),
      true};
}

ExplanationStep route_step(const AdmissionStory& story) {
  const Snapshot& snapshot = snapshot_of(story);
  const std::string text = chosen_route_text(story);
  if (ended_at(story, AdmissionStep::Route)) {
    return {"route", fmt::format("{} ({})", text, refusal_text(story.result.reason)), false};
  }
  if (story.result.to_self) return {"route", text + ": the gateway itself (zone self)", true};
  return {"route", fmt::format("{} (zone {})", text, zone_text(snapshot, story.result.to_zone)),
          true};
}

ExplanationStep policy_step(const AdmissionStory& story) {
  const Snapshot& snapshot = snapshot_of(story);
  const PolicyDecision& decision = story.result.policy;
  if (decision.rule == kDefaultDeny) {
    return {
        "policy",
        fmt::format("no rule from {} to {} matches", zone_text(snapshot, story.result.from_zone),
                    zone_text(snapshot, story.result.to_zone)),
        false};
  }
  if (decision.rule == kDefaultSelfPermit) {
    return {"policy", "no section speaks of traffic from self: permitted", true};
  }
  const RuleRecord& rule = snapshot.policy->rules()[decision.rule];
  constexpr const char* kVerbs[] = {"permits", "denies", "rejects"};
  std::string text = fmt::format("{} {}", rule_with_line(rule.name, rule.place.line),
                                 kVerbs[static_cast<size_t>(decision.action)]);
  if (decision.log) text += " and logs";
  if (decision.provisional) {
    text += ", if it carries what the rule names: say `application` or `domain`";
  } else if (decision.depends_on_content) {
    text += ", unless a rule about applications or domains decides otherwise later";
  }
  return {"policy", text, decision.action == config::Action::Permit};
}

ExplanationStep source_nat_step(const AdmissionStory& story) {
  if (ended_at(story, AdmissionStep::SourceNat)) {
    return {"source NAT", refusal_text(story.result.reason), false};
  }
  const std::string leaves = endpoint_text(source_of(story.trace.translated));
  if (story.result.source_rule == kNoNatRule) {
    return {"source NAT",
            story.result.hairpin ? "turns back (hairpin): leaves as " + leaves : "no rule applies",
            true};
  }
  const NatRuleRecord& rule = snapshot_of(story).nat->rules()[story.result.source_rule];
  const std::string name = rule_with_line(rule.name, rule.place.line);
  if (story.trace.source.kind == SourceTranslationKind::None && !story.result.hairpin) {
    return {"source NAT", name + " makes an exception", true};
  }
  return {"source NAT",
          fmt::format("{} translates to {}, or another port when that one is taken", name, leaves),
          true};
}

void add_limits(const AdmissionStory& story, std::vector<ExplanationStep>& steps) {
  std::vector<std::string> limits;
  const uint32_t sessions = story.result.policy.session_limit_per_source;
  if (sessions != 0) limits.push_back(fmt::format("{} sessions per source", sessions));
  const SnapshotZone& zone = snapshot_of(story).zones[story.result.from_zone];
  if (zone.new_sessions_per_source_per_second != 0) {
    limits.push_back(fmt::format("{} new sessions per source and second",
                                 zone.new_sessions_per_source_per_second));
  }
  const bool cookies = story.facts.key.protocol == net::Protocol::Tcp && !story.result.to_self &&
                       !story.origin.from_self && zone.syn_cookie_threshold != 0;
  if (cookies && zone.syn_cookie_threshold == 1) {
    limits.emplace_back("the SYN is answered with a cookie first");
  } else if (cookies) {
    limits.push_back(
        fmt::format("SYN cookies from {} half-open connections on", zone.syn_cookie_threshold));
  }
  if (limits.empty()) return;
  std::string text = "not asked here: ";
  for (const std::string& limit : limits) text += (&limit == &limits.front() ? "" : ", ") + limit;
  steps.push_back({"limits", text, true});
}

ExplanationStep neighbour_step(const AdmissionStory& story) {
  const net::IpAddress& address = story.result.route.next_hop(story.trace.translated.destination);
  const NeighbourTable& neighbours = story.inputs.forwarding.view().neighbours();
  const NeighbourIndex index = neighbours.find(story.result.route.interface, address);
  const std::string name = address.to_string();
  if (index == kNoNeighbour) {
    return {"next hop", name + " is not known yet: the packet waits while it is asked for", true};
  }
  net::MacAddress mac;
  const std::string state = neighbour_state_text(neighbours.state(index));
  if (neighbours.read(index, mac)) {
    return {"next hop", fmt::format("{} is at {} ({})", name, mac.to_string(), state), true};
  }
  return {"next hop", fmt::format("{} has no known MAC address ({})", name, state), true};
}

}  // namespace

std::string chosen_route_text(const AdmissionStory& story) {
  const net::IpAddress& destination = story.trace.routed.destination;
  if (admission::is_group(destination)) return destination.to_string() + " is never forwarded";
  return route_text(story.trace.route, prefix_for(story.inputs.forwarding, destination),
                    snapshot_of(story));
}

std::string rule_with_line(const std::string& name, uint32_t line) {
  return fmt::format("rule {} (line {})", name, line);
}

std::vector<ExplanationStep> admission_steps(const AdmissionStory& story) {
  std::vector<ExplanationStep> steps{ingress_step(story)};
  using Step = AdmissionStep;
  if (story.result.reason == DropReason::InterfaceDisabled) return steps;
  const bool checks_addresses_only = story.origin.from_self && !ended_at(story, Step::SourceCheck);
  if (!checks_addresses_only) steps.push_back(source_step(story));
  if (story.trace.reached < Step::DestinationNat) return steps;
  if (!story.origin.from_self) steps.push_back(destination_step(story));
  if (story.trace.reached < Step::Route) return steps;
  steps.push_back(route_step(story));
  if (story.trace.reached < Step::Policy) return steps;
  steps.push_back(policy_step(story));
  if (story.trace.reached < Step::SourceNat) return steps;
  steps.push_back(source_nat_step(story));
  return steps;
}

std::vector<ExplanationStep> forwarding_steps(const AdmissionStory& story, DropReason& refusal) {
  std::vector<ExplanationStep> steps;
  add_limits(story, steps);
  if (story.result.to_self) {
    steps.push_back({"delivery", "to the gateway's own kernel", true});
    return steps;
  }
  const InterfaceIndex index = story.result.route.interface;
  const EgressInterface& egress = story.inputs.configuration.interfaces[index];
  const std::string name = interface_text(snapshot_of(story), index);
  const bool down = egress.port == kNoPort || ((story.inputs.ports_down >> egress.port) & 1U) != 0;
  if (down) {
    refusal = DropReason::EgressDown;
    steps.push_back({"egress", "the port of " + name + " has no link", false});
    return steps;
  }
  steps.push_back(neighbour_step(story));
  return steps;
}

}  // namespace masugata::dataplane
