// SPDX-License-Identifier: GPL-2.0-or-later
// A command to a mailbox (POP3, IMAP) with its answer and the messages that travel with it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ids/protocols/mime/message_parser.h"
#include "ids/protocols/transaction.h"

namespace masugata::ids::mime {

inline constexpr size_t kMaximumMailboxLine = 8192;  // kept of a command or reply

// progress: 0 = waiting, 1 = answered. A message at a time: the next one begins when the one before
// it has ended.
class MailboxTransaction final : public Transaction {
 public:
  // `demands` outlives the transaction.
  explicit MailboxTransaction(const ParserDemands& demands) noexcept
      : files_(demands), text_as_files_(demands.message_bodies) {}

  [[nodiscard]] BufferBytes buffer(BufferId buffer, Direction direction,
                                   uint32_t instance) noexcept override;
  [[nodiscard]] std::span<TransferredFile> files() noexcept override { return files_.files(); }
  [[nodiscard]] size_t memory_bytes() noexcept override {
    return Transaction::memory_bytes() + (message_ ? message_->memory_bytes() : 0) +
           (last_ ? last_->memory_bytes() : 0) + decoded_.capacity() + argument.capacity();
  }

  std::string tag;       // IMAP
  std::string command;   // upper-case; empty: the server said something unasked
  std::string argument;  // what follows the command, its first line only
  std::string status;    // "+OK", "-ERR"; "OK", "NO", "BAD", "PREAUTH", "BYE"
  std::string reply;     // the text after the status

  // For the parsers. A message (RFC 5322), decoded into files.
  void begin_message(Direction direction) noexcept;
  // One file as it is or, `decode_base64`, decoded: a part without its header.
  void begin_part(Direction direction, bool decode_base64) noexcept;
  void feed(std::span<const uint8_t> bytes) noexcept;
  // Nothing to do when no message or part is open.
  void end(bool broken) noexcept;
  [[nodiscard]] bool is_open() const noexcept { return message_ != nullptr || part_.has_value(); }
  // The last message; null when there was none.
  [[nodiscard]] const MessageParser* message() const noexcept { return shown_; }
  void begin_input() noexcept { files_.begin_input(); }
  void finish(Direction direction) noexcept;

 private:
  FileCollection files_;
  bool text_as_files_;
  Direction direction_ = Direction::ToClient;
  std::unique_ptr<MessageParser> message_;
  std::unique_ptr<MessageParser> last_;
  const MessageParser* shown_ = nullptr;
  std::optional<size_t> part_;
  TransferDecoder decoder_;
  std::vector<uint8_t> decoded_;
};

}  // namespace masugata::ids::mime
