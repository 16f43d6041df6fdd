// SPDX-License-Identifier: GPL-2.0-or-later
// What the control socket offers about intrusion prevention.
#pragma once

#include "dataplane/control/gateway_state.h"
#include "dataplane/control/json_rpc_server.h"

namespace masugata::dataplane::control {

// Adds `show.ips`, `show.ips.*`, `ips.*` and `clear.ips.hits`. `state` outlives the methods.
void add_inspection_methods(GatewayState& state, MethodTable& methods);

}  // namespace masugata::dataplane::control
