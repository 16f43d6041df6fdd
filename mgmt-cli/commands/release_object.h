// SPDX-License-Identifier: GPL-2.0-or-later
// An object of the quarantine, written into a file.
#pragma once

#include <cstdint>
#include <string>

#include "mgmt-cli/protocol/json_rpc_client.h"

namespace masugata::cli {

// Asks `client` for the object part by part and writes it into `file`, which must not be there yet
// and is made for its owner alone, as who runs this program, not as the gateway. How many bytes it
// has. After an error there is no file.
[[nodiscard]] tl::expected<uint64_t, CallError> release_object(JsonRpcClient& client,
                                                               const std::string& reference,
                                                               const std::string& file);

}  // namespace masugata::cli
