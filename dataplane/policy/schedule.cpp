// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/policy/schedule.h"

#include <algorithm>

namespace masugata::dataplane {

namespace {

constexpr int kDaysAhead = 8;  // a weekly schedule changes within a week, or never

std::tm local_time(std::time_t moment) {
  std::tm local{};
  localtime_r(&moment, &local);
  return local;
}

bool has_weekday(const config::Schedule& schedule, int weekday) {
  const unsigned days = schedule.weekdays == 0 ? 0x7fU : schedule.weekdays;
  return (days >> static_cast<unsigned>(weekday) & 1U) != 0;
}

bool is_in_hours(const config::Schedule& schedule, std::time_t now) {
  const std::tm local = local_time(now);
  const int minute = local.tm_hour * 60 + local.tm_min;
  const bool today = has_weekday(schedule, local.tm_wday);
  if (schedule.from_minute < schedule.to_minute) {
    return today && minute >= schedule.from_minute && minute < schedule.to_minute;
  }
  const bool yesterday = has_weekday(schedule, (local.tm_wday + 6) % 7);
  return (today && minute >= schedule.from_minute) || (yesterday && minute < schedule.to_minute);
}

// Clock changes move the hours of a schedule; the first one in (now, end] counts as a change.
std::time_t first_clock_change(std::time_t now, std::time_t end) {
  const long offset = local_time(now).tm_gmtoff;
  if (local_time(end).tm_gmtoff == offset) return end;
  std::time_t before = now;
  std::time_t after = end;
  while (after - before > 1) {
    const std::time_t middle = before + (after - before) / 2;
    (local_time(middle).tm_gmtoff == offset ? before : after) = middle;
  }
  return after;
}

bool is_minute(std::time_t moment, int minute) {
  const std::tm local = local_time(moment);
  return (local.tm_hour * 60 + local.tm_min) % (24 * 60) == minute % (24 * 60);
}

std::optional<std::time_t> next_edge(const config::Schedule& schedule, std::time_t now) {
  std::optional<std::time_t> next;
  const std::tm today = local_time(now);
  for (int day = -1; day <= kDaysAhead; ++day) {
    for (const int minute : {int{schedule.from_minute}, int{schedule.to_minute}}) {
      std::tm edge{};
      edge.tm_year = today.tm_year;
      edge.tm_mon = today.tm_mon;
      edge.tm_mday = today.tm_mday + day;
      edge.tm_min = minute;
      edge.tm_isdst = -1;
      const std::time_t moment = std::mktime(&edge);
      // The hour that autumn repeats has two such moments, and mktime names one of them.
      for (const std::time_t same : {moment - 3600, moment, moment + 3600}) {
        if (same > now && (!next || same < *next) && is_minute(same, minute)) next = same;
      }
    }
  }
  return next ? std::optional(first_clock_change(now, *next)) : next;
}

}  // namespace

bool is_alive(const std::optional<config::Schedule>& schedule,
              const std::optional<std::chrono::sys_seconds>& until, std::time_t now) {
  if (until && now >= until->time_since_epoch().count()) return false;
  return !schedule || is_in_hours(*schedule, now);
}

std::optional<std::time_t> next_change(const std::optional<config::Schedule>& schedule,
                                       const std::optional<std::chrono::sys_seconds>& until,
                                       std::time_t now) {
  const auto end = until ? std::optional<std::time_t>(until->time_since_epoch().count())
                         : std::optional<std::time_t>();
  if (end && now >= *end) return std::nullopt;
  if (!schedule) return end;
  const std::optional<std::time_t> edge = next_edge(*schedule, now);
  if (!edge || !end) return edge ? edge : end;
  return std::min(*edge, *end);
}

}  // namespace masugata::dataplane
