// SPDX-License-Identifier: GPL-2.0-or-later
// Keys of one SA as IPsec-MB wants them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "ipsec/esp/crypto_manager.h"
#include "ipsec/sa/sa_parameters.h"

namespace masugata::ipsec {

// Round keys of both directions and the HMAC's states behind its two padded keys.
struct CbcHmacKeys {
  alignas(16) std::array<uint8_t, 240> encrypt;
  alignas(16) std::array<uint8_t, 240> decrypt;
  alignas(64) std::array<uint8_t, 64> inner;
  alignas(64) std::array<uint8_t, 64> outer;
};

// Lives inside an EspSa, in KeyMemory; wiped when it goes.
class alignas(64) KeySchedule {
 public:
  // `parameters` passed check(). Expands with `manager`, whose thread this is.
  KeySchedule(const SaParameters& parameters, const CryptoManager& manager) noexcept;
  KeySchedule(const KeySchedule&) = delete;
  KeySchedule& operator=(const KeySchedule&) = delete;
  ~KeySchedule();

  // Which of the three is filled follows from the transform.
  [[nodiscard]] const void* gcm() const noexcept { return storage_.gcm.data(); }
  [[nodiscard]] const CbcHmacKeys& cbc() const noexcept { return storage_.cbc; }
  [[nodiscard]] const void* chacha() const noexcept { return storage_.chacha.data(); }
  // The four bytes before the IV in the nonce, in memory order.
  [[nodiscard]] uint32_t salt() const noexcept { return salt_; }

 private:
  void expand_gcm(const SaParameters& parameters, const CryptoManager& manager) noexcept;
  void expand_cbc(const SaParameters& parameters, const CryptoManager& manager) noexcept;
  void expand_hmac(const SaParameters& parameters, const CryptoManager& manager) noexcept;

  static constexpr size_t kGcmKeyBytes = 1024;
  union Storage {
    std::array<uint8_t, kGcmKeyBytes> gcm;
    CbcHmacKeys cbc;
    std::array<uint8_t, 32> chacha;
  };
  Storage storage_;
  uint32_t salt_ = 0;
};

}  // namespace masugata::ipsec
