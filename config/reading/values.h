// SPDX-License-Identifier: GPL-2.0-or-later
// Text of single values -> typed values. No messages here: nullopt means "not such a value".
// Internal to config.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "config/model.h"
#include "net/flow_key.h"

namespace masugata::config::reading {

// "443" or "8000-8080"; 1 to 65535, first not above last.
[[nodiscard]] std::optional<PortRange> parse_ports(std::string_view text);

// "tcp" .. or an IANA number as the schema lets through.
[[nodiscard]] std::optional<net::Protocol> parse_protocol(std::string_view text);

// TCP, UDP and SCTP.
[[nodiscard]] bool has_ports(net::Protocol protocol);

// A type number 0 to 255, or a name of RFC 792 (Icmp) or RFC 4443 and RFC 4861 (Icmpv6).
[[nodiscard]] std::optional<uint8_t> parse_icmp_type(std::string_view text, net::Protocol protocol);

// "09:00-18:00" into `from_minute` and `to_minute` of `schedule`; false when it is no such range,
// or an empty one.
[[nodiscard]] bool parse_hours(std::string_view text, Schedule& schedule);

// "2026-12-01 18:00" or "2026-12-01" (midnight), local time of the box.
[[nodiscard]] std::optional<std::chrono::sys_seconds> parse_moment(std::string_view text);

}  // namespace masugata::config::reading
