// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/entropy.h"

#include <gtest/gtest.h>

#include <vector>

#include "ids/matching/matching_test_support.h"

namespace masugata::ids {
namespace {

TEST(Entropy, IsTheBitsThatAByteTells) {
  EXPECT_DOUBLE_EQ(entropy_of({}), 0);
  EXPECT_DOUBLE_EQ(entropy_of(bytes_of("aaaa")), 0);
  EXPECT_DOUBLE_EQ(entropy_of(bytes_of("abab")), 1);
  EXPECT_DOUBLE_EQ(entropy_of(bytes_of("abcdabcd")), 2);
  std::vector<uint8_t> all(256);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint8_t>(i);
  EXPECT_DOUBLE_EQ(entropy_of(all), 8);
}

TEST(Entropy, OfAPartThatIsThere) {
  const auto bytes = bytes_of("aaaaabcd");
  EXPECT_TRUE(match_entropy({4, 0, Comparison::Equal, 0, 0}, bytes));
  EXPECT_TRUE(match_entropy({4, 4, Comparison::Equal, 2, 0}, bytes));
  EXPECT_TRUE(match_entropy({0, 4, Comparison::GreaterOrEqual, 2, 0}, bytes));
  EXPECT_FALSE(match_entropy({5, 4, Comparison::GreaterOrEqual, 0, 0}, bytes));
  EXPECT_FALSE(match_entropy({0, 9, Comparison::GreaterOrEqual, 0, 0}, bytes));
  EXPECT_TRUE(match_entropy({0, 8, Comparison::Equal, 0, 0}, bytes));
}

TEST(Entropy, IsComparedInAllForms) {
  const auto bytes = bytes_of("abcd");
  EXPECT_TRUE(match_entropy({0, 0, Comparison::Between, 1.5, 2.5}, bytes));
  EXPECT_FALSE(match_entropy({0, 0, Comparison::Outside, 1.5, 2.5}, bytes));
  EXPECT_TRUE(match_entropy({0, 0, Comparison::Less, 2.1, 0}, bytes));
  EXPECT_TRUE(match_entropy({0, 0, Comparison::LessOrEqual, 2, 0}, bytes));
  EXPECT_TRUE(match_entropy({0, 0, Comparison::NotEqual, 3, 0}, bytes));
  EXPECT_FALSE(match_entropy({0, 0, Comparison::Greater, 2, 0}, bytes));
}

TEST(Entropy, IsAStepAmongOthers) {
  Matcher matcher;
  const BufferEntropy high{0, 0, Comparison::Greater, 1.9, 0};
  EXPECT_TRUE(matcher.matches({content("bc"), high}, "abcd"));
  EXPECT_FALSE(matcher.matches({content("bc"), high}, "bcbc"));
}

}  // namespace
}  // namespace masugata::ids
