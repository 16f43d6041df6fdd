// SPDX-License-Identifier: GPL-2.0-or-later
// Where a data connection goes to, as FTP says it in commands and replies.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "net/address.h"

namespace masugata::ids {

struct FtpEndpoint {
  net::IpAddress address;  // unspecified (all zero) when only the port was said
  uint16_t port = 0;
};

// "h1,h2,h3,h4,p1,p2" (RFC 959) at the front of `text`; nullopt for anything else.
[[nodiscard]] std::optional<FtpEndpoint> parse_port_argument(std::string_view text) noexcept;
// "|1|192.0.2.1|6275|", "|2|2001:db8::1|6275|" (RFC 2428), any delimiter.
[[nodiscard]] std::optional<FtpEndpoint> parse_extended_port_argument(
    std::string_view text) noexcept;
// The text of a 227 reply: the first run of six numbers in it.
[[nodiscard]] std::optional<FtpEndpoint> parse_passive_reply(std::string_view text) noexcept;
// The text of a 229 reply: "(|||6446|)".
[[nodiscard]] std::optional<FtpEndpoint> parse_extended_passive_reply(
    std::string_view text) noexcept;

}  // namespace masugata::ids
