// SPDX-License-Identifier: GPL-2.0-or-later
// What numbers of the dataplane are called: zones, interfaces, rules, addresses, services.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/model.h"
#include "dataplane/control/gateway_records.h"
#include "dataplane/forwarding/publisher.h"
#include "dataplane/pipeline/running_configuration.h"
#include "dataplane/session/session.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

// "any" for config::kAnyZone, "" for numbers that name nothing.
[[nodiscard]] std::string zone_text(const Snapshot& snapshot, config::ZoneIndex zone);
[[nodiscard]] std::string interface_text(const Snapshot& snapshot, InterfaceIndex interface);

// "10.0.1.0/24, 192.0.2.7"; "any" when empty; "and 3 more" behind the fourth.
[[nodiscard]] std::string ranges_text(const std::vector<net::AddressRange>& ranges);
// "tcp/80,443; icmp type 8"; "any" when empty.
[[nodiscard]] std::string services_text(const std::vector<config::ServiceMatch>& services);
// "80", "1000-2000".
[[nodiscard]] std::string ports_text(const config::PortRange& ports);
[[nodiscard]] std::string endpoint_text(const control::Endpoint& endpoint);

// The ends of a flow, without a port where the protocol has none; ICMP: the identifier at its
// source only.
[[nodiscard]] control::Endpoint source_of(const net::FlowKey& key);
[[nodiscard]] control::Endpoint destination_of(const net::FlowKey& key);

// "established" for TcpEstablished, "replied" for UdpReplied: without the protocol.
[[nodiscard]] std::string state_text(ProtocolState state);
// The states that `text` means, a bit each: with or without protocol. Fault: there is none; it
// lists those that there are.
[[nodiscard]] Result<uint32_t> states_named(const std::string& text);
// Fault: there is none of that name; it lists near ones.
[[nodiscard]] Result<config::ApplicationId> application_named(const std::string& text);

// "0.0.0.0/0 via 203.0.113.1 on wan0", "10.0.1.0/24 connected on lan0", "no route".
[[nodiscard]] std::string route_text(const Route& route, const std::optional<net::Prefix>& prefix,
                                     const Snapshot& snapshot);
// The longest known prefix that holds `address`.
[[nodiscard]] std::optional<net::Prefix> prefix_for(const ForwardingPublisher& forwarding,
                                                    const net::IpAddress& address);
[[nodiscard]] std::string neighbour_state_text(NeighbourState state);

// Faults name what is not known and what there is.
[[nodiscard]] Result<config::ZoneIndex> zone_named(const Snapshot& snapshot,
                                                   const std::string& name);
[[nodiscard]] Result<InterfaceIndex> interface_named(const Snapshot& snapshot,
                                                     const std::string& name);
// By RuleId: the rules that are called `name`, either alone or with their section.
[[nodiscard]] Result<std::vector<bool>> rules_named(const Snapshot& snapshot,
                                                    const std::string& name);

// Local time, "2026-12-01 18:00"; empty for nothing.
[[nodiscard]] std::string until_text(const std::optional<std::chrono::sys_seconds>& until);

}  // namespace masugata::dataplane
