// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packets/field_values.h"

#include <arpa/inet.h>

#include <charconv>
#include <vector>

namespace masugata::test {
namespace {

constexpr std::string_view kTcpLetters = "CEUAPRSF";

std::optional<uint64_t> read_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x")) {
    base = 16;
    text.remove_prefix(2);
  }
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<std::string> canonical_number(const FieldSchema& schema, const std::string& value) {
  const auto number = read_number(value);
  if (!number) return failure("", "'" + value + "' is no number");
  if (*number > schema.maximum) {
    return failure("", "'" + value + "' is above " + std::to_string(schema.maximum));
  }
  return std::to_string(*number);
}

Result<std::string> canonical_bytes(const std::string& value, bool quoted) {
  if (quoted) return to_hex(reinterpret_cast<const uint8_t*>(value.data()), value.size());
  const std::string_view digits =
      value.starts_with("0x") ? std::string_view(value).substr(2) : std::string_view(value);
  const auto bytes = from_hex(digits);
  if (!bytes) return failure("", "'" + value + "' is neither hexadecimal digits nor in quotes");
  return to_hex(bytes->data(), bytes->size());
}

// Numbers separated by spaces, commas and hyphens; the separators are kept.
Result<std::string> canonical_list(const std::string& value) {
  std::string out;
  size_t start = 0;
  while (start <= value.size()) {
    const size_t end = std::min(value.find_first_of(" ,-", start), value.size());
    const auto number = read_number(std::string_view(value).substr(start, end - start));
    if (!number || *number > 0xffffffff)
      return failure("", "'" + value + "' is no list of numbers");
    out += std::to_string(*number);
    if (end < value.size()) out += value[end];
    start = end + 1;
  }
  return out;
}

}  // namespace

bool is_open_value(std::string_view value) {
  return value == "*" || (!value.empty() && value.front() == '$');
}

Result<std::string> canonical_value(const FieldSchema& schema, const std::string& value,
                                    bool quoted) {
  if (!quoted && is_open_value(value)) return value;
  switch (schema.type) {
    case FieldType::Flag:
      return std::string(kFlagValue);
    case FieldType::Number:
      return canonical_number(schema, value);
    case FieldType::Bytes:
      return canonical_bytes(value, quoted);
    case FieldType::Timestamps:
    case FieldType::Blocks:
      return canonical_list(value);
    case FieldType::Mac: {
      const auto mac = mac_bytes(value);
      if (!mac) return failure("", "'" + value + "' is no MAC address");
      return mac_text(mac->data());
    }
    case FieldType::Address: {
      const auto address = address_bytes(value);
      if (!address) return failure("", "'" + value + "' is no IP address");
      return address_text(address->bytes.data(), address->size);
    }
    case FieldType::TcpFlags: {
      const auto flags = tcp_flags_byte(value);
      if (!flags)
        return failure("", "'" + value + "' are no TCP flags (letters of CEUAPRSF, or none)");
      return tcp_flags_text(*flags);
    }
  }
  return failure("", "unknown type");
}

std::pair<std::string, std::optional<std::string>> split_endpoint(const std::string& text) {
  if (text.starts_with('[')) {
    const size_t end = text.find("]:");
    if (end == std::string::npos) return {text, std::nullopt};
    return {text.substr(1, end - 1), text.substr(end + 2)};
  }
  const size_t colon = text.find(':');
  // An IPv6 address without brackets has several colons and no port.
  if (colon == std::string::npos || text.find(':', colon + 1) != std::string::npos) {
    return {text, std::nullopt};
  }
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::optional<AddressBytes> address_bytes(const std::string& text) {
  AddressBytes address;
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) {
    address.size = 4;
    return address;
  }
  if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) {
    address.size = 16;
    return address;
  }
  return std::nullopt;
}

std::string address_text(const uint8_t* bytes, size_t size) {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, text, sizeof text);
  return text;
}

std::optional<std::array<uint8_t, 6>> mac_bytes(const std::string& text) {
  if (text.size() != 17) return std::nullopt;
  std::array<uint8_t, 6> mac{};
  for (size_t index = 0; index < 6; ++index) {
    if (index > 0 && text[index * 3 - 1] != ':') return std::nullopt;
    const auto byte = from_hex(std::string_view(text).substr(index * 3, 2));
    if (!byte) return std::nullopt;
    mac[index] = byte->front();
  }
  return mac;
}

std::string mac_text(const uint8_t* bytes) {
  std::string text;
  for (size_t index = 0; index < 6; ++index) {
    if (index > 0) text += ':';
    text += to_hex(bytes + index, 1);
  }
  return text;
}

std::optional<uint8_t> tcp_flags_byte(std::string_view letters) {
  if (letters == "none") return uint8_t{0};
  unsigned flags = 0;
  for (const char letter : letters) {
    const size_t place = kTcpLetters.find(letter);
    if (place == std::string_view::npos) return std::nullopt;
    flags |= 0x80U >> place;
  }
  if (flags == 0) return std::nullopt;
  return static_cast<uint8_t>(flags);
}

std::string tcp_flags_text(uint8_t flags) {
  if (flags == 0) return "none";
  std::string text;
  for (size_t place = 0; place < kTcpLetters.size(); ++place) {
    if ((flags & (0x80U >> place)) != 0) text += kTcpLetters[place];
  }
  return text;
}

}  // namespace masugata::test
