// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/replay/replay_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <limits>
#include <type_traits>
#include <utility>

namespace masugata::dataplane {
namespace {

constexpr std::string_view kAddressPrefix = "vars.address-groups.";
constexpr std::string_view kPortPrefix = "vars.port-groups.";

using NamedFlag = std::pair<std::string_view, bool ReplaySettings::*>;
constexpr std::array<NamedFlag, 7> kFlags{{
    {"inline", &ReplaySettings::inline_mode},
    {"stream.inline", &ReplaySettings::stream_inline},
    {"checksums", &ReplaySettings::verify_checksums},
    {"stream.midstream", &ReplaySettings::midstream},
    {"stream.async-oneside", &ReplaySettings::one_sided},
    {"exceptions-drop", &ReplaySettings::exceptions_drop},
    {"decoder.track-parent-flow", &ReplaySettings::track_parent_flow},
}};

using NamedNumber = std::pair<std::string_view, uint32_t ReplaySettings::*>;
constexpr std::array<NamedNumber, 9> kNumbers{{
    {"body-limit", &ReplaySettings::body_limit_bytes},
    {"packet-alert-max", &ReplaySettings::alerts_per_packet},
    {"flow.maximum", &ReplaySettings::maximum_flows},
    {"stream.memory", &ReplaySettings::stream_memory_bytes},
    {"flow-timeouts.tcp.new", &ReplaySettings::tcp_new_timeout_s},
    {"flow-timeouts.tcp.established", &ReplaySettings::tcp_established_timeout_s},
    {"flow-timeouts.tcp.closed", &ReplaySettings::tcp_closed_timeout_s},
    {"flow-timeouts.default.new", &ReplaySettings::other_new_timeout_s},
    {"flow-timeouts.default.established", &ReplaySettings::other_established_timeout_s},
}};

using NamedPort = std::pair<std::string_view, uint16_t ReplaySettings::*>;
constexpr std::array<NamedPort, 2> kPorts{{
    {"decoder.vxlan.port", &ReplaySettings::vxlan_port},
    {"decoder.geneve.port", &ReplaySettings::geneve_port},
}};

using NamedPolicy = std::pair<std::string_view, MidstreamPolicy>;
constexpr std::array<NamedPolicy, 8> kPolicies{{
    {"auto", MidstreamPolicy::Automatic},
    {"ignore", MidstreamPolicy::Ignore},
    {"pass-packet", MidstreamPolicy::PassPacket},
    {"pass-flow", MidstreamPolicy::PassFlow},
    {"bypass", MidstreamPolicy::PassFlow},
    {"drop-packet", MidstreamPolicy::DropPacket},
    {"drop-flow", MidstreamPolicy::DropFlow},
    {"reject", MidstreamPolicy::Reject},
}};

using NamedFailure = std::pair<std::string_view, ids::ParserFailure>;
constexpr std::array<NamedFailure, 7> kFailures{{
    {"ignore", ids::ParserFailure::Ignore},
    {"pass-packet", ids::ParserFailure::PassPacket},
    {"pass-flow", ids::ParserFailure::PassFlow},
    {"bypass", ids::ParserFailure::PassFlow},
    {"drop-packet", ids::ParserFailure::DropPacket},
    {"drop-flow", ids::ParserFailure::DropFlow},
    {"reject", ids::ParserFailure::Reject},
}};

template <class Table>
auto find_in(const Table& table, std::string_view key) -> decltype(table.data()) {
  for (const auto& entry : table) {
    if (entry.first == key) return &entry;
  }
  return nullptr;
}

Status set_flag(bool& flag, std::string_view key, std::string_view value) {
  const bool yes = value == "true" || value == "yes" || value == "on" || value == "1";
  const bool no = value == "false" || value == "no" || value == "off" || value == "0";
  if (!yes && !no) {
    return failure(std::string(key), "expects true or false, not '" + std::string(value) + "'");
  }
  flag = yes;
  return {};
}

template <class Number>
Status set_number(Number& number, std::string_view key, std::string_view value) {
  Number read = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), read);
  if (error != std::errc{} || end != value.data() + value.size()) {
    return failure(std::string(key), "expects a number up to " +
                                         std::to_string(std::numeric_limits<Number>::max()) +
                                         ", not '" + std::string(value) + "'");
  }
  number = read;
  return {};
}

constexpr std::array<std::pair<std::string_view, ids::RuleAction>, 4> kActions{{
    {"pass", ids::RuleAction::Pass},
    {"drop", ids::RuleAction::Drop},
    {"reject", ids::RuleAction::RejectBoth},
    {"alert", ids::RuleAction::Alert},
}};

// All four, with commas between them.
Status set_action_order(ids::ActionOrder& order, std::string_view key, std::string_view value) {
  ids::ActionOrder read{};
  std::string_view rest = value;
  for (size_t place = 0; place < read.size(); ++place) {
    const std::string_view word = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    const auto* action = find_in(kActions, word);
    const auto known = read.begin() + static_cast<std::ptrdiff_t>(place);
    if (action == nullptr || std::find(read.begin(), known, action->second) != known) {
      return failure(std::string(key), "expects pass, drop, reject and alert, each once");
    }
    read[place] = action->second;
  }
  if (!rest.empty()) {
    return failure(std::string(key), "expects pass, drop, reject and alert, each once");
  }
  order = read;
  return {};
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

Status apply_setting(ReplaySettings& settings, std::string_view key, std::string_view value) {
  if (const auto* flag = find_in(kFlags, key)) {
    return set_flag(settings.*(flag->second), key, value);
  }
  if (const auto* number = find_in(kNumbers, key)) {
    return set_number(settings.*(number->second), key, value);
  }
  if (const auto* port = find_in(kPorts, key)) {
    return set_number(settings.*(port->second), key, value);
  }
  if (key == "action-order") return set_action_order(settings.action_order, key, value);
  if (key == "stream.midstream-policy") {
    const auto* policy = find_in(kPolicies, value);
    if (policy == nullptr) {
      return failure(std::string(key), "knows no policy '" + std::string(value) + "'");
    }
    settings.midstream_policy = policy->second;
    return {};
  }
  if (key == "app-layer.error-policy") {
    const auto* failure_policy = find_in(kFailures, value);
    if (failure_policy == nullptr && value != "auto") {
      return failure(std::string(key), "knows no policy '" + std::string(value) + "'");
    }
    settings.parser_failure.reset();
    if (failure_policy != nullptr) settings.parser_failure = failure_policy->second;
    return {};
  }
  if (key.starts_with(kAddressPrefix) && key.size() > kAddressPrefix.size()) {
    settings.address_variables[std::string(key.substr(kAddressPrefix.size()))] = value;
    return {};
  }
  if (key.starts_with(kPortPrefix) && key.size() > kPortPrefix.size()) {
    settings.port_variables[std::string(key.substr(kPortPrefix.size()))] = value;
    return {};
  }
  return failure(std::string(key), "is no setting of a replay");
}

Status load_settings(ReplaySettings& settings, const std::string& path) {
  std::ifstream file(path);
  if (!file) return failure(path, "cannot be read");
  std::string line;
  for (size_t number = 1; std::getline(file, line); ++number) {
    std::string_view text = line;
    text = trimmed(text.substr(0, text.find('#')));
    if (text.empty()) continue;
    const std::string where = path + ":" + std::to_string(number);
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) return failure(where, "expects 'key = value'");
    const Status applied =
        apply_setting(settings, trimmed(text.substr(0, equals)), trimmed(text.substr(equals + 1)));
    if (!applied) return failure(where, applied.error().message());
  }
  return {};
}

}  // namespace masugata::dataplane
