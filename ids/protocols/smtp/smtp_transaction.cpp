// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/smtp/smtp_transaction.h"

#include <array>
#include <utility>

namespace masugata::ids {
namespace {

using mime::Anomaly;

constexpr std::array<std::pair<Anomaly, SmtpEvent>, 10> kAnomalyEvents{{
    {Anomaly::MalformedMessage, SmtpEvent::MimeMalformedMessage},
    {Anomaly::InvalidBase64, SmtpEvent::MimeInvalidBase64},
    {Anomaly::InvalidQuotedPrintable, SmtpEvent::MimeInvalidQuotedPrintable},
    {Anomaly::LongLine, SmtpEvent::MimeLongLine},
    {Anomaly::LongEncodedLine, SmtpEvent::MimeLongEncodedLine},
    {Anomaly::LongHeaderName, SmtpEvent::MimeLongHeaderName},
    {Anomaly::LongHeaderValue, SmtpEvent::MimeLongHeaderValue},
    {Anomaly::LongBoundary, SmtpEvent::MimeLongBoundary},
    {Anomaly::LongFileName, SmtpEvent::MimeLongFileName},
    {Anomaly::TruncatedLine, SmtpEvent::TruncatedLine},
}};

}  // namespace

void SmtpTransaction::begin_message() noexcept {
  message_ = std::make_unique<mime::MessageParser>(files_, Direction::ToServer, text_as_files_);
}

void SmtpTransaction::feed_message(std::span<const uint8_t> bytes) noexcept {
  message_->feed(bytes);
  raise_anomalies();
  touch(Direction::ToServer);
}

void SmtpTransaction::end_message(bool broken) noexcept {
  if (message_ == nullptr) {
    return;
  }
  message_->end(broken);
  raise_anomalies();
  touch(Direction::ToServer);
}

void SmtpTransaction::raise_anomalies() noexcept {
  const uint16_t all = message_->findings().anomalies;
  if (all == raised_anomalies_) {
    return;
  }
  for (const auto& [anomaly, event] : kAnomalyEvents) {
    if ((all & ~raised_anomalies_ & static_cast<unsigned>(anomaly)) != 0) {
      raise_event(Direction::ToServer, event);
    }
  }
  raised_anomalies_ = all;
}

void SmtpTransaction::finish(Direction direction) noexcept {
  if (finished[index_of(direction)]) {
    return;
  }
  finished[index_of(direction)] = true;
  progress[index_of(direction)] = 1;
  touch(direction);
}

BufferBytes SmtpTransaction::value(const std::string* text, bool settled) const noexcept {
  if (text != nullptr) {
    return {BufferState::Complete, mime::as_bytes(*text)};
  }
  return {settled || finished[0] ? BufferState::Absent : BufferState::NotYet};
}

BufferBytes SmtpTransaction::field(std::string_view name, uint32_t instance) const noexcept {
  const bool read = message_ != nullptr && message_->status() != mime::MessageStatus::Header;
  return value(read ? message_->find_field(name, instance) : nullptr, read);
}

BufferBytes SmtpTransaction::buffer(BufferId buffer, Direction direction,
                                    uint32_t instance) noexcept {
  if (direction != Direction::ToServer) {
    return {};
  }
  switch (buffer) {
    case BufferId::SmtpHelo:
      return value(helo.empty() ? nullptr : &helo, has_mail_from);
    case BufferId::SmtpMailFrom:
      return value(has_mail_from ? &mail_from : nullptr, false);
    case BufferId::SmtpRcptTo:
      return value(instance < rcpt_to.size() ? &rcpt_to[instance] : nullptr, has_message());
    case BufferId::EmailFrom:
      return field("from", 0);
    case BufferId::EmailTo:
      return field("to", 0);
    case BufferId::EmailCc:
      return field("cc", 0);
    case BufferId::EmailSubject:
      return field("subject", 0);
    case BufferId::EmailDate:
      return field("date", 0);
    case BufferId::EmailMessageId:
      return field("message-id", 0);
    case BufferId::EmailXMailer:
      return field("x-mailer", 0);
    case BufferId::EmailReceived:
      return field("received", instance);
    case BufferId::EmailUrl: {
      const bool known = message_ != nullptr && instance < message_->findings().urls.size();
      return value(known ? &message_->findings().urls[instance] : nullptr, false);
    }
    default:
      return mime::file_buffer(files_, buffer, direction, instance, finished[0]);
  }
}

EmailSummary SmtpTransaction::email() const {
  EmailSummary summary;
  if (message_ == nullptr) {
    return summary;
  }
  constexpr std::array<std::string_view, 4> kStatus{"HEADER_STARTED", "BODY_STARTED", "PARSE_DONE",
                                                    "PARSE_ERROR"};
  summary.status = kStatus[static_cast<size_t>(message_->status())];
  const auto text = [this](std::string_view name) {
    const std::string* found = message_->find_field(name, 0);
    return found == nullptr ? std::string{} : *found;
  };
  summary.from = text("from");
  summary.subject = text("subject");
  summary.to = mime::split_addresses(text("to"));
  summary.cc = mime::split_addresses(text("cc"));
  summary.attachments = message_->findings().attachments;
  summary.urls = message_->findings().urls;
  return summary;
}

}  // namespace masugata::ids
