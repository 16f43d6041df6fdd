// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstring>

namespace masugata::net {
namespace {

// One two-digit hexadecimal number.
std::optional<uint8_t> parse_hex_pair(std::string_view text) {
  uint8_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, 16);
  if (text.size() != 2 || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// A decimal prefix length without sign, blanks or leading zeros.
std::optional<uint8_t> parse_length(std::string_view text, unsigned maximum) {
  unsigned value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || text.size() > 3 || error != std::errc() || stop != end) return std::nullopt;
  if (value > maximum || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return static_cast<uint8_t>(value);
}

// Bits of the 16-byte form that stand before the address proper.
unsigned offset_bits(Family family) { return family == Family::Ipv4 ? 96 : 0; }

// The host bits of eight bytes of an address of which `network_bits` belong to the network, as they
// lie in memory. In whole words: new sessions ask prefixes for their ranges.
uint64_t host_bits(unsigned network_bits) {
  if (network_bits >= 64) return 0;
  const uint64_t host = ~uint64_t{0} >> network_bits;
  return std::endian::native == std::endian::little ? __builtin_bswap64(host) : host;
}

}  // namespace

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
  constexpr size_t kTextLength = 17;
  if (text.size() != kTextLength) return std::nullopt;
  MacAddress result;
  for (size_t index = 0; index < result.bytes.size(); ++index) {
    const size_t offset = index * 3;
    if (index > 0 && text[offset - 1] != ':') return std::nullopt;
    const auto byte = parse_hex_pair(text.substr(offset, 2));
    if (!byte) return std::nullopt;
    result.bytes[index] = *byte;
  }
  return result;
}

std::string MacAddress::to_string() const {
  char text[18];
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2],
                bytes[3], bytes[4], bytes[5]);
  return text;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN];
  // A zero byte inside would end the C string early and hide what follows.
  if (text.size() >= sizeof terminated || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = '\0';
  if (text.find(':') == std::string_view::npos) {
    Be32 address;
    if (inet_pton(AF_INET, terminated, &address.raw) != 1) return std::nullopt;
    return from_v4(address);
  }
  uint8_t sixteen_bytes[16];
  if (inet_pton(AF_INET6, terminated, sixteen_bytes) != 1) return std::nullopt;
  const IpAddress result = from_v6(sixteen_bytes);
  if (result.is_v4()) return std::nullopt;
  return result;
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN];
  if (is_v4()) {
    inet_ntop(AF_INET, &bytes[12], text, sizeof text);
  } else {
    inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  }
  return text;
}

bool IpAddress::is_loopback() const noexcept {
  if (is_v4()) return bytes[12] == 127;
  return high_word() == 0 && low_word() == __builtin_bswap64(1);
}

bool IpAddress::is_unspecified() const noexcept {
  return is_v4() ? v4().raw == 0 : high_word() == 0 && low_word() == 0;
}

bool IpAddress::is_link_local() const noexcept {
  if (is_v4()) return bytes[12] == 169 && bytes[13] == 254;
  return bytes[0] == 0xfe && (bytes[1] & 0xc0U) == 0x80U;
}

IpAddress IpAddress::next() const noexcept {
  IpAddress result = *this;
  for (size_t index = result.bytes.size(); index-- > 0;) {
    result.bytes[index] = static_cast<uint8_t>(result.bytes[index] + 1U);
    if (result.bytes[index] != 0) break;
  }
  return result;
}

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
  const size_t dash = text.find('-');
  if (dash == std::string_view::npos) {
    const auto prefix = Prefix::parse(text);
    if (!prefix) return std::nullopt;
    return prefix->range();
  }
  const auto first = IpAddress::parse(text.substr(0, dash));
  const auto last = IpAddress::parse(text.substr(dash + 1));
  if (!first || !last || first->family() != last->family() || *last < *first) return std::nullopt;
  return AddressRange{*first, *last};
}

std::string AddressRange::to_string() const {
  if (first == last) return first.to_string();
  const unsigned bits = first.is_v4() ? 32 : 128;
  for (unsigned length = 0; length < bits; ++length) {
    const Prefix prefix{first, static_cast<uint8_t>(length)};
    if (prefix.range() == *this) return prefix.to_string();
  }
  return first.to_string() + "-" + last.to_string();
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned maximum = address->is_v4() ? 32 : 128;
  if (slash == std::string_view::npos) return Prefix{*address, static_cast<uint8_t>(maximum)};
  const auto length = parse_length(text.substr(slash + 1), maximum);
  if (!length) return std::nullopt;
  return Prefix{*address, *length};
}

std::string Prefix::to_string() const { return address.to_string() + "/" + std::to_string(length); }

AddressRange Prefix::range() const noexcept {
  const unsigned network_bits = offset_bits(family()) + length;
  const uint64_t high_hosts = host_bits(network_bits);
  const uint64_t low_hosts = host_bits(network_bits > 64 ? network_bits - 64 : 0);
  const uint64_t high = address.high_word();
  const uint64_t low = address.low_word();
  const uint64_t first[2] = {high & ~high_hosts, low & ~low_hosts};
  const uint64_t last[2] = {high | high_hosts, low | low_hosts};
  AddressRange result;
  std::memcpy(result.first.bytes.data(), first, sizeof first);
  std::memcpy(result.last.bytes.data(), last, sizeof last);
  return result;
}

}  // namespace masugata::net
