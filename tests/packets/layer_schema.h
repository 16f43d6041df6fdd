// SPDX-License-Identifier: GPL-2.0-or-later
// What may be said about each layer: its keyword and its fields. One table for parser, text form
// and matcher.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tests/packets/recipe.h"

namespace masugata::test {

enum class FieldType : uint8_t {
  Number,
  Flag,  // no value
  Mac,
  Address,
  Bytes,       // hexadecimal digits or a quoted text
  TcpFlags,    // letters of CEUAPRSF, or "none"
  Timestamps,  // two numbers
  Blocks,      // SACK blocks "1-100,200-300"
};

struct FieldSchema {
  std::string_view name;
  FieldType type = FieldType::Number;
  uint64_t maximum = 0xffffffff;
  bool repeats = false;  // may be named more than once
};

// What stands behind the keyword as "SOURCE > DESTINATION".
enum class Endpoints : uint8_t { None, Macs, Addresses, AddressesAndPorts };

struct LayerSchema {
  LayerKind kind;
  std::string_view keyword;
  Endpoints endpoints;
  std::span<const FieldSchema> fields;
};

[[nodiscard]] const LayerSchema& schema_of(LayerKind kind);
// nullptr when no layer has that keyword.
[[nodiscard]] const LayerSchema* find_schema(std::string_view keyword);
// nullptr when the layer has no such field.
[[nodiscard]] const FieldSchema* find_field(const LayerSchema& schema, std::string_view name);

// ICMP messages by name: "echo-request", "unreachable port". Type and code.
struct IcmpName {
  std::string_view words;
  uint8_t type = 0;
  uint8_t code = 0;
};
[[nodiscard]] std::optional<IcmpName> find_icmp(bool icmp6, std::string_view words);
// Empty when the pair has no name.
[[nodiscard]] std::string_view icmp_words(bool icmp6, uint64_t type, uint64_t code);
// True for messages that quote the packet that they are about (RFC 792, RFC 4443).
[[nodiscard]] bool icmp_quotes(bool icmp6, uint64_t type);

// The IP protocol number of a layer; nullopt for layers that are none.
[[nodiscard]] std::optional<uint8_t> protocol_of(LayerKind kind);
// Protocols with a keyword but no layer of their own ("gre", "esp"); nullopt for other words.
[[nodiscard]] std::optional<uint8_t> named_protocol(std::string_view keyword);
[[nodiscard]] std::string_view protocol_keyword(uint64_t number);

}  // namespace masugata::test
