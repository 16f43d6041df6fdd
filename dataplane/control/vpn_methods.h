// SPDX-License-Identifier: GPL-2.0-or-later
// The methods of tunnels.
#pragma once

#include "dataplane/control/json_rpc_server.h"
#include "dataplane/control/vpn_state.h"

namespace masugata::dataplane::control {

// `state` outlives the table.
void add_vpn_methods(VpnState& state, MethodTable& methods);

}  // namespace masugata::dataplane::control
