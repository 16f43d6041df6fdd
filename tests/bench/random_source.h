// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers that look random and are the same in every run and on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace masugata::bench {

// splitmix64: any seed does.
class RandomSource {
 public:
  explicit RandomSource(uint64_t seed) noexcept : state_(seed) {}

  [[nodiscard]] uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15ULL;
    uint64_t value = state_;
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31U);
  }
  // 0 .. bound - 1; `bound` is not 0.
  [[nodiscard]] size_t below(size_t bound) noexcept { return next() % bound; }
  // low .. high, both included.
  [[nodiscard]] size_t between(size_t low, size_t high) noexcept {
    return low + below(high - low + 1);
  }
  // True in `percent` of a hundred cases.
  [[nodiscard]] bool chance(size_t percent) noexcept { return below(100) < percent; }
  template <class T, size_t kSize>
  [[nodiscard]] const T& pick(const T (&choices)[kSize]) noexcept {
    return choices[below(kSize)];
  }

 private:
  uint64_t state_;
};

}  // namespace masugata::bench
