// SPDX-License-Identifier: GPL-2.0-or-later
// Methods about tunnels that do not come up: show.vpn.why, monitor.vpn.
#pragma once

#include "dataplane/control/json_rpc_server.h"
#include "dataplane/control/vpn_diagnosis_state.h"

namespace masugata::dataplane::control {

// `state` outlives the server.
void add_vpn_diagnosis_methods(VpnDiagnosisState& state, MethodTable& methods);

}  // namespace masugata::dataplane::control
