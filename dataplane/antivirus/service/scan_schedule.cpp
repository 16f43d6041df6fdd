// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/scan_schedule.h"

#include <ctime>
#include <optional>

namespace masugata::dataplane {
namespace {

constexpr int kDaysLookedAt = 9;  // a week, and one on each side

// Of the day that lies `days` from that of `moment_s`; nothing when the job does not run on it.
std::optional<int64_t> run_on_day(const config::AvJob& job, int64_t moment_s, int days) {
  const auto moment = static_cast<time_t>(moment_s);
  std::tm local{};
  localtime_r(&moment, &local);
  std::tm day{};
  day.tm_year = local.tm_year;
  day.tm_mon = local.tm_mon;
  day.tm_mday = local.tm_mday + days;
  day.tm_hour = job.at_minute / 60;
  day.tm_min = job.at_minute % 60;
  day.tm_isdst = -1;
  std::tm noon = day;  // mktime() says which weekday it is; at noon no clock is set
  noon.tm_hour = 12;
  noon.tm_min = 0;
  mktime(&noon);
  if ((job.weekdays >> static_cast<unsigned>(noon.tm_wday) & 1U) == 0) return std::nullopt;
  return static_cast<int64_t>(mktime(&day));
}

}  // namespace

int64_t next_run_s(const config::AvJob& job, int64_t moment_s) {
  for (int days = -1; days < kDaysLookedAt; ++days) {
    const auto run_s = run_on_day(job, moment_s, days);
    if (run_s && *run_s > moment_s) return *run_s;
  }
  return moment_s;  // no weekday: the configuration never says that
}

int64_t latest_run_s(const config::AvJob& job, int64_t moment_s) {
  for (int days = 1; days > -kDaysLookedAt; --days) {
    const auto run_s = run_on_day(job, moment_s, days);
    if (run_s && *run_s <= moment_s) return *run_s;
  }
  return moment_s;
}

}  // namespace masugata::dataplane
