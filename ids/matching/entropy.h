// SPDX-License-Identifier: GPL-2.0-or-later
// How evenly the bytes of a buffer are spread: low for text, near 8 for what is encrypted or
// packed.
#pragma once

#include <cstdint>
#include <span>

#include "ids/rules/payload_match.h"

namespace masugata::ids {

// Shannon's entropy in bits per byte, 0 to 8; 0 for no bytes. Any thread; reads each byte once.
[[nodiscard]] double entropy_of(std::span<const uint8_t> bytes) noexcept;

// Does the part of `bytes` that the match asks for have such an entropy? Not when it is not there.
[[nodiscard]] bool match_entropy(const BufferEntropy& match,
                                 std::span<const uint8_t> bytes) noexcept;

}  // namespace masugata::ids
