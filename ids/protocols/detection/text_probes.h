// SPDX-License-Identifier: GPL-2.0-or-later
// Protocols that open with a line of text.
#pragma once

#include "ids/protocols/detection/probe.h"

namespace masugata::ids::detection {

// A request line with a known method at once; any other token only with "HTTP/" at the end of a
// line. Answers by "HTTP/".
[[nodiscard]] Likeness probe_http(const Opening& opening) noexcept;
// The connection preface (RFC 9113 section 3.4); of servers a SETTINGS frame.
[[nodiscard]] Likeness probe_http2(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_ssh(const Opening& opening) noexcept;
// Clients by EHLO, HELO, LHLO; servers by what their 220 says, or by port.
[[nodiscard]] Likeness probe_smtp(const Opening& opening) noexcept;
// Clients by USER, AUTH TLS and the like; servers by what their 220 says, or by port.
[[nodiscard]] Likeness probe_ftp(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_pop3(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_imap(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_sip(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_rfb(const Opening& opening) noexcept;

}  // namespace masugata::ids::detection
