// SPDX-License-Identifier: GPL-2.0-or-later
// How byte_test, byte_jump, byte_extract and byte_math find and read a number.
#pragma once

#include <cstdint>
#include <optional>

#include "ids/matching/compiled_matches.h"
#include "ids/rules/payload_match.h"

namespace masugata::ids {

struct NumberRead {
  uint64_t value = 0;
  uint64_t begin = 0;  // where it was read, from the start of the whole buffer
  uint64_t end = 0;    // behind the last byte that belongs to it; text may use fewer bytes
};

// The value of a number or variable; variables above 2^63-1 become negative as they are cast.
[[nodiscard]] int64_t value_of(const Operand& operand,
                               const MatchScratch::Variables& variables) noexcept;

// `last` is the end of the match before, for relative ones. nullopt when the bytes are not there,
// are no number of the base, or the byte count is beyond 8 (23 for text). The bitmask of
// `reading` is applied by apply_bitmask(), since byte_math does so only after its operation.
[[nodiscard]] std::optional<NumberRead> read_number(
    const NumberReading& reading, const InspectedBytes& bytes, uint64_t last,
    const MatchScratch::Variables& variables) noexcept;

// value & mask, shifted right by the mask's trailing zeros; `value` itself when the mask is 0.
[[nodiscard]] uint64_t apply_bitmask(uint64_t value, uint64_t mask) noexcept;

// The four keywords. Each returns whether it holds; `last` and the variables change as it says.
[[nodiscard]] bool match_byte_test(const ByteTest& test, const InspectedBytes& bytes, uint64_t last,
                                   const MatchScratch::Variables& variables) noexcept;
[[nodiscard]] bool match_byte_jump(const ByteJump& jump, const InspectedBytes& bytes,
                                   uint64_t& last,
                                   const MatchScratch::Variables& variables) noexcept;
[[nodiscard]] bool match_byte_extract(const ByteExtract& extract, const InspectedBytes& bytes,
                                      uint64_t& last, MatchScratch::Variables& variables) noexcept;
[[nodiscard]] bool match_byte_math(const ByteMath& math, const InspectedBytes& bytes,
                                   uint64_t& last, MatchScratch::Variables& variables) noexcept;

}  // namespace masugata::ids
