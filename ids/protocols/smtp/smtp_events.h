// SPDX-License-Identifier: GPL-2.0-or-later
// The events of SMTP, in the order of kSmtpEventNames.
#pragma once

#include <cstdint>

#include "ids/protocols/event_names.h"

namespace masugata::ids {

enum class SmtpEvent : uint8_t {
  InvalidReply,
  UnableToMatchReplyWithRequest,
  MaxCommandLineLenExceeded,
  MaxReplyLineLenExceeded,
  InvalidPipelinedSequence,
  BdatChunkLenExceeded,
  NoServerWelcomeMessage,
  TlsRejected,
  DataCommandRejected,
  FailedProtocolChange,
  MimeParseFailed,
  MimeMalformedMessage,
  MimeInvalidBase64,
  MimeInvalidQuotedPrintable,
  MimeLongLine,
  MimeLongEncodedLine,
  MimeLongHeaderName,
  MimeLongHeaderValue,
  MimeLongBoundary,
  MimeLongFileName,
  TruncatedLine,
  UnparsableContent,
  DuplicateFields,
  Count,
};
static_assert(kSmtpEventNames.size() == static_cast<size_t>(SmtpEvent::Count));
static_assert(kSmtpEventNames[static_cast<size_t>(SmtpEvent::FailedProtocolChange)] ==
              "failed_protocol_change");
static_assert(kSmtpEventNames[static_cast<size_t>(SmtpEvent::MimeLongBoundary)] ==
              "mime_long_boundary");
static_assert(kSmtpEventNames[static_cast<size_t>(SmtpEvent::DuplicateFields)] ==
              "duplicate_fields");

}  // namespace masugata::ids
