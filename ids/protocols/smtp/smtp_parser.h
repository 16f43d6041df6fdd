// SPDX-License-Identifier: GPL-2.0-or-later
// SMTP (RFC 5321) with pipelining (RFC 2920), BDAT (RFC 3030) and STARTTLS (RFC 3207).
#pragma once

#include <memory>

#include "ids/protocols/protocol_parser.h"

namespace masugata::ids {

// Its transactions are SmtpTransactions. `demands` outlives the parser.
[[nodiscard]] std::unique_ptr<ProtocolParser> make_smtp_parser(const ParserDemands& demands);

}  // namespace masugata::ids
