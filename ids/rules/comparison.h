// SPDX-License-Identifier: GPL-2.0-or-later
// What the comparisons of the rule language mean (payload_match.h).
#pragma once

#include "ids/rules/payload_match.h"

namespace masugata::ids {

// `high` counts for Between and Outside, whose bounds are exclusive and inclusive, and as the value
// of the bits that Masked and NotMasked look at.
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
    case Comparison::Outside:
      return value <= low || value >= high;
    case Comparison::BitAnd:
      return (value & low) != 0;
    case Comparison::BitOr:
      return (value ^ low) != 0;
    case Comparison::Masked:
      return (value & low) == high;
    case Comparison::NotMasked:
      return (value & low) != high;
  }
  return false;
}

// The same for fractions, which have no bits to look at.
[[nodiscard]] constexpr bool compare_fractions(Comparison comparison, double value, double low,
                                               double high) noexcept {
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
    case Comparison::BitAnd:
    case Comparison::BitOr:
    case Comparison::Masked:
    case Comparison::NotMasked:
      break;
  }
  return false;
}

}  // namespace masugata::ids
