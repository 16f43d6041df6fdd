// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/endpoint_matcher.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace masugata::ids {
namespace {

net::IpAddress address(std::string_view text) { return *net::IpAddress::parse(text); }

AddressSet addresses(std::initializer_list<std::pair<const char*, const char*>> ranges) {
  AddressSet set;
  set.any = false;
  for (const auto& [first, last] : ranges) set.ranges.emplace_back(address(first), address(last));
  return set;
}

TEST(AddressMatcher, AnyHoldsEverything) {
  const AddressMatcher any;
  EXPECT_TRUE(any.any());
  EXPECT_TRUE(any.contains(address("192.0.2.1")));
  EXPECT_TRUE(any.contains(address("2001:db8::1")));
}

TEST(AddressMatcher, RangesOfBothFamilies) {
  const AddressMatcher matcher(addresses(
      {{"10.0.0.0", "10.0.0.255"}, {"192.0.2.5", "192.0.2.5"}, {"2001:db8::", "2001:db8::ffff"}}));
  EXPECT_TRUE(matcher.contains(address("10.0.0.0")));
  EXPECT_TRUE(matcher.contains(address("10.0.0.255")));
  EXPECT_FALSE(matcher.contains(address("10.0.1.0")));
  EXPECT_FALSE(matcher.contains(address("9.255.255.255")));
  EXPECT_TRUE(matcher.contains(address("192.0.2.5")));
  EXPECT_FALSE(matcher.contains(address("192.0.2.6")));
  EXPECT_TRUE(matcher.contains(address("2001:db8::ffff")));
  EXPECT_FALSE(matcher.contains(address("2001:db8::1:0")));
}

TEST(AddressMatcher, ARangeOverBothFamilies) {
  // "!10.0.0.1" resolved: all below and all above.
  const AddressMatcher matcher(
      addresses({{"::", "10.0.0.0"}, {"10.0.0.2", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}}));
  EXPECT_TRUE(matcher.contains(address("0.0.0.0")));
  EXPECT_TRUE(matcher.contains(address("10.0.0.0")));
  EXPECT_FALSE(matcher.contains(address("10.0.0.1")));
  EXPECT_TRUE(matcher.contains(address("255.255.255.255")));
  EXPECT_TRUE(matcher.contains(address("::1")));
  EXPECT_TRUE(matcher.contains(address("2001:db8::1")));
}

TEST(AddressMatcher, AnEmptySetHoldsNothing) {
  EXPECT_FALSE(AddressMatcher(addresses({})).contains(address("10.0.0.1")));
}

PortSet ports(std::vector<std::pair<uint16_t, uint16_t>> ranges) {
  PortSet set;
  set.any = false;
  set.ranges = std::move(ranges);
  return set;
}

TEST(PortMatcher, FewRangesAndManyAgree) {
  std::vector<std::pair<uint16_t, uint16_t>> ranges = {
      {0, 0}, {80, 80}, {1024, 2000}, {65535, 65535}};
  const PortMatcher few(ports(ranges));
  for (uint16_t port = 3000; port < 3040; port = static_cast<uint16_t>(port + 2)) {
    ranges.emplace_back(port, port);
  }
  std::sort(ranges.begin(), ranges.end());
  const PortMatcher many(ports(ranges));
  for (uint32_t port = 0; port <= 65535; ++port) {
    const auto number = static_cast<uint16_t>(port);
    const bool in_few = port == 0 || port == 80 || (port >= 1024 && port <= 2000) || port == 65535;
    const bool in_many = in_few || (port >= 3000 && port < 3040 && port % 2 == 0);
    ASSERT_EQ(few.contains(number), in_few) << port;
    ASSERT_EQ(many.contains(number), in_many) << port;
  }
  EXPECT_TRUE(PortMatcher().contains(7));
  EXPECT_FALSE(PortMatcher(ports({})).contains(7));
}

}  // namespace
}  // namespace masugata::ids
