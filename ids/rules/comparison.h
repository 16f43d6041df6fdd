// SPDX-License-Identifier: GPL-2.0-or-later
// What the comparisons of the rule language mean (payload_match.h).
#pragma once

#include <concepts>

#include "ids/rules/payload_match.h"

namespace masugata::ids {

// `high` counts for Between and Outside, whose bounds are exclusive and inclusive, and as the value
// of the bits that Masked and NotMasked look at. Fractions have no bits: nothing matches there.
template <class T>
[[nodiscard]] constexpr bool compare_numbers(Comparison comparison, T value, T low,
                                             T high) noexcept {
  switch (comparison) {
    case Comparison::Equal:
      return value >= low && value <= low;
    case Comparison::NotEqual:
      return value < low || value > low;
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
    case Comparison::Outside:
      return value <= low || value >= high;
    default:
      break;
  }
  if constexpr (std::integral<T>) {
    if (comparison == Comparison::BitAnd) return (value & low) != 0;
    if (comparison == Comparison::BitOr) return (value ^ low) != 0;
    if (comparison == Comparison::Masked) return (value & low) == high;
    if (comparison == Comparison::NotMasked) return (value & low) != high;
  }
  return false;
}

}  // namespace masugata::ids
