// SPDX-License-Identifier: GPL-2.0-or-later
// Inside of EspWorker: what a packet of the burst is to the library. Not for others.
#pragma once

#include <emmintrin.h>
#include <intel-ipsec-mb.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "ipsec/esp/esp_packet.h"
#include "ipsec/esp/esp_sa.h"
#include "ipsec/esp/esp_worker.h"
#include "ipsec/esp/iv_source.h"

namespace masugata::ipsec {

inline constexpr uint32_t kEspHeaderBytes = 8;
inline constexpr size_t kLargestIcvBytes = 32;

// One packet on its way through the cipher.
struct CryptoSlot {
  // Values of 12 bytes in 16, written as one: the library reads them at once, and a value that was
  // written in pieces would keep it waiting.
  alignas(16) std::array<uint8_t, 16> nonce;
  alignas(16) std::array<uint8_t, 16> associated;
  std::array<uint8_t, kLargestIcvBytes> computed;
  std::array<uint8_t, kLargestIcvBytes> received;
  uint64_t sequence;
  uint8_t* esp;   // the ESP header
  uint8_t* text;  // what is encrypted or decrypted in place
  uint32_t text_bytes;
  bool pending;   // with the library; else done
  bool failed;    // the library says so
  bool deferred;  // was pending when the next packet began
};

// State of one worker. Stands in KeyMemory.
struct EspCore {
  explicit EspCore(IMB_MGR* library) noexcept;

  void encapsulate(std::span<EspPacket> group, uint64_t now_ms) noexcept;
  void decapsulate(std::span<EspPacket> group, uint64_t now_ms) noexcept;

  IvSource ivs;

 private:
  EspRefusal seal(EspPacket& packet, CryptoSlot& slot, uint64_t now_ms) noexcept;
  EspRefusal open(EspPacket& packet, CryptoSlot& slot, uint64_t now_ms) noexcept;
  EspRefusal finish(EspPacket& packet, CryptoSlot& slot, uint64_t now_ms) noexcept;

  // `slot` has header, text and sequence. Combined ciphers are mostly done on return, CBC is
  // pending.
  void encrypt(EspSa& sa, CryptoSlot& slot) noexcept;
  void decrypt(EspSa& sa, CryptoSlot& slot) noexcept;
  void submit_chacha(const EspSa& sa, CryptoSlot& slot, uint64_t aad_bytes, bool encrypting,
                     uint8_t* tag) noexcept;
  void submit_cbc(const EspSa& sa, CryptoSlot& slot, bool encrypting, uint8_t* tag) noexcept;
  void complete(const IMB_JOB* job) noexcept;
  // Waits for every pending slot.
  void flush() noexcept;

  IMB_MGR* library_;
  std::array<aes_gcm_enc_dec_t, 3> gcm_encrypt_;
  std::array<aes_gcm_enc_dec_t, 3> gcm_decrypt_;
  size_t pending_ = 0;
  gcm_context_data gcm_context_;
  alignas(64) std::array<CryptoSlot, EspWorker::kBurst> slots_;
};

}  // namespace masugata::ipsec
