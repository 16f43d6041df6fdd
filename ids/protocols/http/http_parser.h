// SPDX-License-Identifier: GPL-2.0-or-later
// The parser of HTTP/0.9 to HTTP/1.1 (RFC 9112) over libhtp.
#pragma once

#include <memory>

#include "ids/protocols/protocol_parser.h"

namespace masugata::ids {

// Its transactions are HttpTransactions (http_transaction.h). `demands` outlives the parser.
[[nodiscard]] std::unique_ptr<ProtocolParser> make_http_parser(const ParserDemands& demands);

}  // namespace masugata::ids
