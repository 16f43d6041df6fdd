// SPDX-License-Identifier: GPL-2.0-or-later
// SMB over TCP, dialects 1 to 3 as far as they are clear: shares, and files read and written.
#pragma once

#include <memory>

#include "ids/protocols/protocol_parser.h"

namespace masugata::ids {

// Its transactions are SmbTransactions. `demands` outlives the parser.
[[nodiscard]] std::unique_ptr<ProtocolParser> make_smb_parser(const ParserDemands& demands);

}  // namespace masugata::ids
