// SPDX-License-Identifier: GPL-2.0-or-later
// One instance of IPsec-MB with memory of ours.
#pragma once

#include <cstdint>

#include "ipsec/esp/key_memory.h"
#include "result/result.h"

struct IMB_MGR;

namespace masugata::ipsec {

// IPsec-MB chooses its code for the CPU at hand when this is created (AVX-512 down to SSE with
// AES-NI). About 200 KiB, allocated once. One thread at a time.
class CryptoManager {
 public:
  // Fails without memory, on a CPU without AES-NI and PCLMULQDQ, and when the library encrypts
  // other than AES-GCM is specified. `flags`: IMB_FLAG_... of features to be taken as missing, for
  // tests.
  [[nodiscard]] static Result<CryptoManager> create(uint64_t flags = 0);

  CryptoManager(CryptoManager&&) noexcept = default;

  [[nodiscard]] IMB_MGR* get() const noexcept { return manager_; }
  // "AVX-512", for messages and benchmarks.
  [[nodiscard]] const char* instruction_set() const noexcept;

 private:
  CryptoManager(KeyMemory memory, IMB_MGR* manager) noexcept
      : memory_(std::move(memory)), manager_(manager) {}

  KeyMemory memory_;
  IMB_MGR* manager_;
};

}  // namespace masugata::ipsec
