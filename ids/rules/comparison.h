// SPDX-License-Identifier: GPL-2.0-or-later
// What the comparisons of the rule language mean (payload_match.h).
#pragma once

#include "ids/rules/payload_match.h"

namespace masugata::ids {

// `high` counts for Between alone, whose bounds are exclusive.
template <class T>
[[nodiscard]] constexpr bool compare_numbers(Comparison comparison, T value, T low,
                                             T high) noexcept {
  switch (comparison) {
    case Comparison::Equal:
      return value == low;
    case Comparison::NotEqual:
      return value != low;
    case Comparison::Less:
      return value < low;
    case Comparison::LessOrEqual:
      return value <= low;
    case Comparison::Greater:
      return value > low;
    case Comparison::GreaterOrEqual:
      return value >= low;
    case Comparison::Between:
      return low < value && value < high;
    case Comparison::BitAnd:
      return (value & low) != 0;
    case Comparison::BitOr:
      return (value ^ low) != 0;
  }
  return false;
}

}  // namespace masugata::ids
