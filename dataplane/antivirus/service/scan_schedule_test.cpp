// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/scan_schedule.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace masugata::dataplane {
namespace {

class ScanSchedule : public testing::Test {
 protected:
  ScanSchedule() { use_zone("UTC0"); }
  ~ScanSchedule() override {
    unsetenv("TZ");
    tzset();
  }
  static void use_zone(const char* zone) {
    setenv("TZ", zone, 1);
    tzset();
  }
  static config::AvJob job(int hour, int minute, uint8_t weekdays = 0x7f) {
    config::AvJob made;
    made.at_minute = static_cast<uint16_t>(hour * 60 + minute);
    made.weekdays = weekdays;
    return made;
  }
  // In UTC.
  static int64_t moment(int year, int month, int day, int hour, int minute) {
    std::tm parts{};
    parts.tm_year = year - 1900;
    parts.tm_mon = month - 1;
    parts.tm_mday = day;
    parts.tm_hour = hour;
    parts.tm_min = minute;
    return timegm(&parts);
  }
};

TEST_F(ScanSchedule, EveryDay) {
  const auto nightly = job(2, 0);
  EXPECT_EQ(next_run_s(nightly, moment(2026, 11, 22, 1, 59)), moment(2026, 11, 22, 2, 0));
  EXPECT_EQ(next_run_s(nightly, moment(2026, 11, 22, 2, 0)), moment(2026, 11, 23, 2, 0));
  EXPECT_EQ(latest_run_s(nightly, moment(2026, 11, 22, 2, 0)), moment(2026, 11, 22, 2, 0));
  EXPECT_EQ(latest_run_s(nightly, moment(2026, 11, 22, 1, 59)), moment(2026, 11, 21, 2, 0));
  EXPECT_EQ(next_run_s(nightly, moment(2026, 12, 31, 12, 0)), moment(2027, 1, 1, 2, 0));
}

TEST_F(ScanSchedule, OnDaysOfTheWeek) {
  const auto sundays = job(0, 0, 1);  // 2026-11-22 is one
  EXPECT_EQ(next_run_s(sundays, moment(2026, 11, 22, 0, 0)), moment(2026, 11, 29, 0, 0));
  EXPECT_EQ(next_run_s(sundays, moment(2026, 11, 21, 23, 59)), moment(2026, 11, 22, 0, 0));
  EXPECT_EQ(latest_run_s(sundays, moment(2026, 11, 28, 23, 59)), moment(2026, 11, 22, 0, 0));
  const auto late = job(23, 59, 1 << 6 | 1 << 1);  // Saturdays and Mondays
  EXPECT_EQ(next_run_s(late, moment(2026, 11, 22, 0, 0)), moment(2026, 11, 23, 23, 59));
  EXPECT_EQ(latest_run_s(late, moment(2026, 11, 22, 0, 0)), moment(2026, 11, 21, 23, 59));
}

TEST_F(ScanSchedule, InLocalTime) {
  use_zone("JST-9");
  EXPECT_EQ(next_run_s(job(2, 0), moment(2026, 11, 22, 0, 0)), moment(2026, 11, 22, 17, 0));
  // Monday there, Sunday in UTC.
  EXPECT_EQ(next_run_s(job(2, 0, 1 << 1), moment(2026, 11, 22, 0, 0)), moment(2026, 11, 22, 17, 0));
}

// The clock skips 02:00 to 03:00 on 2026-03-29 and repeats it on 2026-10-25.
TEST_F(ScanSchedule, OncePerDayWhenTheClockIsSet) {
  use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
  const auto nightly = job(2, 30);
  const int64_t skipped = next_run_s(nightly, moment(2026, 3, 28, 12, 0));
  EXPECT_TRUE(skipped == moment(2026, 3, 29, 0, 30) || skipped == moment(2026, 3, 29, 1, 30));
  EXPECT_EQ(next_run_s(nightly, skipped), moment(2026, 3, 30, 0, 30));
  const int64_t twice = next_run_s(nightly, moment(2026, 10, 24, 12, 0));
  EXPECT_TRUE(twice == moment(2026, 10, 25, 0, 30) || twice == moment(2026, 10, 25, 1, 30));
  EXPECT_EQ(next_run_s(nightly, twice), moment(2026, 10, 26, 1, 30));
}

}  // namespace
}  // namespace masugata::dataplane
