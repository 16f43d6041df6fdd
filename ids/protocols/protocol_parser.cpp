// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/protocol_parser.h"

#include <utility>

#include "ids/protocols/dns/dns_parser.h"
#include "ids/protocols/ftp/ftp_parser.h"
#include "ids/protocols/http/http_parser.h"
#include "ids/protocols/imap/imap_parser.h"
#include "ids/protocols/pop3/pop3_parser.h"
#include "ids/protocols/smb/smb_parser.h"
#include "ids/protocols/smtp/smtp_parser.h"
#include "ids/protocols/ssh/ssh_parser.h"
#include "ids/protocols/tls/tls_parser.h"

namespace masugata::ids {

Transaction* ProtocolParser::append(std::unique_ptr<Transaction> transaction) noexcept {
  if (transactions_.size() >= 2 * kMaximumTransactions) return nullptr;
  if (transactions_.size() >= kMaximumTransactions) {
    // Those before it were ended by earlier calls, as each call ends one.
    Transaction& oldest = *transactions_[transactions_.size() - kMaximumTransactions];
    for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
      oldest.finished[index_of(direction)] = true;
      oldest.touch(direction);
    }
  }
  transaction->number_in_flow = next_number_++;
  transaction->protocol = protocol_;
  transactions_.push_back(std::move(transaction));
  return transactions_.back().get();
}

bool gives_contents(ApplicationProtocol protocol) noexcept {
  switch (protocol) {
    case ApplicationProtocol::Http:
    case ApplicationProtocol::Smtp:
    case ApplicationProtocol::Pop3:
    case ApplicationProtocol::Imap:
    case ApplicationProtocol::Ftp:  // on its data connections
    case ApplicationProtocol::FtpData:
      return true;
    default:
      return false;
  }
}

// Each parser adds its line.
std::unique_ptr<ProtocolParser> make_parser(ApplicationProtocol protocol,
                                            const ParserDemands& demands, bool datagrams) {
  switch (protocol) {
    case ApplicationProtocol::Tls:
      return std::make_unique<TlsParser>(demands);
    case ApplicationProtocol::Ssh:
      return std::make_unique<SshParser>(demands);
    case ApplicationProtocol::Dns:
      return std::make_unique<DnsParser>(datagrams);
    case ApplicationProtocol::Smtp:
      return make_smtp_parser(demands);
    case ApplicationProtocol::Ftp:
      return make_ftp_parser(demands);
    case ApplicationProtocol::FtpData:
      return make_ftp_data_parser(demands, nullptr);
    case ApplicationProtocol::Pop3:
      return make_pop3_parser(demands);
    case ApplicationProtocol::Imap:
      return make_imap_parser(demands);
    case ApplicationProtocol::Smb:
      return make_smb_parser(demands);
    case ApplicationProtocol::Http:
      return make_http_parser(demands);
    default:
      return nullptr;
  }
}

}  // namespace masugata::ids
