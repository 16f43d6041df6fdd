// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/pipeline/session_query.h"

namespace masugata::dataplane {

bool SessionQueryFilter::matches(const Session& session) const noexcept {
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
  const SessionRecord& record = session.record;
  if (zone != 0xffff && record.ingress_zone != zone && record.egress_zone != zone) return false;
  if (interface != 0xffff && record.ingress_interface != interface &&
      session.flow(Direction::Original).egress_interface != interface) {
    return false;
  }
  if (rule != 0xffffffff && record.policy_rule != rule) return false;
  return state == ProtocolState::Free || session.state == state;
}

}  // namespace masugata::dataplane
