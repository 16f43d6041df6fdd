// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/diagnosis/networks.h"

#include <gtest/gtest.h>

namespace masugata::ipsec {
namespace {

using List = std::vector<std::string>;

TEST(Networks, AreReadFromCharonsWords) {
  const auto pair = parse_networks("10.1.0.0/24 10.3.0.1..10.3.0.9 === 2001:db8::/64");
  EXPECT_EQ(pair.local, (List{"10.1.0.0/24", "10.3.0.1-10.3.0.9"}));
  EXPECT_EQ(pair.remote, List{"2001:db8::/64"});
}

TEST(Networks, OfSeveralChildrenAreTakenTogether) {
  const auto pair =
      parse_networks("net: 10.1.0.0/24 === 10.2.0.0/24; guests: 10.1.0.0/24 === 10.9.0.0/24");
  EXPECT_EQ(pair.local, List{"10.1.0.0/24"});
  EXPECT_EQ(pair.remote, (List{"10.2.0.0/24", "10.9.0.0/24"}));
}

TEST(Networks, CompareAsSets) {
  EXPECT_TRUE(same_networks({"a", "b"}, {"b", "a"}));
  EXPECT_FALSE(same_networks({"a"}, {"a", "b"}));
  EXPECT_EQ(missing({"a", "b", "c"}, {"b"}), (List{"a", "c"}));
}

TEST(Networks, AreWrittenAsStatementsTakeThem) {
  EXPECT_EQ(statement_value({"10.1.0.0/24"}), "10.1.0.0/24");
  EXPECT_EQ(statement_value({"10.1.0.0/24", "10.2.0.0/24"}), "[ 10.1.0.0/24 10.2.0.0/24 ]");
  EXPECT_EQ(statement_value({"::/0", "0.0.0.0/0"}), "any");
  EXPECT_EQ(comma_list({}), "nothing");
}

TEST(Networks, HaveBounds) {
  std::string many;
  for (int i = 0; i < 100; ++i) many += "10.0.0." + std::to_string(i) + "/32 ";
  EXPECT_EQ(parse_network_list(many).size(), kMaximumNetworks);
  for (const char* text : {"", " === ", "===", ";;;", "a: b", "10.0.0.0/8"}) {
    EXPECT_EQ(parse_networks(text), NetworkPair{}) << text;
  }
}

}  // namespace
}  // namespace masugata::ipsec
