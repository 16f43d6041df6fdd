// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/objects/clean_objects.h"

#include <gtest/gtest.h>

namespace masugata::av {
namespace {

Sha256 digest(uint8_t first, uint8_t last) {
  Sha256 result{};
  result.front() = first;
  result.back() = last;
  return result;
}

TEST(CleanObjectsTest, KnowsAnObjectUnderTheSameSignaturesOnly) {
  CleanObjects clean(64);
  EXPECT_FALSE(clean.contains(digest(1, 1), 7));
  clean.add(digest(1, 1), 7);
  EXPECT_TRUE(clean.contains(digest(1, 1), 7));
  EXPECT_FALSE(clean.contains(digest(1, 1), 8)) << "other signatures";
  EXPECT_FALSE(clean.contains(digest(1, 2), 7)) << "same bucket, other object";
}

TEST(CleanObjectsTest, NewSignaturesTakeTheOldPlace) {
  CleanObjects clean(4);
  clean.add(digest(0, 1), 1);
  clean.add(digest(0, 2), 1);
  clean.add(digest(0, 3), 1);
  clean.add(digest(0, 4), 1);
  clean.add(digest(0, 3), 2);
  EXPECT_TRUE(clean.contains(digest(0, 1), 1));
  EXPECT_TRUE(clean.contains(digest(0, 2), 1));
  EXPECT_TRUE(clean.contains(digest(0, 3), 2));
  EXPECT_TRUE(clean.contains(digest(0, 4), 1));
}

TEST(CleanObjectsTest, TheLongestUnusedGivesWay) {
  CleanObjects clean(4);
  for (uint8_t i = 1; i <= 4; ++i) clean.add(digest(0, i), 1);
  EXPECT_TRUE(clean.contains(digest(0, 1), 1));
  clean.add(digest(0, 5), 1);
  EXPECT_TRUE(clean.contains(digest(0, 1), 1));
  EXPECT_FALSE(clean.contains(digest(0, 2), 1));
  EXPECT_TRUE(clean.contains(digest(0, 5), 1));
  clean.clear();
  EXPECT_FALSE(clean.contains(digest(0, 5), 1));
}

}  // namespace
}  // namespace masugata::av
