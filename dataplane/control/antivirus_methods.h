// SPDX-License-Identifier: GPL-2.0-or-later
// What the control socket offers about antivirus.
#pragma once

#include "dataplane/control/antivirus_state.h"
#include "dataplane/control/json_rpc_server.h"

namespace masugata::dataplane::control {

// Adds `show.av`, `show.av.*`, `av.*` and `clear.av.blocked-urls`. `state` outlives the methods.
void add_antivirus_methods(AntivirusState& state, MethodTable& methods);

}  // namespace masugata::dataplane::control
