// SPDX-License-Identifier: GPL-2.0-or-later
// FTP (RFC 959) with extensions for IPv6 (RFC 2428) and TLS (RFC 4217), and its data connections.
#pragma once

#include <memory>

#include "ids/protocols/protocol_parser.h"

namespace masugata::ids {

// The control connection; its transactions are FtpTransactions. expected_data() is not null right
// after the call of on_data() in which both the transfer's command and the address of its data
// connection became known, and null again after the next call: no transfer is told twice.
[[nodiscard]] std::unique_ptr<ProtocolParser> make_ftp_parser(const ParserDemands& demands);

// A data connection; its one transaction is an FtpDataTransaction. `expected` null: nobody
// announced it. `demands` outlives the parser, `expected` need not.
[[nodiscard]] std::unique_ptr<ProtocolParser> make_ftp_data_parser(
    const ParserDemands& demands, const ProtocolParser::ExpectedData* expected);

}  // namespace masugata::ids
