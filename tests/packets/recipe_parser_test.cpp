// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packets/recipe_parser.h"

#include <gtest/gtest.h>

namespace masugata::test {
namespace {

std::string fault_of(std::string_view text) {
  const auto recipe = parse_recipe(text);
  return recipe ? "none" : recipe.error().message();
}

TEST(RecipeParser, WritesTheCanonicalForm) {
  const auto recipe = parse_recipe(
      "vlan 0x0a | ipv6 hop-limit 3 | tcp [2001:DB8:0::1]:1 > [2001:db8::2]:80 flags AS win 1 opt "
      "mss "
      "9 ts 1 2 sack 1-2,3-4 payload 4745540a");
  ASSERT_TRUE(recipe) << recipe.error().message();
  EXPECT_EQ(to_text(*recipe),
            "eth | vlan 10 | ipv6 hop-limit 3 | tcp [2001:db8::1]:1 > [2001:db8::2]:80 flags AS "
            "win 1 mss 9 ts 1 2 sack 1-2,3-4 | payload \"GET\\n\"");
}

TEST(RecipeParser, MovesAddressesToTheNetworkLayer) {
  const auto recipe = parse_recipe("udp 10.0.0.1:5 > 10.0.0.2:6");
  ASSERT_TRUE(recipe);
  const Layer* network = recipe->find(LayerKind::Ipv4);
  ASSERT_NE(network, nullptr);
  EXPECT_EQ(*network->find("source"), "10.0.0.1");
  EXPECT_EQ(recipe->find(LayerKind::Udp)->find("source"), nullptr);
  EXPECT_EQ(*recipe->find(LayerKind::Udp)->find("destination-port"), "6");
}

TEST(RecipeParser, KeepsCapturesAndWildcards) {
  const auto recipe = parse_recipe("tcp 203.0.113.2:$port > *:80 seq $isn without mss payload-any");
  ASSERT_TRUE(recipe) << recipe.error().message();
  EXPECT_EQ(*recipe->find(LayerKind::Tcp)->find("source-port"), "$port");
  EXPECT_EQ(*recipe->find(LayerKind::Ipv4)->find("destination"), "*");
  EXPECT_EQ(*recipe->find(LayerKind::Tcp)->find("mss"), kWithout);
  EXPECT_TRUE(recipe->find(LayerKind::Payload)->has("any"));
}

TEST(RecipeParser, ReadsQuotesWithinQuotes) {
  const auto recipe = parse_recipe(
      "icmp time-exceeded 10.0.0.9 > 10.0.0.1 quoting { icmp unreachable port 10.0.0.1 > 10.0.0.2 "
      "quoting { udp 10.0.0.2:1 > 10.0.0.1:2 } }");
  ASSERT_TRUE(recipe) << recipe.error().message();
  const Layer* outer = recipe->find(LayerKind::Icmp);
  EXPECT_EQ(*outer->find("type"), "11");
  const Layer* inner = outer->quoted.at(0).find(LayerKind::Icmp);
  EXPECT_EQ(*inner->find("code"), "3");
  EXPECT_NE(inner->quoted.at(0).find(LayerKind::Udp), nullptr);
}

TEST(RecipeParser, NamesWhatIsWrong) {
  EXPECT_EQ(fault_of("tpc 1.1.1.1:1 > 2.2.2.2:2"), "unknown layer 'tpc'");
  EXPECT_EQ(fault_of("tcp 1.1.1.1:1 > 2.2.2.2:2 speed 9"), "tcp: has no field 'speed'");
  EXPECT_EQ(fault_of("tcp 1.1.1.1:1 > 2.2.2.2:2 win 1 win 2"), "tcp: names 'win' twice");
  EXPECT_EQ(fault_of("tcp 1.1.1.1:1 > 2.2.2.2:70000"), "tcp: '70000' is above 65535");
  EXPECT_EQ(fault_of("tcp 1.1.1.1 > 2.2.2.2:2"), "tcp: '1.1.1.1' has no port");
  EXPECT_EQ(fault_of("tcp 1.1.1.1:1 > 2.2.2.300:2"), "tcp: '2.2.2.300' is no IP address");
  EXPECT_EQ(fault_of("tcp 1.1.1.1:1 > 2.2.2.2:2 flags SX"),
            "flags: 'SX' are no TCP flags (letters of CEUAPRSF, or none)");
  EXPECT_EQ(fault_of("tcp 1.1.1.1:1 > 2.2.2.2:2 win"), "win: a value is missing");
  EXPECT_EQ(fault_of("udp 1.1.1.1:1 > 2.2.2.2:2 payload zz"),
            "bytes: 'zz' is neither hexadecimal digits nor in quotes");
  EXPECT_EQ(fault_of("udp 1.1.1.1:1 > 2.2.2.2:2 }"), "a '}' too many");
  EXPECT_EQ(fault_of("udp 1.1.1.1:1 > 2.2.2.2:2 |"), "a layer is missing");
  EXPECT_EQ(fault_of("tcp 1.1.1.1:1 > 2.2.2.2:2 without colour"), "tcp: has no field 'colour'");
  EXPECT_EQ(fault_of("icmp unreachable port 1.1.1.1 > 2.2.2.2 quoting { udp 1.1.1.1:1 > 2.2.2.2:2"),
            "quoting: '}' is missing");
  EXPECT_EQ(fault_of("udp 1.1.1.1:1 > 2.2.2.2:2 payload \"open"),
            "a quoted text has no closing quote");
}

}  // namespace
}  // namespace masugata::test
