// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the named parameters of a request and refuses what nobody asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "dataplane/control/json_rpc.h"
#include "net/address.h"
#include "net/flow_key.h"

namespace masugata::dataplane::control {

// Remembers the first thing that is wrong; readers then return their default. Ask error() after
// the last one. `parameters` must be an object and outlive the reader.
class ParameterReader {
 public:
  explicit ParameterReader(const Json& parameters) : parameters_(parameters) {}

  std::string text(const char* name);  // empty when absent; at most 4,096 bytes
  std::string required_text(const char* name);
  // `fallback` when absent, a fault outside of least..most.
  uint32_t number(const char* name, uint32_t least, uint32_t most, uint32_t fallback);
  bool flag(const char* name, bool fallback);
  std::optional<uint16_t> port(const char* name);
  std::optional<net::AddressRange> addresses(const char* name);
  std::optional<net::IpAddress> address(const char* name);
  std::optional<net::Protocol> protocol(const char* name);

  void complain(const std::string& what);
  // What is wrong, unknown parameters included; nullopt when all is well.
  [[nodiscard]] std::optional<RpcError> error();

 private:
  const Json* find(const char* name);

  const Json& parameters_;
  std::set<std::string> known_;
  std::optional<std::string> complaint_;
};

}  // namespace masugata::dataplane::control
