// SPDX-License-Identifier: GPL-2.0-or-later
// Header fields that say where a body ends or how it is coded, written so that programs read them
// differently (RFC 9112 sections 5.1 and 5.2): who folds lines, or takes blanks before the colon,
// sees another body than who does not. libhtp itself reads folded ones in one packet otherwise than
// in two.
#pragma once

#include <string_view>

namespace masugata::ids {

// `raw`: the header's lines as sent. True for Content-Length, Transfer-Encoding, Content-Encoding,
// Content-Range and the Content-Type of a multipart body over several lines or with anything
// between name and colon, for a CR within a line, and for lines behind an empty one.
[[nodiscard]] bool are_headers_doubtful(std::string_view raw) noexcept;

}  // namespace masugata::ids
