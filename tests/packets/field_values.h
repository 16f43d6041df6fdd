// SPDX-License-Identifier: GPL-2.0-or-later
// Field values as people write them -> canonical text, and to bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "result/result.h"
#include "tests/packets/layer_schema.h"

namespace masugata::test {

// True for "*" and "$name": values that only a matcher understands.
[[nodiscard]] bool is_open_value(std::string_view value);

// The canonical form of a value of `schema.type` (see Field). `quoted` says that the value stood in
// quotes. Fault: not a value of that type, or above the maximum.
[[nodiscard]] Result<std::string> canonical_value(const FieldSchema& schema,
                                                  const std::string& value, bool quoted);

// "10.0.0.1:80", "[2001:db8::1]:80", "10.0.0.1", "$a:$p", "*": address and port; the port is
// nullopt when there is none.
[[nodiscard]] std::pair<std::string, std::optional<std::string>> split_endpoint(
    const std::string& text);

// An address as 4 or 16 bytes (`size` tells).
struct AddressBytes {
  std::array<uint8_t, 16> bytes{};
  size_t size = 0;
};
[[nodiscard]] std::optional<AddressBytes> address_bytes(const std::string& text);
[[nodiscard]] std::string address_text(const uint8_t* bytes, size_t size);
[[nodiscard]] std::optional<std::array<uint8_t, 6>> mac_bytes(const std::string& text);
[[nodiscard]] std::string mac_text(const uint8_t* bytes);

// TCP flags as the byte on the wire, and as letters in the order CEUAPRSF ("none" for no flag).
[[nodiscard]] std::optional<uint8_t> tcp_flags_byte(std::string_view letters);
[[nodiscard]] std::string tcp_flags_text(uint8_t flags);

}  // namespace masugata::test
