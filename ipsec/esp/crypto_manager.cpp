// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/esp/crypto_manager.h"

#include <intel-ipsec-mb.h>

#include <cstring>

namespace masugata::ipsec {
namespace {

// Case 2 of the GCM specification (McGrew, Viega): one block of zeros under a key of zeros.
bool encrypts_as_specified(IMB_MGR* manager) {
  static constexpr uint8_t kExpected[32] = {0x03, 0x88, 0xda, 0xce, 0x60, 0xb6, 0xa3, 0x92,
                                            0xf3, 0x28, 0xc2, 0xb9, 0x71, 0xb2, 0xfe, 0x78,
                                            0xab, 0x6e, 0x47, 0xd4, 0x2c, 0xec, 0x13, 0xbd,
                                            0xf5, 0x3a, 0x67, 0xb2, 0x12, 0x57, 0xbd, 0xdf};
  static constexpr uint8_t kZeros[16] = {};
  gcm_key_data key;
  gcm_context_data context;
  uint8_t out[32];
  IMB_AES128_GCM_PRE(manager, kZeros, &key);
  IMB_AES128_GCM_ENC(manager, &key, &context, out, kZeros, 16, kZeros, kZeros, 0, out + 16, 16);
  return std::memcmp(out, kExpected, sizeof out) == 0;
}

}  // namespace

Result<CryptoManager> CryptoManager::create(uint64_t flags) {
  // Asked here: without them version 1.3 crashes when it chooses its code.
  const bool aes = __builtin_cpu_supports("aes") && (flags & IMB_FLAG_AESNI_OFF) == 0;
  if (!aes || !__builtin_cpu_supports("pclmul")) {
    return failure("IPsec-MB", "this CPU has no AES-NI or no PCLMULQDQ");
  }
  auto memory = KeyMemory::create(imb_get_mb_mgr_size());
  if (!memory) return tl::unexpected(memory.error());
  IMB_MGR* manager = imb_set_pointers_mb_mgr(memory->begin(), flags, 1);
  if (manager == nullptr) return failure("IPsec-MB", "its memory cannot be laid out");
  IMB_ARCH architecture = IMB_ARCH_NONE;
  init_mb_mgr_auto(manager, &architecture);
  if (architecture == IMB_ARCH_NONE || imb_get_errno(manager) != 0) {
    return failure("IPsec-MB", imb_get_strerror(imb_get_errno(manager)));
  }
  if (!encrypts_as_specified(manager)) {
    return failure("IPsec-MB", "AES-GCM gives another result than its specification");
  }
  return CryptoManager(std::move(*memory), manager);
}

const char* CryptoManager::instruction_set() const noexcept {
  switch (manager_->used_arch) {
    case IMB_ARCH_AVX512:
      return "AVX-512";
    case IMB_ARCH_AVX2:
      return "AVX2";
    case IMB_ARCH_AVX:
      return "AVX";
    case IMB_ARCH_SSE:
      return "SSE";
    default:
      return "no AES-NI";
  }
}

}  // namespace masugata::ipsec
