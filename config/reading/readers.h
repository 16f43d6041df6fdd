// SPDX-License-Identifier: GPL-2.0-or-later
// One reader per subject: data tree -> its part of the Model. Each resolves names, checks what
// YANG cannot say and reports every finding to the Context. Called in this order, since later
// subjects refer to names of earlier ones. Internal to config.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "config/reading/context.h"

namespace masugata::config::reading {

void read_system(Context& context);
void read_sessions(Context& context);
void read_interfaces(Context& context);
// The interfaces of VPN sites; after those of ports.
void read_tunnels(Context& context);
void read_routes(Context& context);
void read_address_sets(Context& context);
void read_services(Context& context);
void read_schedules(Context& context);
void read_domain_sets(Context& context);
void read_zones(Context& context);
void read_ips(Context& context);
void read_antivirus(Context& context);
void read_vpn(Context& context);
void read_policy(Context& context);
void read_nat(Context& context);
// Warnings about definitions that nothing refers to; after all others.
void report_unused(Context& context);

// Pieces that several subjects use.

// The `address` statements below `parent`, or those of another name: any, literals and set names,
// in order; empty = any. nullopt after an error: an empty result would mean "any".
[[nodiscard]] std::optional<std::vector<net::AddressRange>> read_addresses(
    Context& context, DataNode parent, std::string_view statement = "address");

// "32M" in bytes; the schema has checked its shape. Below `least` or above `most` is an error.
// Without a leaf: `otherwise`.
[[nodiscard]] uint64_t read_size(Context& context, DataNode leaf, uint64_t otherwise,
                                 uint64_t least, uint64_t most);

// What a rule or a service says about the protocol in `fields` (protocol, icmp-type, icmp-code)
// and in port statements: every combination is one match. Empty = any protocol; nullopt after an
// error.
struct ServiceStatements {
  DataNode fields;           // parent of protocol, icmp-type, icmp-code
  DataNode::Siblings ports;  // destination ports
  DataNode::Siblings source_ports;
};
[[nodiscard]] std::optional<std::vector<ServiceMatch>> read_service_match(
    Context& context, const ServiceStatements& statements);

// What a rule says about applications, categories and domains; false after an error.
bool read_applications_of_rule(Context& context, DataNode node, PolicyRule& rule);

// A zone by name, `any` and `self` included; nullopt after an error.
[[nodiscard]] std::optional<ZoneIndex> read_zone(Context& context, DataNode leaf);

// Sorted, overlapping and adjacent ranges of one family merged.
void merge_ranges(std::vector<net::AddressRange>& ranges);

}  // namespace masugata::config::reading
