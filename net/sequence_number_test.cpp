// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/sequence_number.h"

#include <gtest/gtest.h>

namespace masugata::net {
namespace {

TEST(SequenceNumberTest, OrdersNeighbours) {
  EXPECT_TRUE(is_after(2, 1));
  EXPECT_FALSE(is_after(1, 2));
  EXPECT_TRUE(is_before(1, 2));
  EXPECT_FALSE(is_before(2, 1));
  EXPECT_FALSE(is_after(1, 1));
  EXPECT_FALSE(is_before(1, 1));
}

TEST(SequenceNumberTest, GoesAroundTheEnd) {
  EXPECT_TRUE(is_after(0, 0xffffffffU));
  EXPECT_TRUE(is_before(0xfffffff0U, 0x10));
  EXPECT_TRUE(is_after(0x7fffffffU, 0));
  EXPECT_TRUE(is_before(0x80000001U, 0));
}

}  // namespace
}  // namespace masugata::net
