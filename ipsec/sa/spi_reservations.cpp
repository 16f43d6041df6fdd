// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/sa/spi_reservations.h"

#include <fmt/format.h>

#include <random>

namespace masugata::ipsec {
namespace {

constexpr int kTries = 64;

// libstdc++ asks the kernel or the CPU.
uint32_t random_bits() {
  thread_local std::random_device device;
  return device();
}

}  // namespace

SpiReservations::SpiReservations(std::function<uint32_t()> random)
    : random_(random ? std::move(random) : random_bits) {}

Result<uint32_t> SpiReservations::reserve(const std::function<bool(uint32_t spi)>& in_use) {
  if (reserved_.size() >= kMaximum) {
    return failure("SPIs", fmt::format("{} are reserved and not used yet: too many", kMaximum));
  }
  for (int i = 0; i < kTries; ++i) {
    const uint32_t spi = kFirst + random_() % (kLast - kFirst + 1);
    if (in_use(spi) || !reserved_.insert(spi).second) continue;
    return spi;
  }
  return failure("SPIs", "no free one was found");
}

}  // namespace masugata::ipsec
