// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace masugata::cli {

[[nodiscard]] std::string format_count(uint64_t value);       // "1,234,567"
[[nodiscard]] std::string format_bytes(uint64_t bytes);       // "999 B", "1.5 KiB", "16 MiB"
[[nodiscard]] std::string format_duration(uint64_t seconds);  // "45s", "2h 4m", "3d 7h": two units
[[nodiscard]] std::string format_rate(double per_second);     // "0", "2.5", "1,234"
[[nodiscard]] std::string format_percent(double percent);     // "12.5 %"
[[nodiscard]] std::string format_speed(uint64_t mbps);        // "2.5 Gbit/s", "" for 0
// "1 rule", "2 rules".
[[nodiscard]] std::string format_number_of(uint64_t count, std::string_view singular);
// "1,234 of 65,536 (2 %)"; without the share when the bound is 0.
[[nodiscard]] std::string format_usage(uint64_t in_use, uint64_t bound);

}  // namespace masugata::cli
