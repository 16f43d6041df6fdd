// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/parameter_reader.h"

#include "dataplane/control/records_json.h"

namespace masugata::dataplane::control {
namespace {

constexpr size_t kMaximumTextBytes = 4096;

std::string quoted(const char* name) { return std::string("\"") + name + "\""; }

}  // namespace

const Json* ParameterReader::find(const char* name) {
  known_.insert(name);
  const auto found = parameters_.find(name);
  return found == parameters_.end() ? nullptr : &*found;
}

void ParameterReader::complain(const std::string& what) {
  if (!complaint_) complaint_ = what;
}

std::string ParameterReader::text(const char* name) {
  const Json* value = find(name);
  if (value == nullptr) return {};
  if (!value->is_string()) {
    complain(quoted(name) + " is not a string");
    return {};
  }
  auto result = value->get<std::string>();
  if (result.size() > kMaximumTextBytes || result.find('\0') != std::string::npos) {
    complain(quoted(name) + " is longer than 4096 bytes or holds a zero byte");
    return {};
  }
  return result;
}

std::string ParameterReader::required_text(const char* name) {
  auto result = text(name);
  if (result.empty()) complain(quoted(name) + " is missing");
  return result;
}

uint32_t ParameterReader::number(const char* name, uint32_t least, uint32_t most,
                                 uint32_t fallback) {
  const Json* value = find(name);
  if (value == nullptr) return fallback;
  if (value->is_number_unsigned()) {
    const auto given = value->get<uint64_t>();
    if (given >= least && given <= most) return static_cast<uint32_t>(given);
  }
  complain(quoted(name) + " is not a number from " + std::to_string(least) + " to " +
           std::to_string(most));
  return fallback;
}

bool ParameterReader::flag(const char* name, bool fallback) {
  const Json* value = find(name);
  if (value == nullptr) return fallback;
  if (value->is_boolean()) return value->get<bool>();
  complain(quoted(name) + " is neither true nor false");
  return fallback;
}

std::optional<uint16_t> ParameterReader::port(const char* name) {
  if (find(name) == nullptr) return std::nullopt;
  return static_cast<uint16_t>(number(name, 0, 65535, 0));
}

std::optional<net::AddressRange> ParameterReader::addresses(const char* name) {
  const auto given = text(name);
  if (given.empty()) return std::nullopt;
  const auto range = net::AddressRange::parse(given);
  if (!range) complain(quoted(name) + ": " + given + " is no address, prefix or range");
  return range;
}

std::optional<net::IpAddress> ParameterReader::address(const char* name) {
  const auto given = required_text(name);
  const auto result = net::IpAddress::parse(given);
  if (!result) complain(quoted(name) + ": " + given + " is no address");
  return result;
}

std::optional<net::Protocol> ParameterReader::protocol(const char* name) {
  const auto given = text(name);
  if (given.empty()) return std::nullopt;
  const auto result = find_protocol(given);
  if (!result) complain(quoted(name) + ": " + given + " is no protocol name or number 0 to 255");
  return result;
}

std::optional<RpcError> ParameterReader::error() {
  for (const auto& [name, value] : parameters_.items()) {
    if (known_.count(name) == 0) complain("there is no parameter \"" + name + "\"");
  }
  if (!complaint_) return std::nullopt;
  return RpcError{RpcErrorCode::InvalidParameters, *complaint_, nullptr};
}

}  // namespace masugata::dataplane::control
