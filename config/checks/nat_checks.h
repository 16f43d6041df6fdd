// SPDX-License-Identifier: GPL-2.0-or-later
// What must hold between the two sides of a translation. Internal to config.
#pragma once

#include <cstdint>
#include <vector>

#include "config/reading/context.h"

namespace masugata::config::checks {

// Number of addresses, UINT64_MAX when there are more.
[[nodiscard]] uint64_t address_count(const net::AddressRange& range);

// Errors: conditions that only IPv6 can meet on a rule that translates IPv4.
void check_source_nat_families(reading::Context& context, schema::DataNode node,
                               const SourceNatRule& rule);

// Errors: not IPv4, or the two sides hold different numbers of addresses or ports.
void check_destination_nat(reading::Context& context, schema::DataNode node,
                           const DestinationNatRule& rule);

// Errors: two pools that share addresses and ports would give one outside to two sessions.
void check_pools_are_apart(reading::Context& context);

// Errors: not IPv4, sides of different size, addresses that two rules translate.
class StaticNatCheck {
 public:
  explicit StaticNatCheck(reading::Context& context) : context_(context) {}
  void add(schema::DataNode node, const StaticNatRule& rule);
  void finish();

 private:
  struct Side {
    net::AddressRange range;
    schema::DataNode node;
    ZoneIndex zone;
  };
  void check_apart(std::vector<Side>& sides, const char* leaf);

  reading::Context& context_;
  std::vector<Side> external_;
  std::vector<Side> internal_;
};

}  // namespace masugata::config::checks
