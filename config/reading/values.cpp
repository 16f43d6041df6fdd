// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/reading/values.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <ctime>

namespace masugata::config::reading {
namespace {

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

struct IcmpTypeName {
  std::string_view name;
  int icmp;  // -1: not a type of this protocol
  int icmpv6;
};

constexpr std::array kIcmpTypeNames = {
    IcmpTypeName{"echo-reply", 0, 129},
    IcmpTypeName{"destination-unreachable", 3, 1},
    IcmpTypeName{"packet-too-big", -1, 2},
    IcmpTypeName{"redirect", 5, 137},
    IcmpTypeName{"echo-request", 8, 128},
    IcmpTypeName{"router-advertisement", 9, 134},
    IcmpTypeName{"router-solicitation", 10, 133},
    IcmpTypeName{"time-exceeded", 11, 3},
    IcmpTypeName{"parameter-problem", 12, 4},
    IcmpTypeName{"timestamp-request", 13, -1},
    IcmpTypeName{"timestamp-reply", 14, -1},
    IcmpTypeName{"neighbour-solicitation", -1, 135},
    IcmpTypeName{"neighbour-advertisement", -1, 136},
};

struct ProtocolName {
  std::string_view name;
  net::Protocol protocol;
};

constexpr std::array kProtocolNames = {
    ProtocolName{"tcp", net::Protocol::Tcp},   ProtocolName{"udp", net::Protocol::Udp},
    ProtocolName{"icmp", net::Protocol::Icmp}, ProtocolName{"icmpv6", net::Protocol::Icmpv6},
    ProtocolName{"gre", net::Protocol::Gre},   ProtocolName{"esp", net::Protocol::Esp},
    ProtocolName{"ah", net::Protocol::Ah},     ProtocolName{"sctp", net::Protocol::Sctp},
};

// "HH:MM" -> minutes since midnight, 24:00 included.
std::optional<uint16_t> parse_minute(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hours = parse_number<uint16_t>(text.substr(0, 2));
  const auto minutes = parse_number<uint16_t>(text.substr(3, 2));
  if (!hours || !minutes || *minutes > 59) return std::nullopt;
  const unsigned total = *hours * 60U + *minutes;
  if (total > 24U * 60U) return std::nullopt;
  return static_cast<uint16_t>(total);
}

}  // namespace

std::optional<PortRange> parse_ports(std::string_view text) {
  const size_t dash = text.find('-');
  const auto first = parse_number<uint16_t>(text.substr(0, dash));
  const auto last =
      dash == std::string_view::npos ? first : parse_number<uint16_t>(text.substr(dash + 1));
  if (!first || !last || *first == 0 || *first > *last) return std::nullopt;
  return PortRange{*first, *last};
}

std::optional<net::Protocol> parse_protocol(std::string_view text) {
  for (const ProtocolName& known : kProtocolNames) {
    if (known.name == text) return known.protocol;
  }
  const auto number = parse_number<uint8_t>(text);
  if (!number) return std::nullopt;
  return static_cast<net::Protocol>(*number);
}

bool has_ports(net::Protocol protocol) {
  return protocol == net::Protocol::Tcp || protocol == net::Protocol::Udp ||
         protocol == net::Protocol::Sctp;
}

std::optional<uint8_t> parse_icmp_type(std::string_view text, net::Protocol protocol) {
  for (const IcmpTypeName& known : kIcmpTypeNames) {
    if (known.name != text) continue;
    const int type = protocol == net::Protocol::Icmp ? known.icmp : known.icmpv6;
    if (type < 0) return std::nullopt;
    return static_cast<uint8_t>(type);
  }
  return parse_number<uint8_t>(text);
}

bool parse_hours(std::string_view text, Schedule& schedule) {
  const size_t dash = text.find('-');
  if (dash == std::string_view::npos) return false;
  const auto from = parse_minute(text.substr(0, dash));
  const auto to = parse_minute(text.substr(dash + 1));
  if (!from || !to || *from == *to || *from == 24 * 60) return false;
  schedule.from_minute = *from;
  schedule.to_minute = *to;
  return true;
}

std::optional<std::chrono::sys_seconds> parse_moment(std::string_view text) {
  if (text.size() != 10 && text.size() != 16) return std::nullopt;
  const auto year = parse_number<uint16_t>(text.substr(0, 4));
  const auto month = parse_number<uint16_t>(text.substr(5, 2));
  const auto day = parse_number<uint16_t>(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                         std::chrono::day(*day)};
  const auto minute =
      text.size() == 16 ? parse_minute(text.substr(11)) : std::optional<uint16_t>(uint16_t{0});
  if (!date.ok() || !minute || *minute == 24 * 60) return std::nullopt;

  // chrono's own time zones are not in libstdc++ 12: the C library knows the local one.
  std::tm local{};
  local.tm_year = static_cast<int>(*year) - 1900;
  local.tm_mon = static_cast<int>(*month) - 1;
  local.tm_mday = static_cast<int>(*day);
  local.tm_hour = *minute / 60;
  local.tm_min = *minute % 60;
  local.tm_isdst = -1;
  return std::chrono::sys_seconds(std::chrono::seconds(std::mktime(&local)));
}

}  // namespace masugata::config::reading
