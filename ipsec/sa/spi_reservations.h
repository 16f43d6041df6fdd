// SPDX-License-Identifier: GPL-2.0-or-later
// SPIs that were promised to charon and are not used by an SA yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_set>

#include "result/result.h"

namespace masugata::ipsec {

// One thread. Bounded: a peer that begins and never ends negotiations cannot make it grow; charon
// gives back what it does not use.
class SpiReservations {
 public:
  static constexpr size_t kMaximum = 4096;
  // Where strongSwan and the Linux kernel take theirs from, too.
  static constexpr uint32_t kFirst = 0xc0000000;
  static constexpr uint32_t kLast = 0xcfffffff;

  // `random`: 32 bits that nobody can guess; the kernel's when none is given.
  explicit SpiReservations(std::function<uint32_t()> random = {});

  // A random SPI that is neither reserved nor `in_use`. A fault when there are kMaximum already, or
  // when chance finds none.
  [[nodiscard]] Result<uint32_t> reserve(const std::function<bool(uint32_t spi)>& in_use);
  // It is used by an SA now, or was given back. False: it was not reserved.
  bool release(uint32_t spi) { return reserved_.erase(spi) > 0; }
  void clear() noexcept { reserved_.clear(); }
  [[nodiscard]] size_t size() const noexcept { return reserved_.size(); }

 private:
  std::function<uint32_t()> random_;
  std::unordered_set<uint32_t> reserved_;
};

}  // namespace masugata::ipsec
