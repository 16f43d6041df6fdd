// SPDX-License-Identifier: GPL-2.0-or-later
// Routes that follow from the sites of the VPN: what lies behind a tunnel goes into it.
#pragma once

#include <vector>

#include "config/model.h"
#include "net/address.h"

namespace masugata::dataplane {

// The fewest prefixes that together are the range, in order.
[[nodiscard]] std::vector<net::Prefix> prefixes_of(const net::AddressRange& range);

// For each remote network of an enabled site a route into its tunnel, except where the model has a
// route to the same destination, and except for everything (/0): the peer itself must stay
// reachable outside of the tunnel.
[[nodiscard]] std::vector<config::StaticRoute> routes_to_sites(const config::Model& model);

}  // namespace masugata::dataplane
