// SPDX-License-Identifier: GPL-2.0-or-later
// What a scan may cost, whatever its request says.
#pragma once

#include <cstdint>

#include "av-stream/exchange/exchange_layout.h"

namespace masugata::av {

// Stand in for a limit of 0 and are the most that a request may ask for where a maximum is named.
inline constexpr uint64_t kDefaultScanBytes = 400ULL << 20;
inline constexpr uint64_t kDefaultFileBytes = 100ULL << 20;
inline constexpr uint64_t kMaximumScanBytes = 8ULL << 30;
inline constexpr uint64_t kMaximumFileBytes = (2ULL << 30) - 64 * 1024;  // libclamav's own bound
inline constexpr uint32_t kDefaultFiles = 10'000;
inline constexpr uint32_t kMaximumFiles = 1'000'000;
inline constexpr uint32_t kDefaultRecursion = 17;
inline constexpr uint32_t kMaximumRecursion = 100;
inline constexpr uint32_t kDefaultTimeMs = 120'000;
inline constexpr uint32_t kMaximumTimeMs = 600'000;

// Every limit in its bounds, none 0.
[[nodiscard]] constexpr ScanLimits bounded_limits(ScanLimits limits) noexcept {
  const auto bound = [](auto& value, auto otherwise, auto maximum) {
    if (value == 0) value = otherwise;
    if (value > maximum) value = maximum;
  };
  bound(limits.scan_bytes, kDefaultScanBytes, kMaximumScanBytes);
  bound(limits.file_bytes, kDefaultFileBytes, kMaximumFileBytes);
  bound(limits.files, kDefaultFiles, kMaximumFiles);
  bound(limits.recursion, kDefaultRecursion, kMaximumRecursion);
  bound(limits.time_ms, kDefaultTimeMs, kMaximumTimeMs);
  return limits;
}

}  // namespace masugata::av
