// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/ftp/ftp_address.h"

#include <array>
#include <charconv>

namespace masugata::ids {
namespace {

// Takes a number up to `highest` from the front.
std::optional<uint32_t> take_number(std::string_view& text, uint32_t highest) noexcept {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value > highest) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

bool take(std::string_view& text, char expected) noexcept {
  if (text.empty() || text[0] != expected) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<FtpEndpoint> parse_port_argument(std::string_view text) noexcept {
  std::array<uint32_t, 6> numbers{};
  for (size_t i = 0; i < numbers.size(); ++i) {
    while (!text.empty() && text[0] == ' ') {
      text.remove_prefix(1);
    }
    const auto number = take_number(text, 255);
    if (!number || (i + 1 < numbers.size() && !take(text, ','))) {
      return std::nullopt;
    }
    numbers[i] = *number;
  }
  FtpEndpoint endpoint;
  endpoint.address = net::IpAddress::from_v4(
      net::Be32::from_host(numbers[0] << 24U | numbers[1] << 16U | numbers[2] << 8U | numbers[3]));
  endpoint.port = static_cast<uint16_t>(numbers[4] << 8U | numbers[5]);
  return endpoint;
}

std::optional<FtpEndpoint> parse_extended_port_argument(std::string_view text) noexcept {
  if (text.empty()) {
    return std::nullopt;
  }
  const char delimiter = text[0];
  text.remove_prefix(1);
  const size_t first = text.find(delimiter);
  const size_t second = first == std::string_view::npos ? first : text.find(delimiter, first + 1);
  if (second == std::string_view::npos) {
    return std::nullopt;
  }
  const auto address = net::IpAddress::parse(text.substr(first + 1, second - first - 1));
  text.remove_prefix(second + 1);
  const auto port = take_number(text, 65535);
  if (!address || !port) {
    return std::nullopt;
  }
  return FtpEndpoint{*address, static_cast<uint16_t>(*port)};
}

std::optional<FtpEndpoint> parse_passive_reply(std::string_view text) noexcept {
  for (size_t i = 0; i < text.size(); ++i) {
    if (is_digit(text[i]) && (i == 0 || !is_digit(text[i - 1]))) {
      if (const auto endpoint = parse_port_argument(text.substr(i))) {
        return endpoint;
      }
    }
  }
  return std::nullopt;
}

std::optional<FtpEndpoint> parse_extended_passive_reply(std::string_view text) noexcept {
  const size_t open = text.find('(');
  if (open == std::string_view::npos || open + 4 >= text.size()) {
    return std::nullopt;
  }
  const char delimiter = text[open + 1];
  if (text[open + 2] != delimiter || text[open + 3] != delimiter) {
    return std::nullopt;
  }
  text.remove_prefix(open + 4);
  const auto port = take_number(text, 65535);
  if (!port) {
    return std::nullopt;
  }
  return FtpEndpoint{net::IpAddress{}, static_cast<uint16_t>(*port)};
}

}  // namespace masugata::ids
