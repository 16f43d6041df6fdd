// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/output/units.h"

#include <fmt/format.h>

#include <array>

namespace masugata::cli {
namespace {

// One decimal below ten unless it is zero, none above.
std::string short_decimal(double value) {
  if (value >= 9.95) return fmt::format("{:.0f}", value);
  std::string text = fmt::format("{:.1f}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

}  // namespace

std::string format_count(uint64_t value) {
  std::string text = std::to_string(value);
  for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3) {
    text.insert(static_cast<size_t>(place), 1, ',');
  }
  return text;
}

std::string format_bytes(uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1023.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", short_decimal(value), kUnits[unit]);
}

std::string format_duration(uint64_t seconds) {
  const auto two = [](uint64_t large, const char* large_unit, uint64_t small,
                      const char* small_unit) {
    if (small == 0) return fmt::format("{}{}", large, large_unit);
    return fmt::format("{}{} {}{}", large, large_unit, small, small_unit);
  };
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return two(seconds / 60, "m", seconds % 60, "s");
  if (seconds < 86400) return two(seconds / 3600, "h", seconds % 3600 / 60, "m");
  return two(seconds / 86400, "d", seconds % 86400 / 3600, "h");
}

std::string format_rate(double per_second) {
  if (per_second >= 9.95) return format_count(static_cast<uint64_t>(per_second + 0.5));
  // Something that happens is not shown as nothing.
  if (per_second > 0 && per_second < 0.05) return "<0.1";
  return short_decimal(per_second);
}

std::string format_percent(double percent) { return fmt::format("{:.1f} %", percent); }

std::string format_speed(uint64_t mbps) {
  if (mbps == 0) return {};
  if (mbps < 1000) return fmt::format("{} Mbit/s", mbps);
  return fmt::format("{} Gbit/s", short_decimal(static_cast<double>(mbps) / 1000));
}

std::string format_number_of(uint64_t count, std::string_view singular) {
  return fmt::format("{} {}{}", format_count(count), singular, count == 1 ? "" : "s");
}

std::string format_usage(uint64_t in_use, uint64_t bound) {
  if (bound == 0) return format_count(in_use);
  const double share = 100.0 * static_cast<double>(in_use) / static_cast<double>(bound);
  return fmt::format("{} of {} ({} %)", format_count(in_use), format_count(bound),
                     share > 0 && share < 1 ? "<1" : fmt::format("{:.0f}", share));
}

}  // namespace masugata::cli
