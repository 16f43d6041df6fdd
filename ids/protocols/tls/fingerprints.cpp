// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/tls/fingerprints.h"

#include <algorithm>

#include "ids/protocols/tls/digest_text.h"

namespace masugata::ids {
namespace {

constexpr uint16_t kServerName = 0;
constexpr uint16_t kAlpn = 16;
constexpr std::string_view kNothing = "000000000000";  // in place of the hash of an empty list

template <typename Value>
void append_decimal_list(const std::vector<Value>& values, std::string& text) {
  bool first = true;
  for (const Value value : values) {
    if (sizeof(Value) == 2 && is_grease(value)) continue;
    if (!first) text += '-';
    first = false;
    text += std::to_string(value);
  }
}

std::string hex4(uint16_t value) {
  const uint8_t bytes[] = {static_cast<uint8_t>(value >> 8U), static_cast<uint8_t>(value & 0xffU)};
  return hex_of(bytes);
}

std::string hex_list(const std::vector<uint16_t>& values) {
  std::string text;
  for (const uint16_t value : values) {
    if (!text.empty()) text += ',';
    text += hex4(value);
  }
  return text;
}

std::vector<uint16_t> without_grease(const std::vector<uint16_t>& values) {
  std::vector<uint16_t> kept;
  std::copy_if(values.begin(), values.end(), std::back_inserter(kept),
               [](uint16_t value) { return !is_grease(value); });
  return kept;
}

std::string short_hash(const std::string& text) {
  return text.empty() ? std::string{kNothing} : sha256_hex(text).substr(0, kNothing.size());
}

std::string two_digits(size_t count) {
  const size_t shown = std::min<size_t>(count, 99);
  return (shown < 10 ? "0" : "") + std::to_string(shown);
}

std::string_view version_name(const TlsHello& hello) {
  uint16_t highest = 0;
  for (const uint16_t version : hello.supported_versions) {
    if (!is_grease(version)) highest = std::max(highest, version);
  }
  switch (highest != 0 ? highest : hello.legacy_version) {
    case 0x0304:
      return "13";
    case 0x0303:
      return "12";
    case 0x0302:
      return "11";
    case 0x0301:
      return "10";
    case 0x0300:
      return "s3";
    case 0x0200:
    case 0x0002:
      return "s2";
    default:
      return "00";
  }
}

bool is_alphanumeric(char letter) {
  return (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= 'a' && letter <= 'z');
}

// First and last character of the first protocol offered, or of its hex form.
std::string alpn_mark(const TlsHello& hello) {
  if (hello.alpn.empty() || hello.alpn.front().empty()) return "00";
  const std::string& name = hello.alpn.front();
  if (is_alphanumeric(name.front()) && is_alphanumeric(name.back())) {
    return {name.front(), name.back()};
  }
  const uint8_t ends[] = {static_cast<uint8_t>(name.front()), static_cast<uint8_t>(name.back())};
  const std::string hex = hex_of(ends);
  return {hex.front(), hex.back()};
}

}  // namespace

std::string ja3_string(const TlsHello& client_hello) {
  std::string text = std::to_string(client_hello.legacy_version) + ',';
  append_decimal_list(client_hello.ciphers, text);
  text += ',';
  append_decimal_list(client_hello.extensions, text);
  text += ',';
  append_decimal_list(client_hello.groups, text);
  text += ',';
  append_decimal_list(client_hello.point_formats, text);
  return text;
}

std::string ja3s_string(const TlsHello& server_hello) {
  std::string text = std::to_string(server_hello.legacy_version) + ',';
  append_decimal_list(server_hello.ciphers, text);
  text += ',';
  append_decimal_list(server_hello.extensions, text);
  return text;
}

std::string ja4_fingerprint(const TlsHello& client_hello) {
  std::vector<uint16_t> ciphers = without_grease(client_hello.ciphers);
  std::vector<uint16_t> extensions = without_grease(client_hello.extensions);
  const bool names_server =
      std::find(extensions.begin(), extensions.end(), kServerName) != extensions.end();
  std::string text = "t";
  text += version_name(client_hello);
  text += names_server ? 'd' : 'i';
  text += two_digits(ciphers.size()) + two_digits(extensions.size()) + alpn_mark(client_hello);
  std::sort(ciphers.begin(), ciphers.end());
  std::sort(extensions.begin(), extensions.end());
  std::erase(extensions, kServerName);
  std::erase(extensions, kAlpn);
  std::string second = hex_list(extensions);
  const std::string algorithms = hex_list(without_grease(client_hello.signature_algorithms));
  if (!second.empty() && !algorithms.empty()) second += '_' + algorithms;
  return text + '_' + short_hash(hex_list(ciphers)) + '_' + short_hash(second);
}

}  // namespace masugata::ids
