// SPDX-License-Identifier: GPL-2.0-or-later
// The library's side: one packet in one call for GCM, jobs for the rest.
#include "ipsec/esp/esp_core.h"

#include <cstring>

#include "net/byte_order.h"

namespace masugata::ipsec {
namespace {

constexpr uint64_t kGcmTagBytes = 16;
constexpr uint64_t kNonceBytes = 12;

void store_whole(std::array<uint8_t, 16>& destination, uint64_t low, uint64_t high) noexcept {
  _mm_store_si128(reinterpret_cast<__m128i*>(destination.data()),
                  _mm_set_epi64x(static_cast<int64_t>(high), static_cast<int64_t>(low)));
}

// RFC 4106 section 4, RFC 7634 section 2: salt, then the IV of the packet.
void make_nonce(CryptoSlot& slot, uint32_t salt, uint64_t iv) noexcept {
  store_whole(slot.nonce, salt | iv << 32U, iv >> 32U);
}

struct Associated {
  const uint8_t* bytes;
  uint64_t size;
};

// RFC 4106 section 5: SPI and sequence number; with ESN all 64 bits of it.
Associated associated_data(const EspSa& sa, CryptoSlot& slot) noexcept {
  if (!sa.extended_sequence()) return {slot.esp, kEspHeaderBytes};
  const uint64_t number = __builtin_bswap64(slot.sequence);
  store_whole(slot.associated, net::load_be32(slot.esp).raw | number << 32U, number >> 32U);
  return {slot.associated.data(), kNonceBytes};
}

size_t gcm_index(const EspSa& sa) noexcept {
  return static_cast<size_t>(sa.transform().encryption);
}

IMB_HASH_ALG hash_of(Integrity integrity) noexcept {
  if (integrity == Integrity::HmacSha384192) return IMB_AUTH_HMAC_SHA_384;
  if (integrity == Integrity::HmacSha512256) return IMB_AUTH_HMAC_SHA_512;
  return IMB_AUTH_HMAC_SHA_256;
}

}  // namespace

EspCore::EspCore(IMB_MGR* library) noexcept
    : library_(library),
      gcm_encrypt_{library->gcm128_enc, library->gcm192_enc, library->gcm256_enc},
      gcm_decrypt_{library->gcm128_dec, library->gcm192_dec, library->gcm256_dec} {
  static_assert(static_cast<size_t>(Encryption::AesGcm256) == 2);
}

void EspCore::encrypt(EspSa& sa, CryptoSlot& slot) noexcept {
  uint8_t* tag = slot.text + slot.text_bytes;
  if (!sa.transform().is_combined()) {
    uint8_t* iv = slot.text - IvSource::kIvBytes;
    ivs.next(iv);
    submit_cbc(sa, slot, true, tag);
    return;
  }
  // The counter is the IV: 64 bits that never come twice under one key, with ESN or without.
  const uint64_t iv = __builtin_bswap64(slot.sequence);
  std::memcpy(slot.text - sizeof iv, &iv, sizeof iv);
  make_nonce(slot, sa.keys().salt(), iv);
  const Associated associated = associated_data(sa, slot);
  if (sa.transform().encryption == Encryption::ChaCha20Poly1305) {
    submit_chacha(sa, slot, associated.size, true, tag);
    return;
  }
  gcm_encrypt_[gcm_index(sa)](static_cast<const gcm_key_data*>(sa.keys().gcm()), &gcm_context_,
                              slot.text, slot.text, slot.text_bytes, slot.nonce.data(),
                              associated.bytes, associated.size, tag, kGcmTagBytes);
}

void EspCore::decrypt(EspSa& sa, CryptoSlot& slot) noexcept {
  if (!sa.transform().is_combined()) {
    std::memcpy(slot.received.data(), slot.text + slot.text_bytes, sa.icv_bytes());
    submit_cbc(sa, slot, false, slot.computed.data());
    return;
  }
  uint64_t iv;
  std::memcpy(&iv, slot.text - sizeof iv, sizeof iv);
  std::memcpy(slot.received.data(), slot.text + slot.text_bytes, kGcmTagBytes);
  make_nonce(slot, sa.keys().salt(), iv);
  const Associated associated = associated_data(sa, slot);
  if (sa.transform().encryption == Encryption::ChaCha20Poly1305) {
    submit_chacha(sa, slot, associated.size, false, slot.computed.data());
    return;
  }
  gcm_decrypt_[gcm_index(sa)](static_cast<const gcm_key_data*>(sa.keys().gcm()), &gcm_context_,
                              slot.text, slot.text, slot.text_bytes, slot.nonce.data(),
                              associated.bytes, associated.size, slot.computed.data(),
                              kGcmTagBytes);
}

void EspCore::submit_chacha(const EspSa& sa, CryptoSlot& slot, uint64_t aad_bytes, bool encrypting,
                            uint8_t* tag) noexcept {
  IMB_JOB* job = IMB_GET_NEXT_JOB(library_);
  job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
  job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
  job->cipher_direction = encrypting ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
  job->chain_order = encrypting ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
  job->enc_keys = sa.keys().chacha();
  job->dec_keys = sa.keys().chacha();
  job->key_len_in_bytes = 32;
  job->src = slot.text;
  job->dst = slot.text;
  job->cipher_start_src_offset_in_bytes = 0;
  job->msg_len_to_cipher_in_bytes = slot.text_bytes;
  job->hash_start_src_offset_in_bytes = 0;
  job->msg_len_to_hash_in_bytes = slot.text_bytes;
  job->iv = slot.nonce.data();
  job->iv_len_in_bytes = kNonceBytes;
  job->u.CHACHA20_POLY1305.aad = aad_bytes == kEspHeaderBytes ? slot.esp : slot.associated.data();
  job->u.CHACHA20_POLY1305.aad_len_in_bytes = aad_bytes;
  job->auth_tag_output = tag;
  job->auth_tag_output_len_in_bytes = kGcmTagBytes;
  job->user_data = &slot;
  slot.pending = true;
  ++pending_;
  complete(IMB_SUBMIT_JOB_NOCHECK(library_));
}

void EspCore::submit_cbc(const EspSa& sa, CryptoSlot& slot, bool encrypting,
                         uint8_t* tag) noexcept {
  const CbcHmacKeys& keys = sa.keys().cbc();
  const uint32_t authenticated = kEspHeaderBytes + sa.iv_bytes() + slot.text_bytes;
  uint32_t hashed = authenticated;
  if (sa.extended_sequence()) {
    // RFC 4303 section 2.2.1: the high half is behind what is authenticated, and never sent. The
    // ICV has its place there; it is saved already, or written when the hash is done.
    const auto high = static_cast<uint32_t>(slot.sequence >> 32U);
    net::store(slot.esp + authenticated, net::Be32::from_host(high));
    hashed += sizeof high;
  }
  IMB_JOB* job = IMB_GET_NEXT_JOB(library_);
  job->cipher_mode = IMB_CIPHER_CBC;
  job->hash_alg = hash_of(sa.transform().integrity);
  job->cipher_direction = encrypting ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
  job->chain_order = encrypting ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
  job->enc_keys = keys.encrypt.data();
  job->dec_keys = keys.decrypt.data();
  job->key_len_in_bytes = sa.transform().cipher_key_bytes();
  job->src = slot.esp;
  job->dst = slot.text;
  job->cipher_start_src_offset_in_bytes = kEspHeaderBytes + IvSource::kIvBytes;
  job->msg_len_to_cipher_in_bytes = slot.text_bytes;
  job->hash_start_src_offset_in_bytes = 0;
  job->msg_len_to_hash_in_bytes = hashed;
  job->iv = slot.text - IvSource::kIvBytes;
  job->iv_len_in_bytes = IvSource::kIvBytes;
  job->auth_tag_output = tag;
  job->auth_tag_output_len_in_bytes = sa.icv_bytes();
  job->u.HMAC._hashed_auth_key_xor_ipad = keys.inner.data();
  job->u.HMAC._hashed_auth_key_xor_opad = keys.outer.data();
  job->user_data = &slot;
  slot.pending = true;
  ++pending_;
  complete(IMB_SUBMIT_JOB_NOCHECK(library_));
}

void EspCore::complete(const IMB_JOB* job) noexcept {
  if (job == nullptr) return;
  auto* slot = static_cast<CryptoSlot*>(job->user_data);
  --pending_;
  slot->pending = false;
  slot->failed = job->status != IMB_STATUS_COMPLETED;
}

void EspCore::flush() noexcept {
  while (const IMB_JOB* job = IMB_FLUSH_JOB(library_)) complete(job);
}

}  // namespace masugata::ipsec
