// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/entropy.h"

#include <array>
#include <cmath>

#include "ids/rules/comparison.h"

namespace masugata::ids {

double entropy_of(std::span<const uint8_t> bytes) noexcept {
  std::array<uint32_t, 256> counts{};
  for (const uint8_t byte : bytes) ++counts[byte];
  const auto size = static_cast<double>(bytes.size());
  double entropy = 0;
  for (const uint32_t count : counts) {
    if (count == 0) continue;
    const double share = count / size;
    entropy -= share * std::log2(share);
  }
  return entropy;
}

bool match_entropy(const BufferEntropy& match, std::span<const uint8_t> bytes) noexcept {
  if (match.offset > bytes.size()) return false;
  bytes = bytes.subspan(match.offset);
  if (match.bytes > bytes.size()) return false;
  if (match.bytes != 0) bytes = bytes.first(match.bytes);
  return compare_numbers(match.comparison, entropy_of(bytes), match.low, match.high);
}

}  // namespace masugata::ids
