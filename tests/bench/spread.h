// SPDX-License-Identifier: GPL-2.0-or-later
// Summaries of measured values.
#pragma once

#include <algorithm>
#include <vector>

namespace masugata::bench {

// The value below which `share` (0..1) of the values lie; 0 when there are none.
[[nodiscard]] inline double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto position = static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(position), values.end());
  return values[position];
}

// Of the runs of one measurement.
struct Spread {
  double median = 0;
  double lowest = 0;
  double highest = 0;
};

[[nodiscard]] inline Spread spread_of(const std::vector<double>& runs) {
  if (runs.empty()) return {};
  return {quantile(runs, 0.5), *std::min_element(runs.begin(), runs.end()),
          *std::max_element(runs.begin(), runs.end())};
}

}  // namespace masugata::bench
