// SPDX-License-Identifier: GPL-2.0-or-later
// What a DNS message says about addresses: its question, and the addresses that its answers lead to
// (RFC 1035 section 4, RFC 3596). Allocates nothing; for the packet path.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "net/address.h"

namespace masugata::net {

inline constexpr size_t kMaximumAnswerAddresses = 32;  // later ones are left out
inline constexpr size_t kMaximumAnswerAliases = 8;     // a longer chain leads nowhere

// A host name, lower case, without a dot at its end.
struct DnsHostName {
  uint8_t bytes = 0;
  std::array<char, 253> text{};
  [[nodiscard]] std::string_view view() const noexcept { return {text.data(), bytes}; }
};

struct DnsAddress {
  IpAddress address;
  // The shortest life of the address and of the aliases that lead to it.
  uint32_t ttl_seconds = 0;
};

struct DnsAnswer {
  uint16_t id = 0;
  bool is_response = false;
  bool has_error = false;  // an answer with another code than NOERROR
  uint16_t question_type = 0;
  DnsHostName question;
  uint8_t alias_count = 0;
  std::array<DnsHostName, kMaximumAnswerAliases> aliases;  // in the order of the chain
  uint8_t address_count = 0;
  std::array<DnsAddress, kMaximumAnswerAddresses> addresses;
};

// Reads a message (without TCP's length). False when it is no standard query or answer with one
// question for a host name of class IN, or when its records end before they should. Addresses are
// those of the question's name, or of the last of its aliases; aliases are followed in the order in
// which they stand, as resolvers write them. Everything else in the message is passed over.
[[nodiscard]] bool read_dns_answer(std::span<const uint8_t> message, DnsAnswer& answer) noexcept;

}  // namespace masugata::net
