// SPDX-License-Identifier: GPL-2.0-or-later
// Comparison of TCP sequence numbers and timestamps, which wrap: by signed difference (RFC 9293
// section 3.4, RFC 7323 section 5.2). Right for numbers less than 2^31 apart.
#pragma once

#include <cstdint>

namespace masugata::net {

[[nodiscard]] constexpr bool is_after(uint32_t left, uint32_t right) noexcept {
  return static_cast<int32_t>(left - right) > 0;
}
[[nodiscard]] constexpr bool is_before(uint32_t left, uint32_t right) noexcept {
  return is_after(right, left);
}

}  // namespace masugata::net
