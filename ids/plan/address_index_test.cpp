// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/plan/address_index.h"

#include <gtest/gtest.h>

namespace masugata::ids {
namespace {

AddressSet set_of(std::initializer_list<std::pair<const char*, const char*>> ranges) {
  AddressSet set{false, {}};
  for (const auto& [first, last] : ranges) {
    set.ranges.emplace_back(*net::IpAddress::parse(first), *net::IpAddress::parse(last));
  }
  return set;
}

std::vector<uint32_t> rules_of(const AddressIndex& index, const char* address) {
  const auto found = index.find(*net::IpAddress::parse(address));
  return {found.begin(), found.end()};
}

TEST(AddressIndex, FindsEveryRuleOfAnAddress) {
  AddressIndex index;
  index.add(set_of({{"10.0.0.0", "10.0.0.255"}, {"192.0.2.1", "192.0.2.1"}}), 7);
  index.add(set_of({{"10.0.0.128", "10.0.1.0"}}), 3);
  index.add(set_of({{"2001:db8::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}}), 5);
  index.build();
  EXPECT_EQ(rules_of(index, "9.255.255.255"), (std::vector<uint32_t>{}));
  EXPECT_EQ(rules_of(index, "10.0.0.0"), (std::vector<uint32_t>{7}));
  EXPECT_EQ(rules_of(index, "10.0.0.128"), (std::vector<uint32_t>{3, 7}));
  EXPECT_EQ(rules_of(index, "10.0.1.0"), (std::vector<uint32_t>{3}));
  EXPECT_EQ(rules_of(index, "10.0.1.1"), (std::vector<uint32_t>{}));
  EXPECT_EQ(rules_of(index, "192.0.2.1"), (std::vector<uint32_t>{7}));
  EXPECT_EQ(rules_of(index, "2001:db8::1"), (std::vector<uint32_t>{5}));
  EXPECT_EQ(rules_of(index, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), (std::vector<uint32_t>{5}));
}

TEST(AddressIndex, KnowsNothingWhenEmpty) {
  AddressIndex index;
  index.build();
  EXPECT_TRUE(index.empty());
  EXPECT_TRUE(index.find(*net::IpAddress::parse("10.0.0.1")).empty());
}

}  // namespace
}  // namespace masugata::ids
