// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/policy/schedule.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace masugata::dataplane {
namespace {

class ScheduleTest : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
  }
  void TearDown() override {
    unsetenv("TZ");
    tzset();
  }
  // Local time. 2026-11-22 is a Sunday.
  static std::time_t at(int year, int month, int day, int hour, int minute, int second = 0) {
    std::tm local{};
    local.tm_year = year - 1900;
    local.tm_mon = month - 1;
    local.tm_mday = day;
    local.tm_hour = hour;
    local.tm_min = minute;
    local.tm_sec = second;
    local.tm_isdst = -1;
    return std::mktime(&local);
  }
  static config::Schedule schedule(uint8_t weekdays, uint16_t from, uint16_t to) {
    return {"test", weekdays, from, to};
  }
  static constexpr uint8_t kMondayToFriday = 0b0111110;
  static constexpr uint8_t kFriday = 0b0100000;
};

TEST_F(ScheduleTest, WorkingHours) {
  const auto hours = schedule(kMondayToFriday, 8 * 60, 18 * 60);
  EXPECT_FALSE(is_alive(hours, {}, at(2026, 11, 22, 12, 0)));  // Sunday
  EXPECT_FALSE(is_alive(hours, {}, at(2026, 11, 23, 7, 59, 59)));
  EXPECT_TRUE(is_alive(hours, {}, at(2026, 11, 23, 8, 0)));
  EXPECT_TRUE(is_alive(hours, {}, at(2026, 11, 23, 17, 59, 59)));
  EXPECT_FALSE(is_alive(hours, {}, at(2026, 11, 23, 18, 0)));
}

TEST_F(ScheduleTest, PastMidnightBelongsToTheDayItStarts) {
  const auto night = schedule(kFriday, 22 * 60, 6 * 60);
  EXPECT_FALSE(is_alive(night, {}, at(2026, 11, 27, 5, 0)));  // Friday morning
  EXPECT_TRUE(is_alive(night, {}, at(2026, 11, 27, 23, 0)));
  EXPECT_TRUE(is_alive(night, {}, at(2026, 11, 28, 5, 59)));  // Saturday morning
  EXPECT_FALSE(is_alive(night, {}, at(2026, 11, 28, 6, 0)));
  EXPECT_FALSE(is_alive(night, {}, at(2026, 11, 28, 23, 0)));
}

TEST_F(ScheduleTest, NoWeekdaysMeansEveryDay) {
  EXPECT_TRUE(is_alive(schedule(0, 0, 24 * 60), {}, at(2026, 11, 22, 0, 0)));
  EXPECT_TRUE(is_alive(schedule(0, 0, 24 * 60), {}, at(2026, 11, 24, 23, 59)));
}

TEST_F(ScheduleTest, ExpiryEndsTheRuleForGood) {
  const std::chrono::sys_seconds until{std::chrono::seconds(at(2026, 12, 1, 18, 0))};
  EXPECT_TRUE(is_alive({}, until, at(2026, 12, 1, 17, 59, 59)));
  EXPECT_FALSE(is_alive({}, until, at(2026, 12, 1, 18, 0)));
  EXPECT_EQ(next_change({}, until, at(2026, 11, 22, 0, 0)), at(2026, 12, 1, 18, 0));
  EXPECT_EQ(next_change({}, until, at(2026, 12, 1, 18, 0)), std::nullopt);
  const auto hours = schedule(kMondayToFriday, 8 * 60, 20 * 60);
  EXPECT_EQ(next_change(hours, until, at(2026, 12, 1, 10, 0)), at(2026, 12, 1, 18, 0));
}

// Nothing may change between two announced changes, over two years with their clock changes.
TEST_F(ScheduleTest, NoChangeIsMissed) {
  for (const auto& hours :
       {schedule(kMondayToFriday, 8 * 60, 18 * 60), schedule(kFriday, 22 * 60, 6 * 60),
        schedule(0b0000001, 2 * 60 + 30, 2 * 60 + 45), schedule(0, 0, 24 * 60)}) {
    std::time_t now = at(2026, 3, 25, 0, 0);
    std::time_t change = *next_change(hours, {}, now);
    bool alive = is_alive(hours, {}, now);
    for (const std::time_t end = now + 230 * 86400; now < end; now += 300) {
      if (now >= change) {
        alive = is_alive(hours, {}, now);
        change = *next_change(hours, {}, now);
        ASSERT_GT(change, now);
      }
      ASSERT_EQ(is_alive(hours, {}, now), alive) << std::ctime(&now);
    }
  }
}

TEST_F(ScheduleTest, NeverChangesWithoutScheduleAndExpiry) {
  EXPECT_TRUE(is_alive({}, {}, at(2026, 11, 22, 0, 0)));
  EXPECT_EQ(next_change({}, {}, at(2026, 11, 22, 0, 0)), std::nullopt);
}

}  // namespace
}  // namespace masugata::dataplane
