// SPDX-License-Identifier: GPL-2.0-or-later
// Link and network addresses, prefixes and ranges; text in and out.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "net/byte_order.h"

namespace masugata::net {

// An IEEE 802 MAC address, bytes in transmission order.
struct MacAddress {
  std::array<uint8_t, 6> bytes{};

  // "02:00:00:00:00:01", either case; nullopt for anything else.
  static std::optional<MacAddress> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] bool is_multicast() const noexcept { return (bytes[0] & 1U) != 0; }
  [[nodiscard]] bool is_broadcast() const noexcept {
    return bytes == std::array<uint8_t, 6>{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  }
  [[nodiscard]] bool is_zero() const noexcept { return bytes == std::array<uint8_t, 6>{}; }
  friend auto operator<=>(const MacAddress&, const MacAddress&) = default;
};

enum class Family : uint8_t { Ipv4 = 4, Ipv6 = 6 };

// An IPv4 or IPv6 address in one shape: 16 bytes in network order, IPv4 as ::ffff:a.b.c.d
// (RFC 4291 section 2.5.5.2). A v4-mapped address read from the text form or from an IPv6 header
// would be taken for IPv4: parse() refuses it and decode drops such packets as martian.
struct IpAddress {
  alignas(8) std::array<uint8_t, 16> bytes{};

  static IpAddress from_v4(Be32 address) noexcept {
    // In whole words: hashing and comparing read words, and a word that was written in smaller
    // pieces keeps them waiting.
    const uint64_t words[2] = {0, 0xffff0000U | static_cast<uint64_t>(address.raw) << 32U};
    IpAddress result;
    std::memcpy(result.bytes.data(), words, sizeof words);
    return result;
  }
  static IpAddress from_v6(const uint8_t* sixteen_bytes) noexcept {
    IpAddress result;
    std::memcpy(result.bytes.data(), sixteen_bytes, 16);
    return result;
  }
  // Dotted quad or RFC 4291 text (no zone id, no v4-mapped form); nullopt for anything else.
  static std::optional<IpAddress> parse(std::string_view text);
  // RFC 5952 text for IPv6, dotted quad for IPv4.
  [[nodiscard]] std::string to_string() const;

  // The two halves as they lie in memory; for hashing and comparison only.
  [[nodiscard]] uint64_t high_word() const noexcept {
    uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    return word;
  }
  [[nodiscard]] uint64_t low_word() const noexcept {
    uint64_t word;
    std::memcpy(&word, bytes.data() + 8, 8);
    return word;
  }
  [[nodiscard]] bool is_v4() const noexcept {
    uint32_t mark;
    std::memcpy(&mark, bytes.data() + 8, 4);
    return high_word() == 0 && mark == 0xffff0000U;
  }
  [[nodiscard]] Family family() const noexcept { return is_v4() ? Family::Ipv4 : Family::Ipv6; }
  // Meaningful when is_v4().
  [[nodiscard]] Be32 v4() const noexcept {
    Be32 value;
    std::memcpy(&value.raw, &bytes[12], 4);
    return value;
  }
  [[nodiscard]] bool is_multicast() const noexcept {
    return is_v4() ? (bytes[12] & 0xf0U) == 0xe0U : bytes[0] == 0xff;
  }
  [[nodiscard]] bool is_loopback() const noexcept;
  [[nodiscard]] bool is_unspecified() const noexcept;
  [[nodiscard]] bool is_link_local() const noexcept;  // 169.254/16, fe80::/10
  // 255.255.255.255
  [[nodiscard]] bool is_limited_broadcast() const noexcept {
    return is_v4() && v4().raw == 0xffffffffU;
  }
  // The next address in numeric order; wraps at the end of the 128 bits.
  [[nodiscard]] IpAddress next() const noexcept;

  // Numeric order (network order bytes compare as numbers); IPv4 addresses sort together.
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};
static_assert(sizeof(IpAddress) == 16);

// Inclusive range of one family, first <= last.
struct AddressRange {
  IpAddress first;
  IpAddress last;
  // "10.0.0.1", "10.0.0.0/24" or "10.0.0.1-10.0.0.9", either family; nullopt for anything else.
  static std::optional<AddressRange> parse(std::string_view text);
  [[nodiscard]] bool contains(const IpAddress& address) const noexcept {
    return first <= address && address <= last;
  }
  // Shortest of the three text forms that says the same.
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const AddressRange&, const AddressRange&) = default;
};

// A CIDR prefix (RFC 4632, RFC 4291). `length` counts bits of the family: 0..32 or 0..128.
struct Prefix {
  IpAddress address;  // as written: host bits may be set (an interface address)
  uint8_t length = 0;

  // "192.0.2.1/24", "2001:db8::1/64"; a bare address is a host prefix. nullopt otherwise.
  static std::optional<Prefix> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] Family family() const noexcept { return address.family(); }
  // The prefix as an address range, host bits cleared and set.
  [[nodiscard]] AddressRange range() const noexcept;
  // The same prefix with host bits cleared.
  [[nodiscard]] Prefix network() const noexcept { return {range().first, length}; }
  [[nodiscard]] bool contains(const IpAddress& candidate) const noexcept {
    return candidate.family() == family() && range().contains(candidate);
  }
  friend auto operator<=>(const Prefix&, const Prefix&) = default;
};

}  // namespace masugata::net
