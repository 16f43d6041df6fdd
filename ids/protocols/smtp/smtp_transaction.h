// SPDX-License-Identifier: GPL-2.0-or-later
// One mail over SMTP: its envelope, its message with attachments, and what EVE says of them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ids/protocols/mime/file_buffers.h"
#include "ids/protocols/mime/message_parser.h"
#include "ids/protocols/smtp/smtp_events.h"
#include "ids/protocols/transaction.h"

namespace masugata::ids {

inline constexpr size_t kMaximumRecipients = 256;  // later ones are not kept

// The `email` object of EVE. All values as sent.
struct EmailSummary {
  std::string_view status;  // "PARSE_DONE", "PARSE_ERROR", "HEADER_STARTED", "BODY_STARTED"
  std::string from;
  std::vector<std::string> to;
  std::vector<std::string> cc;
  std::string subject;
  std::vector<std::string> attachments;
  std::vector<std::string> urls;
};

// progress: of either side 0 = started, 1 = complete.
class SmtpTransaction final : public Transaction {
 public:
  // `demands` outlives the transaction.
  SmtpTransaction(const ParserDemands& demands, std::string_view helo_name) noexcept
      : files_(demands), helo(helo_name), text_as_files_(demands.message_bodies) {}

  [[nodiscard]] BufferBytes buffer(BufferId buffer, Direction direction,
                                   uint32_t instance) noexcept override;
  [[nodiscard]] std::span<TransferredFile> files() noexcept override { return files_.files(); }
  [[nodiscard]] size_t memory_bytes() noexcept override {
    return Transaction::memory_bytes() + (message_ ? message_->memory_bytes() : 0);
  }

  // False before a message began (no DATA or BDAT).
  [[nodiscard]] bool has_message() const noexcept { return message_ != nullptr; }
  [[nodiscard]] EmailSummary email() const;

  // For the parser.
  void begin_message() noexcept;
  void feed_message(std::span<const uint8_t> bytes) noexcept;
  void end_message(bool broken) noexcept;
  void begin_input() noexcept { files_.begin_input(); }
  void raise_event(Direction direction, SmtpEvent event) noexcept {
    raise(direction, static_cast<uint8_t>(event));
  }
  void finish(Direction direction) noexcept;

 private:
  void raise_anomalies() noexcept;
  [[nodiscard]] BufferBytes field(std::string_view name, uint32_t instance) const noexcept;
  [[nodiscard]] BufferBytes value(const std::string* text, bool settled) const noexcept;

  FileCollection files_;
  std::unique_ptr<mime::MessageParser> message_;
  uint16_t raised_anomalies_ = 0;

 public:
  // The envelope, for EVE. At most 4096 bytes each.
  std::string helo;
  std::string mail_from;
  bool has_mail_from = false;
  std::vector<std::string> rcpt_to;

 private:
  bool text_as_files_;
};

}  // namespace masugata::ids
