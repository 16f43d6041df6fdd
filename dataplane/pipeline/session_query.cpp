// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/pipeline/session_query.h"

namespace masugata::dataplane {

namespace {

constexpr uint32_t kEpochBits = 12;
constexpr uint32_t kEpochMask = (1U << kEpochBits) - 1;

// Were the rules and zones of this session's time numbered as they are now?
bool is_numbered_as_now(const Session& session,
                        const RunningConfiguration& configuration) noexcept {
  const uint32_t admitted = session.snapshot_generation >> (32U - kEpochBits);
  const uint32_t age_limit = (configuration.epoch - configuration.numbering_epoch) & kEpochMask;
  return ((admitted - configuration.numbering_epoch) & kEpochMask) <= age_limit;
}

uint16_t zone_of_interface(uint16_t interface, const RunningConfiguration& configuration) noexcept {
  return interface < configuration.interfaces.size() ? configuration.interfaces[interface].zone
                                                     : kNoZone;
}

bool is_source_translated(const net::FlowKey& original, const net::FlowKey& reply) noexcept {
  return original.source != reply.destination ||
         original.source_port.raw != reply.destination_port.raw;
}

}  // namespace

SessionPlace place_of(const Session& session, const RunningConfiguration& configuration) noexcept {
  const SessionRecord& record = session.record;
  if (is_numbered_as_now(session, configuration)) {
    return {record.ingress_zone, record.egress_zone, record.policy_rule};
  }
  const Flow& flow = session.flow(Direction::Original);
  SessionPlace place;
  place.from_zone = (flow.flags & kFlowFromKernel) != 0
                        ? config::kSelfZone
                        : zone_of_interface(record.ingress_interface, configuration);
  place.to_zone = (flow.flags & kFlowLocal) != 0
                      ? config::kSelfZone
                      : zone_of_interface(flow.egress_interface, configuration);
  return place;
}

void SessionQuery::visit(const Session& session,
                         const RunningConfiguration& configuration) noexcept {
  const SessionPlace place = place_of(session, configuration);
  if (place.from_zone < kZones) {
    ++per_zone_from[place.from_zone];
    if (is_half_open(session.state)) ++half_open_from[place.from_zone];
  }
  if (place.to_zone < kZones) ++per_zone_to[place.to_zone];
  if (place.rule < per_rule.size()) ++per_rule[place.rule];
  const net::FlowKey& original = session.flow(Direction::Original).key;
  const net::FlowKey& reply = session.flow(Direction::Reply).key;
  if (is_source_translated(original, reply)) {
    for (size_t i = 0; i < translated.size(); ++i) {
      if (translated[i].contains(reply.destination)) ++per_translated[i];
    }
  }
  if (!filter.matches(session, place)) return;
  ++matched;
  if (found.size() < found.capacity()) found.push_back(session);
}

bool SessionQueryFilter::matches(const Session& session, const SessionPlace& place) const noexcept {
  const net::FlowKey& original = session.flow(Direction::Original).key;
  const net::FlowKey& reply = session.flow(Direction::Reply).key;
  const auto has_address = [](const net::AddressRange& range, const net::IpAddress& before,
                              const net::IpAddress& after) noexcept {
    return range.contains(before) || range.contains(after);
  };
  const auto has_port = [](uint16_t port, net::Be16 before, net::Be16 after) noexcept {
    return port == 0 || before.host() == port || after.host() == port;
  };
  if (match_source && !has_address(source, original.source, reply.destination)) return false;
  if (match_destination && !has_address(destination, original.destination, reply.source)) {
    return false;
  }
  if (match_protocol && original.protocol != protocol) return false;
  if (!has_port(source_port, original.source_port, reply.destination_port)) return false;
  if (!has_port(destination_port, original.destination_port, reply.source_port)) return false;
  if (zone != 0xffff && place.from_zone != zone && place.to_zone != zone) return false;
  if (interface != 0xffff && session.record.ingress_interface != interface &&
      session.flow(Direction::Original).egress_interface != interface) {
    return false;
  }
  if (application != 0xffff && session.record.application != application &&
      session.record.application_carrier != application) {
    return false;
  }
  if (!rules.empty() && (place.rule >= rules.size() || !rules[place.rule])) return false;
  return states == 0 || ((states >> static_cast<uint32_t>(session.state)) & 1U) != 0;
}

}  // namespace masugata::dataplane
