// SPDX-License-Identifier: GPL-2.0-or-later
// Is an address or a port in the set of a rule's header?
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ids/rules/rule.h"
#include "net/address.h"

namespace masugata::ids {

// Binary search over disjoint ranges; IPv4 and IPv6 apart. Immutable; any thread.
class AddressMatcher {
 public:
  AddressMatcher() = default;  // any
  explicit AddressMatcher(const AddressSet& set);

  [[nodiscard]] bool any() const noexcept { return any_; }
  [[nodiscard]] bool contains(const net::IpAddress& address) const noexcept {
    return any_ || find(address);
  }

 private:
  struct Range4 {
    uint32_t first;
    uint32_t last;  // host byte order
  };
  struct Range6 {
    net::IpAddress first;
    net::IpAddress last;
  };
  [[nodiscard]] bool find(const net::IpAddress& address) const noexcept;

  bool any_ = true;
  std::vector<Range4> ipv4_;
  std::vector<Range6> ipv6_;
};

// A few ranges are searched; many become one bit per port (8 KiB). Immutable; any thread.
class PortMatcher {
 public:
  PortMatcher() = default;  // any
  explicit PortMatcher(const PortSet& set);

  [[nodiscard]] bool any() const noexcept { return any_; }
  // `port` in host byte order.
  [[nodiscard]] bool contains(uint16_t port) const noexcept {
    if (any_) return true;
    if (!bits_.empty()) return ((bits_[port >> 6U] >> (port & 63U)) & 1U) != 0;
    for (const auto& [first, last] : ranges_) {
      if (port >= first && port <= last) return true;
    }
    return false;
  }

 private:
  static constexpr size_t kMaximumSearchedRanges = 8;
  bool any_ = true;
  std::vector<std::pair<uint16_t, uint16_t>> ranges_;
  std::vector<uint64_t> bits_;
};

}  // namespace masugata::ids
