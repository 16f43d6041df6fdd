// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "dataplane/gateway/state/show_policy.h"
#include "dataplane/gateway/state/texts.h"

namespace masugata::dataplane {
namespace {

control::SessionRecord record_of(const Session& session, uint32_t worker, uint32_t now_ms,
                                 const RunningConfiguration& configuration) {
  const Snapshot& snapshot = *configuration.snapshot;
  const SessionPlace place = place_of(session, configuration);
  const Flow& original = session.flow(Direction::Original);
  // The client's packets as they leave are the answers turned round.
  const net::FlowKey translated = session.flow(Direction::Reply).key.reversed();
  control::SessionRecord record;
  record.worker = worker;
  record.protocol = original.key.protocol;
  record.source = source_of(original.key);
  record.destination = destination_of(original.key);
  record.translated_source = source_of(translated);
  record.translated_destination = destination_of(translated);
  record.from_zone = zone_text(snapshot, place.from_zone);
  record.to_zone = zone_text(snapshot, place.to_zone);
  if ((original.flags & kFlowFromKernel) == 0) {
    record.ingress_interface = interface_text(snapshot, session.record.ingress_interface);
  }
  record.egress_interface = interface_text(snapshot, original.egress_interface);
  if (place.rule != kNone32) record.rule = ConfigurationManager::rule_title(snapshot, place.rule);
  record.state = state_text(session.state);
  if (session.record.application != kApplicationNotKnown) {
    record.application = config::application_name(session.record.application);
    if (session.record.application_carrier != config::kUnknownApplication) {
      record.carrier = config::application_name(session.record.application_carrier);
    }
  }
  record.age_seconds = (now_ms - session.record.created_ms) / 1000;
  const uint32_t idle_ms = session.idle_ms(now_ms);
  record.expires_seconds = idle_ms < session.timeout_ms ? (session.timeout_ms - idle_ms) / 1000 : 0;
  record.packets_original = session.packets(Direction::Original);
  record.bytes_original = session.bytes(Direction::Original);
  record.packets_reply = session.packets(Direction::Reply);
  record.bytes_reply = session.bytes(Direction::Reply);
  return record;
}

}  // namespace

Result<SessionQuestion> session_question(const control::SessionFilter& filter,
                                         const Snapshot& snapshot) {
  SessionQuestion question;
  SessionQueryFilter& wanted = question.filter;
  wanted.match_source = filter.source.has_value();
  wanted.source = filter.source.value_or(net::AddressRange{});
  wanted.match_destination = filter.destination.has_value();
  wanted.destination = filter.destination.value_or(net::AddressRange{});
  wanted.match_protocol = filter.protocol.has_value();
  wanted.protocol = filter.protocol.value_or(net::Protocol::HopByHop);
  wanted.source_port = filter.source_port.value_or(0);
  wanted.destination_port = filter.destination_port.value_or(0);
  if (!filter.zone.empty()) {
    const auto zone = zone_named(snapshot, filter.zone);
    if (!zone) return tl::unexpected(zone.error());
    wanted.zone = *zone;
  }
  if (!filter.interface.empty()) {
    const auto interface = interface_named(snapshot, filter.interface);
    if (!interface) return tl::unexpected(interface.error());
    wanted.interface = *interface;
  }
  if (!filter.rule.empty()) {
    auto rules = rules_named(snapshot, filter.rule);
    if (!rules) return tl::unexpected(rules.error());
    wanted.rules = std::move(*rules);
  }
  if (!filter.state.empty()) {
    const auto states = states_named(filter.state);
    if (!states) return tl::unexpected(states.error());
    wanted.states = *states;
  }
  if (!filter.application.empty()) {
    const auto application = application_named(filter.application);
    if (!application) return tl::unexpected(application.error());
    wanted.application = *application;
  }
  question.copies = filter.limit;
  return question;
}

control::SessionList session_list(const SessionAnswer& answer, uint32_t limit, uint64_t bound) {
  control::SessionList list;
  list.bound = bound;
  for (uint32_t worker = 0; worker < answer.workers.size(); ++worker) {
    const SessionQuery& query = *answer.workers[worker];
    list.matched += query.matched;
    list.in_table += query.in_table;
    for (const Session& session : query.found) {
      if (list.sessions.size() == limit) break;
      list.sessions.push_back(record_of(session, worker, query.now_ms, *answer.configuration));
    }
  }
  return list;
}

}  // namespace masugata::dataplane
