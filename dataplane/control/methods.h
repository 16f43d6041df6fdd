// SPDX-License-Identifier: GPL-2.0-or-later
// The methods of the control socket, over the running gateway.
#pragma once

#include "dataplane/control/gateway_state.h"
#include "dataplane/control/json_rpc_server.h"

namespace masugata::dataplane::control {

// Every method and the role that it needs; README.md lists them with parameters and answers.
// `state` must outlive the server that gets the table.
[[nodiscard]] MethodTable gateway_methods(GatewayState& state);

}  // namespace masugata::dataplane::control
