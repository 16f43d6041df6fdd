// SPDX-License-Identifier: GPL-2.0-or-later
// Transactions of FTP: a command with its replies, and the one file of a data connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ids/protocols/event_names.h"
#include "ids/protocols/files/file_collection.h"
#include "ids/protocols/transaction.h"
#include "net/address.h"

namespace masugata::ids {

enum class FtpEvent : uint8_t { RequestCommandTooLong, ResponseCommandTooLong, Count };
static_assert(kFtpEventNames.size() == static_cast<size_t>(FtpEvent::Count));

inline constexpr size_t kMaximumFtpReplies = 64;  // lines kept of the answer to one command
inline constexpr size_t kMaximumFtpLine = 4096;   // kept of a command or of a line of a reply

enum class FtpMode : uint8_t { Unknown, Active, Passive };

// A command and its replies; the server's greeting is a transaction without a command.
// The members are what EVE's `ftp` object says. progress: 0 = waiting, 1 = answered.
class FtpTransaction final : public Transaction {
 public:
  [[nodiscard]] BufferBytes buffer(BufferId buffer, Direction direction,
                                   uint32_t instance) noexcept override;
  [[nodiscard]] bool number(NumberField field, Direction direction,
                            uint64_t& value) noexcept override;

  std::string command;                        // upper-case
  std::string command_data;                   // what follows it
  std::vector<std::string> completion_codes;  // one per line of a reply that begins with one
  std::vector<std::string> replies;           // lines without their code
  bool reply_received = false;
  uint16_t dynamic_port = 0;  // PORT, EPRT, PASV, EPSV; 0 = none
  FtpMode mode = FtpMode::Unknown;
  // Where the client asks the server to connect to (PORT, EPRT): `ftpbounce` compares it with the
  // client's own address.
  std::optional<net::IpAddress> port_address;
};

// A data connection. `files()` has its file once there are bytes.
class FtpDataTransaction final : public Transaction {
 public:
  // `demands` outlives the transaction.
  explicit FtpDataTransaction(const ParserDemands& demands) noexcept : files_(demands) {}

  [[nodiscard]] BufferBytes buffer(BufferId buffer, Direction direction,
                                   uint32_t instance) noexcept override;
  [[nodiscard]] std::span<TransferredFile> files() noexcept override { return files_.files(); }
  // ftpdata_command; false when nobody announced the connection.
  [[nodiscard]] std::optional<bool> holds(const Condition& condition, Direction direction,
                                          uint64_t time_us) noexcept override;

  std::string file_name;  // as in the command
  // True: STOR and its like; false: RETR. Empty: nobody announced this connection.
  std::optional<bool> upload;

  // For the parser.
  [[nodiscard]] FileCollection& collection() noexcept { return files_; }

 private:
  FileCollection files_;
};

}  // namespace masugata::ids
