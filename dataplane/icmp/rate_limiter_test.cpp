// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/icmp/rate_limiter.h"

#include <gtest/gtest.h>

namespace masugata::dataplane {
namespace {

uint32_t take_all(IcmpRateLimiter& limiter, uint32_t now_ms) {
  uint32_t taken = 0;
  while (taken < 100000 && limiter.allow(now_ms)) ++taken;
  return taken;
}

TEST(IcmpRateLimiter, BurstFirstThenTheRate) {
  IcmpRateLimiter limiter(100, 5);
  EXPECT_EQ(take_all(limiter, 1000), 5U);
  EXPECT_EQ(take_all(limiter, 1009), 0U);
  EXPECT_EQ(take_all(limiter, 1010), 1U);
  EXPECT_EQ(take_all(limiter, 1030), 2U);
  EXPECT_EQ(take_all(limiter, 60000), 5U) << "never more than the burst";
  EXPECT_EQ(limiter.allowed(), 13U);
  EXPECT_EQ(limiter.suppressed(), 5U);
}

TEST(IcmpRateLimiter, SurvivesTheWrapOfTheClock) {
  IcmpRateLimiter limiter(1000, 2);
  EXPECT_EQ(take_all(limiter, 0xffffffffU), 2U);
  EXPECT_EQ(take_all(limiter, 1), 2U);
}

TEST(IcmpRateLimiter, ZeroMeansNever) {
  IcmpRateLimiter no_rate(0, 5);
  EXPECT_EQ(take_all(no_rate, 5), 0U);
  IcmpRateLimiter no_burst(5, 0);
  EXPECT_EQ(take_all(no_burst, 5), 0U);
}

}  // namespace
}  // namespace masugata::dataplane
