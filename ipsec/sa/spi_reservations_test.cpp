// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/sa/spi_reservations.h"

#include <gtest/gtest.h>

namespace masugata::ipsec {
namespace {

bool nobody(uint32_t) { return false; }

TEST(SpiReservations, TakesFreeOnesInTheRange) {
  SpiReservations reservations;
  const auto first = reservations.reserve(nobody);
  ASSERT_TRUE(first);
  EXPECT_GE(*first, SpiReservations::kFirst);
  EXPECT_LE(*first, SpiReservations::kLast);
  EXPECT_TRUE(reservations.release(*first));
  EXPECT_FALSE(reservations.release(*first));
}

TEST(SpiReservations, NeverGivesOneTwice) {
  uint32_t next = 0;
  SpiReservations reservations([&next] { return next++ / 2; });  // each number twice
  const auto first = reservations.reserve(nobody);
  const auto second = reservations.reserve([](uint32_t spi) {
    return spi == SpiReservations::kFirst + 1;  // an SA has that one
  });
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, SpiReservations::kFirst);
  EXPECT_EQ(*second, SpiReservations::kFirst + 2);
}

TEST(SpiReservations, GivesUpWhenChanceFindsNone) {
  SpiReservations reservations([] { return 0U; });
  EXPECT_TRUE(reservations.reserve(nobody));
  EXPECT_FALSE(reservations.reserve(nobody));
}

TEST(SpiReservations, IsBounded) {
  uint32_t next = 0;
  SpiReservations reservations([&next] { return next++; });
  for (size_t i = 0; i < SpiReservations::kMaximum; ++i) {
    ASSERT_TRUE(reservations.reserve(nobody));
  }
  EXPECT_FALSE(reservations.reserve(nobody));
  reservations.clear();
  EXPECT_EQ(reservations.size(), 0U);
  EXPECT_TRUE(reservations.reserve(nobody));
}

}  // namespace
}  // namespace masugata::ipsec
