// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/rules/header_groups.h"

#include <bit>
#include <optional>

#include "ids/rules/group_reader.h"

namespace masugata::ids {
namespace {

net::IpAddress previous_address(net::IpAddress address) noexcept {
  for (size_t i = address.bytes.size(); i-- > 0;) {
    if (address.bytes[i]-- != 0) break;
  }
  return address;
}

// "255.255.0.0" as a prefix length; nullopt when its ones are not in one piece.
std::optional<uint8_t> mask_length(std::string_view text) {
  const auto mask = net::IpAddress::parse(text);
  if (!mask || !mask->is_v4()) return std::nullopt;
  uint32_t bits = 0;
  for (size_t i = 12; i < 16; ++i) bits = bits << 8U | mask->bytes[i];
  const int ones = std::countl_one(bits);
  if (std::popcount(bits) != ones) return std::nullopt;
  return static_cast<uint8_t>(ones);
}

struct AddressTraits {
  using Value = net::IpAddress;
  using Range = std::pair<Value, Value>;
  static constexpr const char* kExpected = "an address, prefix, range or variable";

  static Range universe() {
    Range all;
    all.second.bytes.fill(0xff);
    return all;
  }
  static Value next(const Value& value) { return value.next(); }
  static Value previous(const Value& value) { return previous_address(value); }
  static std::optional<Range> read(std::string_view text) {
    const size_t slash = text.find('/');
    if (slash != std::string_view::npos && text.find('.', slash) != std::string_view::npos) {
      const auto length = mask_length(text.substr(slash + 1));
      const auto address = net::IpAddress::parse(text.substr(0, slash));
      if (!length || !address || !address->is_v4()) return std::nullopt;
      const net::AddressRange range = net::Prefix{*address, *length}.range();
      return Range{range.first, range.last};
    }
    const auto range = net::AddressRange::parse(text);
    if (range) return Range{range->first, range->last};
    const auto prefix = net::Prefix::parse(text);
    if (!prefix) return std::nullopt;
    return Range{prefix->range().first, prefix->range().last};
  }
};

struct PortTraits {
  using Value = uint16_t;
  using Range = std::pair<Value, Value>;
  static constexpr const char* kExpected = "a port, a range LOW:HIGH or a variable";

  static Range universe() { return {0, UINT16_MAX}; }
  static Value next(Value value) { return static_cast<Value>(value + 1U); }
  static Value previous(Value value) { return static_cast<Value>(value - 1U); }
  static std::optional<Range> read(std::string_view text) {
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
      const auto port = parse_unsigned(text, UINT16_MAX);
      if (!port) return std::nullopt;
      return Range{static_cast<Value>(*port), static_cast<Value>(*port)};
    }
    const std::string_view low = trimmed(text.substr(0, colon));
    const std::string_view high = trimmed(text.substr(colon + 1));
    const auto first = low.empty() ? std::optional<uint64_t>(0) : parse_unsigned(low, UINT16_MAX);
    const auto last =
        high.empty() ? std::optional<uint64_t>(UINT16_MAX) : parse_unsigned(high, UINT16_MAX);
    if (!first || !last || *first > *last || text.size() == 1) return std::nullopt;
    return Range{static_cast<Value>(*first), static_cast<Value>(*last)};
  }
};

template <class Set, class Traits>
Read<Set> read_group(std::string_view text, const Variables& variables) {
  auto ranges = GroupReader<Traits>(variables).read(text);
  if (!ranges) return tl::unexpected(ranges.error());
  Set set;
  set.any = ranges->size() == 1 && ranges->front() == Traits::universe();
  if (!set.any) set.ranges = std::move(*ranges);
  return set;
}

}  // namespace

Read<AddressSet> read_address_group(std::string_view text, const Variables& variables) {
  return read_group<AddressSet, AddressTraits>(text, variables);
}

Read<PortSet> read_port_group(std::string_view text, const Variables& variables) {
  return read_group<PortSet, PortTraits>(text, variables);
}

}  // namespace masugata::ids
