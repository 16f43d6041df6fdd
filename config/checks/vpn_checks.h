// SPDX-License-Identifier: GPL-2.0-or-later
// What must hold for a site and among sites. Internal to config.
#pragma once

#include "config/reading/context.h"

namespace masugata::config::checks {

// What a site says must go together: families of both ends, identities that tell it apart, a
// closed network that is one. `node` is its statement.
void check_site(reading::Context& context, schema::DataNode node, const VpnSite& site);

// Errors: two sites that charon could not tell apart, two closed networks over one interface.
// `nodes` is parallel to Model::vpn.sites. O(n).
void check_sites_are_apart(reading::Context& context, const std::vector<schema::DataNode>& nodes);

}  // namespace masugata::config::checks
