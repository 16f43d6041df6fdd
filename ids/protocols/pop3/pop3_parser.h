// SPDX-License-Identifier: GPL-2.0-or-later
// POP3 (RFC 1939) with extensions (RFC 2449) and STLS (RFC 2595).
#pragma once

#include <memory>

#include "ids/protocols/protocol_parser.h"

namespace masugata::ids {

// The events of POP3, in the order of kPop3EventNames.
enum class Pop3Event : uint8_t {
  TooManyTransactions,
  RequestTooLong,
  IncorrectArgumentCount,
  UnknownCommand,
  ResponseTooLong,
  Count,
};

// Its transactions are mime::MailboxTransactions. `demands` outlives the parser.
[[nodiscard]] std::unique_ptr<ProtocolParser> make_pop3_parser(const ParserDemands& demands);

}  // namespace masugata::ids
