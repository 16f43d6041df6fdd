// SPDX-License-Identifier: GPL-2.0-or-later
// Values of the command line, checked here so that a typing error needs no gateway to be found.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "config/applications.h"
#include "mgmt-cli/commands/command_line.h"
#include "net/address.h"
#include "net/domain_set.h"

namespace masugata::cli {
namespace {

using nlohmann::json;

std::optional<uint32_t> parse_number(std::string_view text, uint32_t least, uint32_t most) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < least || value > most) return std::nullopt;
  return value;
}

bool is_protocol(const std::string& text, bool transport_only) {
  constexpr std::array<std::string_view, 5> kTransports = {"tcp", "udp", "icmp", "icmpv6", "sctp"};
  constexpr std::array<std::string_view, 3> kOthers = {"gre", "esp", "ah"};
  for (const std::string_view name : kTransports) {
    if (text == name) return true;
  }
  if (transport_only) return false;
  for (const std::string_view name : kOthers) {
    if (text == name) return true;
  }
  return parse_number(text, 0, 255).has_value();
}

tl::unexpected<Fault> not_accepted(const std::string& text, ValueKind kind) {
  return failure("", fmt::format("'{}' is not {}", text, description(kind)));
}

tl::unexpected<Fault> no_application(const std::string& text) {
  constexpr size_t kShown = 3;
  const auto near = config::applications_like(text, kShown);
  if (near.empty()) return not_accepted(text, ValueKind::Application);
  return failure("", fmt::format("no application '{}' is recognised; do you mean {}?", text,
                                 fmt::join(near, ", ")));
}

// "10.0.0.1", "10.0.0.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80".
Status add_endpoint(json& parameters, std::string_view parameter, const std::string& text) {
  std::string address = text;
  std::string port;
  if (text.starts_with('[')) {
    const size_t bracket = text.find(']');
    if (bracket == std::string::npos) return not_accepted(text, ValueKind::Endpoint);
    address = text.substr(1, bracket - 1);
    const std::string rest = text.substr(bracket + 1);
    if (!rest.empty() && (rest.front() != ':' || rest.size() == 1)) {
      return not_accepted(text, ValueKind::Endpoint);
    }
    if (!rest.empty()) port = rest.substr(1);
  } else if (const size_t colon = text.find(':');
             colon != std::string::npos && colon == text.rfind(':')) {
    address = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (port.empty()) return not_accepted(text, ValueKind::Endpoint);
  }
  const auto parsed = net::IpAddress::parse(address);
  if (!parsed) return not_accepted(text, ValueKind::Endpoint);
  if (!port.empty()) {
    const auto number = parse_number(port, 0, 65535);
    if (!number) return not_accepted(text, ValueKind::Endpoint);
    parameters[std::string(parameter) + "_port"] = *number;
  }
  parameters[std::string(parameter)] = parsed->to_string();
  return {};
}

}  // namespace

Status add_value(json& parameters, ValueKind kind, std::string_view parameter,
                 const std::string& text) {
  json& value = parameters[std::string(parameter)];
  switch (kind) {
    case ValueKind::Endpoint:
      return add_endpoint(parameters, parameter, text);
    case ValueKind::Addresses:
      if (!net::AddressRange::parse(text)) return not_accepted(text, kind);
      value = text;
      return {};
    case ValueKind::Port:
    case ValueKind::Count: {
      const bool is_port = kind == ValueKind::Port;
      const auto number = parse_number(text, is_port ? 0 : 1, is_port ? 65535 : 10000);
      if (!number) return not_accepted(text, kind);
      value = *number;
      return {};
    }
    case ValueKind::Sid: {
      const auto number = parse_number(text, 1, std::numeric_limits<uint32_t>::max());
      if (!number) return not_accepted(text, kind);
      value = *number;
      return {};
    }
    case ValueKind::StartStop:
      if (text != "start" && text != "stop") return not_accepted(text, kind);
      value = text;
      return {};
    case ValueKind::TunnelAction:
      if (text != "up" && text != "down" && text != "rekey") return not_accepted(text, kind);
      value = text;
      return {};
    case ValueKind::Switch:
      if (text != "on" && text != "off") return not_accepted(text, kind);
      value = text;
      return {};
    case ValueKind::Reference: {
      uint64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size()) {
        return not_accepted(text, kind);
      }
      value = text;
      return {};
    }
    case ValueKind::Keyword:
      parameters.erase(std::string(parameter));
      if (text == parameter) return {};
      return failure("", fmt::format("'{}' is not '{}'", text, parameter));
    case ValueKind::Protocol:
    case ValueKind::Transport:
      if (!is_protocol(text, kind == ValueKind::Transport)) return not_accepted(text, kind);
      value = text;
      return {};
    case ValueKind::Application:
      if (!config::find_application(text)) return no_application(text);
      value = text;
      return {};
    case ValueKind::Domain: {
      const auto pattern = net::parse_domain_pattern(text);
      if (!pattern || pattern->below_only) return not_accepted(text, kind);
      value = pattern->name;
      return {};
    }
    case ValueKind::File:
    case ValueKind::Zone:
    case ValueKind::Interface:
    case ValueKind::Rule:
    case ValueKind::State:
    case ValueKind::Site:
    case ValueKind::Text:
      if (text.empty()) return failure("", fmt::format("'' is not {}", description(kind)));
      value = text;
      return {};
  }
  return failure("", "this kind of value is not known");
}

}  // namespace masugata::cli
