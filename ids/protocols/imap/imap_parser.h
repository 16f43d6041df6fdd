// SPDX-License-Identifier: GPL-2.0-or-later
// IMAP4 (RFC 3501, RFC 9051) as far as messages travel: FETCH to the client, APPEND to the server.
#pragma once

#include <memory>

#include "ids/protocols/protocol_parser.h"

namespace masugata::ids {

// The events of IMAP, in the order of kImapEventNames.
enum class ImapEvent : uint8_t {
  TooManyTransactions,
  InvalidData,
  RequestNotFound,
  TooManyHeaders,
  Count,
};

// Its transactions are mime::MailboxTransactions. `demands` outlives the parser.
[[nodiscard]] std::unique_ptr<ProtocolParser> make_imap_parser(const ParserDemands& demands);

}  // namespace masugata::ids
