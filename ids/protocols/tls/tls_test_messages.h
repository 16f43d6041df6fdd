// SPDX-License-Identifier: GPL-2.0-or-later
// TLS messages and certificates for tests, built from their parts. Bytes are strings.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace masugata::ids::tls_test {

inline std::string be(size_t value, size_t octets) {
  std::string bytes;
  for (size_t index = octets; index-- > 0;) {
    bytes += static_cast<char>(value >> (8 * index) & 0xffU);
  }
  return bytes;
}
inline std::string counted(const std::string& bytes, size_t octets) {
  return be(bytes.size(), octets) + bytes;
}
inline std::string list16(const std::vector<uint16_t>& values) {
  std::string bytes;
  for (const uint16_t value : values) bytes += be(value, 2);
  return bytes;
}

using Extensions = std::vector<std::pair<uint16_t, std::string>>;

inline std::string extension_block(const Extensions& extensions) {
  std::string bytes;
  for (const auto& [kind, data] : extensions) bytes += be(kind, 2) + counted(data, 2);
  return counted(bytes, 2);
}
inline std::string server_name(const std::string& name, uint8_t type = 0) {
  return counted(std::string(1, static_cast<char>(type)) + counted(name, 2), 2);
}
inline std::string alpn(const std::vector<std::string>& names) {
  std::string bytes;
  for (const std::string& name : names) bytes += counted(name, 1);
  return counted(bytes, 2);
}

struct ClientHelloParts {
  uint16_t version = 0x0303;
  std::vector<uint16_t> ciphers{0x1301, 0xc02f};
  Extensions extensions;
};
inline std::string message(uint8_t type, const std::string& body) {
  return std::string(1, static_cast<char>(type)) + counted(body, 3);
}
inline std::string client_hello(const ClientHelloParts& parts) {
  return message(1, be(parts.version, 2) + std::string(32, 'R') + counted("", 1) +
                        counted(list16(parts.ciphers), 2) + counted(std::string(1, '\0'), 1) +
                        extension_block(parts.extensions));
}
inline std::string server_hello(uint16_t version, uint16_t cipher, const Extensions& extensions) {
  return message(2, be(version, 2) + std::string(32, 'S') + counted("", 1) + be(cipher, 2) +
                        std::string(1, '\0') + extension_block(extensions));
}
inline std::string record(uint8_t type, const std::string& content, uint16_t version = 0x0301) {
  return std::string(1, static_cast<char>(type)) + be(version, 2) + counted(content, 2);
}

// DER, up to 64 KiB.
inline std::string der(uint8_t tag, const std::string& content) {
  std::string length =
      content.size() < 128 ? be(content.size(), 1) : "\x82" + be(content.size(), 2);
  return std::string(1, static_cast<char>(tag)) + length + content;
}
inline std::string attribute(const std::string& identifier, uint8_t tag, const std::string& value) {
  return der(0x31, der(0x30, der(0x06, identifier) + der(tag, value)));
}
struct CertificateParts {
  std::string serial = "\x0e\x06\xed";
  std::string issuer =
      attribute("\x55\x04\x06", 0x13, "US") + attribute("\x55\x04\x03", 0x0c, "CA");
  std::string subject = attribute("\x55\x04\x03", 0x0c, "host.example");
  std::string not_before = der(0x17, "200101000000Z");
  std::string not_after = der(0x18, "20510102030405Z");
  std::string alternative_names = der(0x82, "host.example") + der(0x82, "www.example");
};
inline std::string certificate(const CertificateParts& parts) {
  const std::string algorithm = der(0x30, der(0x06, "\x2a\x03"));
  const std::string names = der(
      0x30, der(0x30, der(0x06, "\x55\x1d\x11") + der(0x04, der(0x30, parts.alternative_names))));
  const std::string signed_part =
      der(0xa0, der(0x02, "\x02")) + der(0x02, parts.serial) + algorithm + der(0x30, parts.issuer) +
      der(0x30, parts.not_before + parts.not_after) + der(0x30, parts.subject) +
      der(0x30, algorithm + der(0x03, "key")) + der(0xa3, names);
  return der(0x30, der(0x30, signed_part) + algorithm + der(0x03, "signature"));
}
inline std::string certificates(const std::vector<std::string>& chain) {
  std::string list;
  for (const std::string& each : chain) list += counted(each, 3);
  return message(11, counted(list, 3));
}

inline std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace masugata::ids::tls_test
