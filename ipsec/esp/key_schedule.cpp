// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/esp/key_schedule.h"

#include <intel-ipsec-mb.h>

#include <cstring>

namespace masugata::ipsec {
namespace {

// RFC 2104: the state of the hash behind one block of the key with each byte changed by `pad`. Keys
// of RFC 4868 are never longer than a block.
void hash_padded_key(std::span<const uint8_t> key, uint8_t pad, Integrity integrity,
                     IMB_MGR* manager, uint8_t* state) noexcept {
  uint8_t block[IMB_SHA_512_BLOCK_SIZE];
  std::memset(block, pad, sizeof block);
  for (size_t i = 0; i < key.size(); ++i) block[i] = static_cast<uint8_t>(key[i] ^ pad);
  switch (integrity) {
    case Integrity::HmacSha256128:
      IMB_SHA256_ONE_BLOCK(manager, block, state);
      break;
    case Integrity::HmacSha384192:
      IMB_SHA384_ONE_BLOCK(manager, block, state);
      break;
    case Integrity::HmacSha512256:
      IMB_SHA512_ONE_BLOCK(manager, block, state);
      break;
    case Integrity::Combined:
      break;
  }
  explicit_bzero(block, sizeof block);
}

}  // namespace

KeySchedule::KeySchedule(const SaParameters& parameters, const CryptoManager& manager) noexcept {
  std::memset(&storage_, 0, sizeof storage_);
  const uint8_t* key = parameters.encryption_key.span().data();
  const EspTransform transform = parameters.transform;
  if (transform.is_combined()) {
    std::memcpy(&salt_, key + transform.cipher_key_bytes(), sizeof salt_);
  }
  switch (transform.encryption) {
    case Encryption::AesGcm128:
    case Encryption::AesGcm192:
    case Encryption::AesGcm256:
      expand_gcm(parameters, manager);
      break;
    case Encryption::ChaCha20Poly1305:
      std::memcpy(storage_.chacha.data(), key, storage_.chacha.size());
      break;
    case Encryption::AesCbc128:
    case Encryption::AesCbc192:
    case Encryption::AesCbc256:
      expand_cbc(parameters, manager);
      expand_hmac(parameters, manager);
      break;
  }
}

KeySchedule::~KeySchedule() {
  explicit_bzero(&storage_, sizeof storage_);
  explicit_bzero(&salt_, sizeof salt_);
}

void KeySchedule::expand_gcm(const SaParameters& parameters,
                             const CryptoManager& manager) noexcept {
  static_assert(sizeof(gcm_key_data) <= kGcmKeyBytes);
  IMB_MGR* library = manager.get();
  const uint8_t* key = parameters.encryption_key.span().data();
  auto* expanded = reinterpret_cast<gcm_key_data*>(storage_.gcm.data());
  if (parameters.transform.encryption == Encryption::AesGcm128) {
    IMB_AES128_GCM_PRE(library, key, expanded);
  } else if (parameters.transform.encryption == Encryption::AesGcm192) {
    IMB_AES192_GCM_PRE(library, key, expanded);
  } else {
    IMB_AES256_GCM_PRE(library, key, expanded);
  }
}

void KeySchedule::expand_cbc(const SaParameters& parameters,
                             const CryptoManager& manager) noexcept {
  IMB_MGR* library = manager.get();
  const uint8_t* key = parameters.encryption_key.span().data();
  CbcHmacKeys& keys = storage_.cbc;
  if (parameters.transform.encryption == Encryption::AesCbc128) {
    IMB_AES_KEYEXP_128(library, key, keys.encrypt.data(), keys.decrypt.data());
  } else if (parameters.transform.encryption == Encryption::AesCbc192) {
    IMB_AES_KEYEXP_192(library, key, keys.encrypt.data(), keys.decrypt.data());
  } else {
    IMB_AES_KEYEXP_256(library, key, keys.encrypt.data(), keys.decrypt.data());
  }
}

void KeySchedule::expand_hmac(const SaParameters& parameters,
                              const CryptoManager& manager) noexcept {
  constexpr uint8_t kInnerPad = 0x36;
  constexpr uint8_t kOuterPad = 0x5c;
  const std::span<const uint8_t> key = parameters.integrity_key.span();
  const Integrity integrity = parameters.transform.integrity;
  hash_padded_key(key, kInnerPad, integrity, manager.get(), storage_.cbc.inner.data());
  hash_padded_key(key, kOuterPad, integrity, manager.get(), storage_.cbc.outer.data());
}

}  // namespace masugata::ipsec
