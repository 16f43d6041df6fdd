// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/endpoint_matcher.h"

#include <algorithm>

namespace masugata::ids {
namespace {

// Is `address` inside one of the sorted, disjoint ranges?
template <class Range, class Address>
bool find_in(const std::vector<Range>& ranges, const Address& address) noexcept {
  auto after = std::upper_bound(
      ranges.begin(), ranges.end(), address,
      [](const Address& wanted, const Range& range) { return wanted < range.first; });
  return after != ranges.begin() && address <= std::prev(after)->last;
}

}  // namespace

AddressMatcher::AddressMatcher(const AddressSet& set) : any_(set.any) {
  if (any_) return;
  const net::IpAddress lowest4 = net::IpAddress::from_v4(net::Be32::from_host(0));
  const net::IpAddress highest4 = net::IpAddress::from_v4(net::Be32::from_host(0xffffffffU));
  for (const auto& [first, last] : set.ranges) {
    // A range may span both families ("!10.0.0.1"): the IPv4 part is kept apart.
    if (first <= highest4 && last >= lowest4) {
      ipv4_.push_back({std::max(first, lowest4).v4().host(), std::min(last, highest4).v4().host()});
    }
    if (first < lowest4 || last > highest4) ipv6_.push_back({first, last});
  }
  std::sort(ipv4_.begin(), ipv4_.end(),
            [](const Range4& one, const Range4& other) { return one.first < other.first; });
  std::sort(ipv6_.begin(), ipv6_.end(),
            [](const Range6& one, const Range6& other) { return one.first < other.first; });
}

bool AddressMatcher::find(const net::IpAddress& address) const noexcept {
  if (address.is_v4()) return find_in(ipv4_, address.v4().host());
  return find_in(ipv6_, address);
}

PortMatcher::PortMatcher(const PortSet& set) : any_(set.any) {
  if (any_) return;
  if (set.ranges.size() <= kMaximumSearchedRanges) {
    ranges_ = set.ranges;
    return;
  }
  bits_.resize(65536 / 64);
  for (const auto& [first, last] : set.ranges) {
    for (uint32_t port = first; port <= last; ++port) {
      bits_[port >> 6U] |= uint64_t{1} << (port & 63U);
    }
  }
}

}  // namespace masugata::ids
