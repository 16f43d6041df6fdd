// SPDX-License-Identifier: GPL-2.0-or-later
// Makes one letter of a request another, so that its server does not know the word: lengths and
// sequence numbers stay.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace masugata::dataplane {

// The Range headers of an HTTP request that begins with the segment, up to the end of its header or
// of the segment; "Range" becomes "xange". `location` is its target: a segment whose first line
// does not hold it is another's, and is left alone. True when there was one.
bool hide_range(std::span<uint8_t> payload, std::string_view location) noexcept;

// A command in the last line of the segment: its first word (SMTP, POP3, FTP), or its second behind
// a tag (IMAP). `command` in lower case. Nothing may follow such a command before its answer, so
// it stands there, unless it came in several segments. True when it was found.
bool hide_command(std::span<uint8_t> payload, std::string_view command) noexcept;

}  // namespace masugata::dataplane
