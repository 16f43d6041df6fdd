// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/session/source_accounting.h"

#include <gtest/gtest.h>

#include <vector>

namespace masugata::dataplane {
namespace {

net::IpAddress source(uint32_t number) {
  return net::IpAddress::from_v4(net::Be32::from_host(0x0a000000U + number));
}

class SourceAccountingTest : public ::testing::Test {
 protected:
  void start(uint32_t capacity) {
    ASSERT_TRUE(accounting_.allocate(memory_, capacity, net::HashSecret{}));
  }
  HeapMemory memory_;
  SourceAccounting accounting_;
};

TEST_F(SourceAccountingTest, LimitsSessionsPerSourceAndRule) {
  start(64);
  const uint32_t first = accounting_.acquire_session(source(1), 7, 2, 0);
  ASSERT_NE(first, kNone32);
  ASSERT_NE(accounting_.acquire_session(source(1), 7, 2, 0), kNone32);
  EXPECT_EQ(accounting_.acquire_session(source(1), 7, 2, 0), kNone32);
  EXPECT_NE(accounting_.acquire_session(source(1), 8, 2, 0), kNone32);
  EXPECT_NE(accounting_.acquire_session(source(2), 7, 2, 0), kNone32);
  EXPECT_EQ(accounting_.session_count(source(1), 7), 2U);
  EXPECT_EQ(accounting_.counters().refused_sessions, 1U);
  accounting_.release_session(first);
  EXPECT_NE(accounting_.acquire_session(source(1), 7, 2, 0), kNone32);
  accounting_.release_session(kNone32);
}

TEST_F(SourceAccountingTest, ReleasesDoNotGoBelowZero) {
  start(64);
  const uint32_t slot = accounting_.acquire_session(source(1), 7, 2, 0);
  accounting_.release_session(slot);
  accounting_.release_session(slot);
  EXPECT_EQ(accounting_.session_count(source(1), 7), 0U);
}

TEST_F(SourceAccountingTest, RateOverTimeWithABurstOfOneSecond) {
  for (const uint32_t begin_ms : {0U, 0xfffffe00U}) {
    start(64);
    uint32_t allowed = 0;
    for (int attempt = 0; attempt < 100; ++attempt) {
      allowed += accounting_.take_new_session(source(1), 1, 10, begin_ms) ? 1 : 0;
    }
    EXPECT_EQ(allowed, 10U);
    EXPECT_TRUE(accounting_.take_new_session(source(1), 2, 10, begin_ms));  // other zone
    EXPECT_TRUE(accounting_.take_new_session(source(2), 1, 10, begin_ms));  // other source
    EXPECT_FALSE(accounting_.take_new_session(source(1), 1, 10, begin_ms + 99));
    EXPECT_TRUE(accounting_.take_new_session(source(1), 1, 10, begin_ms + 100));
    EXPECT_FALSE(accounting_.take_new_session(source(1), 1, 10, begin_ms + 100));
    // Ten seconds of hammering every millisecond: ten per second, no more, no less.
    allowed = 0;
    for (uint32_t passed = 101; passed <= 10'100; ++passed) {
      allowed += accounting_.take_new_session(source(1), 1, 10, begin_ms + passed) ? 1 : 0;
    }
    EXPECT_EQ(allowed, 100U);
    // A long rest does not save up more than a second's worth.
    allowed = 0;
    for (int attempt = 0; attempt < 100; ++attempt) {
      allowed += accounting_.take_new_session(source(1), 1, 10, begin_ms + 3'600'000) ? 1 : 0;
    }
    EXPECT_EQ(allowed, 10U);
  }
}

TEST_F(SourceAccountingTest, ARateBeyondTheScaleIsCutNotWrapped) {
  start(64);
  uint32_t allowed = 0;
  for (int attempt = 0; attempt < 1000; ++attempt) {
    allowed += accounting_.take_new_session(source(1), 1, 0xffffffffU, 0) ? 1 : 0;
  }
  EXPECT_EQ(allowed, 1000U);
}

TEST_F(SourceAccountingTest, IdleSourcesMakePlace) {
  start(8);  // one set
  for (uint32_t number = 0; number < 8; ++number) {
    EXPECT_TRUE(accounting_.take_new_session(source(number), 1, 1, number));
  }
  EXPECT_EQ(accounting_.counters().recycled, 0U);
  // All were used within the last second: the ninth shares, and finds its tokens like the others.
  EXPECT_TRUE(accounting_.take_new_session(source(100), 1, 1, 500));
  EXPECT_FALSE(accounting_.take_new_session(source(101), 1, 1, 500));
  EXPECT_EQ(accounting_.counters().shared_overflow, 2U);
  EXPECT_EQ(accounting_.counters().refused_rate, 1U);
  // A second later the longest unused one is recycled; an attacker gained nothing by it.
  EXPECT_TRUE(accounting_.take_new_session(source(102), 1, 1, 1000));
  EXPECT_EQ(accounting_.counters().recycled, 1U);
  EXPECT_FALSE(accounting_.take_new_session(source(1), 1, 1, 1000));
}

TEST_F(SourceAccountingTest, SourcesWithSessionsAreNeverForgotten) {
  start(8);
  std::vector<uint32_t> slots;
  for (uint32_t number = 0; number < 8; ++number) {
    slots.push_back(accounting_.acquire_session(source(number), 1, 1, 0));
    ASSERT_NE(slots.back(), kNone32);
  }
  // Fail closed: everybody else shares one slot and its limit.
  const uint32_t shared = accounting_.acquire_session(source(100), 1, 1, 1'000'000);
  ASSERT_NE(shared, kNone32);
  EXPECT_EQ(accounting_.acquire_session(source(101), 1, 1, 1'000'000), kNone32);
  for (uint32_t number = 0; number < 8; ++number) {
    EXPECT_EQ(accounting_.acquire_session(source(number), 1, 1, 1'000'000), kNone32);
  }
  accounting_.release_session(shared);
  EXPECT_NE(accounting_.acquire_session(source(101), 1, 1, 1'000'000), kNone32);
  accounting_.release_session(slots[3]);
  EXPECT_NE(accounting_.acquire_session(source(200), 1, 1, 1'000'000), kNone32);
  EXPECT_EQ(accounting_.session_count(source(200), 1), 1U);
  EXPECT_EQ(accounting_.session_count(source(3), 1), 0U);
}

}  // namespace
}  // namespace masugata::dataplane
