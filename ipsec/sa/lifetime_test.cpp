// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/sa/lifetime.h"

#include <gtest/gtest.h>

#include <limits>

namespace masugata::ipsec {
namespace {

constexpr uint64_t kStart = 5'000;

TEST(Lifetime, WithoutLimitsNothingEnds) {
  Lifetime lifetime({}, {}, kStart);
  EXPECT_TRUE(lifetime.charge(1, std::numeric_limits<uint64_t>::max() - 1));
  EXPECT_EQ(lifetime.state(std::numeric_limits<uint64_t>::max() - 1), LifetimeState::Fresh);
}

TEST(Lifetime, TimeIsExactToTheMillisecond) {
  Lifetime lifetime({.seconds = 9}, {.seconds = 10}, kStart);
  EXPECT_EQ(lifetime.state(kStart + 8'999), LifetimeState::Fresh);
  EXPECT_EQ(lifetime.state(kStart + 9'000), LifetimeState::Soft);
  EXPECT_TRUE(lifetime.charge(1, kStart + 9'999));
  EXPECT_EQ(lifetime.state(kStart + 10'000), LifetimeState::Hard);
  EXPECT_FALSE(lifetime.charge(1, kStart + 10'000));
  EXPECT_EQ(lifetime.packets(), 1U);
  EXPECT_EQ(lifetime.last_use_ms(), kStart + 9'999);
}

TEST(Lifetime, PacketsAreExact) {
  Lifetime lifetime({.packets = 2}, {.packets = 3}, kStart);
  EXPECT_TRUE(lifetime.charge(1, kStart));
  EXPECT_EQ(lifetime.state(kStart), LifetimeState::Fresh);
  EXPECT_TRUE(lifetime.charge(1, kStart));
  EXPECT_EQ(lifetime.state(kStart), LifetimeState::Soft);
  EXPECT_TRUE(lifetime.charge(1, kStart));
  EXPECT_EQ(lifetime.state(kStart), LifetimeState::Hard);
  EXPECT_FALSE(lifetime.charge(1, kStart));
  EXPECT_EQ(lifetime.packets(), 3U);
}

TEST(Lifetime, BytesAreNeverExceeded) {
  Lifetime lifetime({.bytes = 600}, {.bytes = 1000}, kStart);
  EXPECT_TRUE(lifetime.charge(600, kStart));
  EXPECT_EQ(lifetime.state(kStart), LifetimeState::Soft);
  EXPECT_FALSE(lifetime.charge(401, kStart));
  EXPECT_EQ(lifetime.state(kStart), LifetimeState::Hard);
  EXPECT_FALSE(lifetime.charge(1, kStart)) << "smaller ones are refused too";
  EXPECT_EQ(lifetime.bytes(), 600U);

  Lifetime full({}, {.bytes = 1000}, kStart);
  EXPECT_TRUE(full.charge(1000, kStart));
  EXPECT_EQ(full.state(kStart), LifetimeState::Hard);
}

TEST(Lifetime, SecondsBeyondTheClockMeanNever) {
  Lifetime lifetime({}, {.seconds = std::numeric_limits<uint64_t>::max()}, kStart);
  EXPECT_TRUE(lifetime.charge(1, std::numeric_limits<uint64_t>::max() - 1));
}

}  // namespace
}  // namespace masugata::ipsec
