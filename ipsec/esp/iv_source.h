// SPDX-License-Identifier: GPL-2.0-or-later
// Initialization vectors for AES-CBC.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "result/result.h"

struct IMB_MGR;

namespace masugata::ipsec {

// CBC needs IVs that nobody can predict (RFC 3602 section 3, NIST SP 800-38A appendix C). These are
// the key stream of AES-128 in counter mode under a random key of this source alone: as
// unpredictable as AES, no two alike, and 32 of them cost about as much as encrypting 512 bytes. A
// counter encrypted under the SA's own key would do for passive attackers only. One worker; must
// stand in KeyMemory, because who reads it knows the IVs to come.
class alignas(64) IvSource {
 public:
  static constexpr size_t kIvBytes = 16;

  IvSource() noexcept = default;
  IvSource(const IvSource&) = delete;
  IvSource& operator=(const IvSource&) = delete;
  ~IvSource();

  // Takes a key from the kernel's random source. To be called once, before next().
  [[nodiscard]] Status start(IMB_MGR* manager);

  // Writes 16 bytes that were never written before.
  void next(uint8_t* iv) noexcept {
    if (used_ == kBatch) refill();
    std::memcpy(iv, batch_.data() + used_ * kIvBytes, kIvBytes);
    ++used_;
  }

 private:
  void refill() noexcept;

  static constexpr size_t kBatch = 32;
  static constexpr size_t kKeyBytes = 1024;
  alignas(64) std::array<uint8_t, kKeyBytes> key_{};
  alignas(64) std::array<uint8_t, kBatch * kIvBytes> batch_{};
  size_t used_ = kBatch;
  uint64_t refills_ = 0;
  IMB_MGR* manager_ = nullptr;
};

}  // namespace masugata::ipsec
