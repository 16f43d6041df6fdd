// SPDX-License-Identifier: GPL-2.0-or-later
// Decoding base64 (RFC 4648) out of bytes that may be anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ids/matching/transforms.h"

namespace masugata::ids {

struct Base64Result {
  size_t written = 0;
  bool cut = false;      // `out` was too small
  bool invalid = false;  // a byte that is no base64 was met (Strict: nothing is written then)
};

// Decodes `in` into `out`. Rfc4648 stops at the first byte that is not of the alphabet; Rfc2045
// passes over such bytes; Strict wants whole groups of four with right padding. An unfinished last
// group yields the bytes that it determines (except Strict). Pure; no allocation.
[[nodiscard]] Base64Result decode_base64(std::span<const uint8_t> in, std::span<uint8_t> out,
                                         Base64Mode mode) noexcept;

}  // namespace masugata::ids
