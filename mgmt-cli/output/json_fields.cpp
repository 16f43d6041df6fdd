// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/output/json_fields.h"

#include <fmt/format.h>

namespace masugata::cli {

const Json& member(const Json& object, const char* name) {
  static const Json null;
  if (!object.is_object()) return null;
  const auto found = object.find(name);
  return found == object.end() ? null : *found;
}

std::string text_of(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

uint64_t number_of(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_number_unsigned() ? value.get<uint64_t>() : 0;
}

double real_of(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_number() ? value.get<double>() : 0.0;
}

bool flag_of(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_boolean() && value.get<bool>();
}

const Json& list_of(const Json& object, const char* name) {
  static const Json empty = Json::array();
  const Json& value = member(object, name);
  return value.is_array() ? value : empty;
}

std::string joined_of(const Json& object, const char* name) {
  std::string text;
  for (const Json& element : list_of(object, name)) {
    if (!element.is_string()) continue;
    if (!text.empty()) text += ", ";
    text += element.get<std::string>();
  }
  return text;
}

std::string endpoint_of(const Json& object, const char* name) {
  const Json& endpoint = member(object, name);
  const std::string address = text_of(endpoint, "address");
  const uint64_t port = number_of(endpoint, "port");
  if (port == 0) return address;
  if (address.find(':') != std::string::npos) return fmt::format("[{}]:{}", address, port);
  return fmt::format("{}:{}", address, port);
}

}  // namespace masugata::cli
