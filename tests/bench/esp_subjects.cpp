// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/esp_subjects.h"

#include <intel-ipsec-mb.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "ipsec/esp/esp_worker.h"
#include "ipsec/esp/key_schedule.h"
#include "ipsec/esp/reference_esp.h"
#include "ipsec/esp/sa_memory.h"
#include "net/byte_order.h"

namespace masugata::bench {
namespace {

using ipsec::Encryption;
using ipsec::EspTransform;
using ipsec::Integrity;

ipsec::SaParameters parameters_of(EspTransform transform, ipsec::Direction direction) {
  return ipsec::reference::parameters_of(transform, direction);
}

uint32_t text_bytes_of(EspTransform transform, uint32_t packet_bytes) {
  const auto round = static_cast<uint32_t>(transform.alignment_bytes()) - 1;
  return (packet_bytes + 2 + round) & ~round;
}

class EspPath final : public EspSubject {
 public:
  EspPath(EspTransform transform, EspBuffers& buffers) : transform_(transform), buffers_(buffers) {
    auto worker = ipsec::EspWorker::create();
    auto memory = ipsec::SaMemory::create(2);
    if (!worker || !memory) std::abort();
    worker_ = std::move(*worker);
    memory_ = std::move(*memory);
    const auto parameters = parameters_of(transform, ipsec::Direction::Outbound);
    auto out = memory_->build(parameters, 0);
    auto in = memory_->build(ipsec::reference::peer_of(parameters), 0);
    if (!out || !in) std::abort();
    out_ = std::move(*out);
    in_ = std::move(*in);
  }

  bool encrypt() override {
    for (size_t first = 0; first < kEspPackets; first += kEspBurst) {
      for (size_t i = 0; i < kEspBurst; ++i) {
        burst_[i] = {buffers_.packet(first + i),
                     buffers_.packet_bytes(),
                     EspBuffers::kHeadroom,
                     128,
                     out_.get(),
                     0};
      }
      worker_->encapsulate(burst_, ++now_);
      for (const ipsec::EspPacket& packet : burst_) {
        if (packet.refusal != ipsec::EspRefusal::None) return false;
        outer_bytes_ = packet.length;
      }
    }
    return true;
  }

  bool decrypt() override {
    const uint32_t before = 20 + 8 + static_cast<uint32_t>(transform_.iv_bytes());
    for (size_t first = 0; first < kEspPackets; first += kEspBurst) {
      for (size_t i = 0; i < kEspBurst; ++i) {
        burst_[i] = {buffers_.packet(first + i) - before, outer_bytes_, 0, 0, in_.get(), 20};
      }
      worker_->decapsulate(burst_, ++now_);
      for (const ipsec::EspPacket& packet : burst_) {
        if (packet.refusal != ipsec::EspRefusal::None) return false;
      }
    }
    return true;
  }

 private:
  EspTransform transform_;
  EspBuffers& buffers_;
  std::unique_ptr<ipsec::EspWorker> worker_;
  std::unique_ptr<ipsec::SaMemory> memory_;
  ipsec::SaMemory::Pointer out_;
  ipsec::SaMemory::Pointer in_;
  std::array<ipsec::EspPacket, kEspBurst> burst_;
  uint64_t now_ = 0;
  uint32_t outer_bytes_ = 0;
};

class Library final : public EspSubject {
 public:
  Library(EspTransform transform, EspBuffers& buffers)
      : transform_(transform),
        buffers_(buffers),
        text_bytes_(text_bytes_of(transform, buffers.packet_bytes())),
        manager_(*ipsec::CryptoManager::create()),
        keys_(parameters_of(transform, ipsec::Direction::Outbound), manager_) {}

  bool encrypt() override { return run(true); }
  bool decrypt() override { return run(false); }

 private:
  bool run(bool encrypting) {
    if (transform_.is_combined() && transform_.encryption != Encryption::ChaCha20Poly1305) {
      run_gcm(encrypting);
      return true;
    }
    IMB_MGR* manager = manager_.get();
    for (size_t first = 0; first < kEspPackets; first += kEspBurst) {
      size_t done = 0;
      for (size_t i = 0; i < kEspBurst; ++i) {
        IMB_JOB* job = IMB_GET_NEXT_JOB(manager);
        set_job(*job, buffers_.packet(first + i), encrypting);
        done += IMB_SUBMIT_JOB_NOCHECK(manager) != nullptr ? 1 : 0;
      }
      while (IMB_FLUSH_JOB(manager) != nullptr) ++done;
      if (done != kEspBurst) return false;
    }
    return true;
  }

  void run_gcm(bool encrypting) {
    const IMB_MGR& manager = *manager_.get();
    const std::array<aes_gcm_enc_dec_t, 3> encrypt = {manager.gcm128_enc, manager.gcm192_enc,
                                                      manager.gcm256_enc};
    const std::array<aes_gcm_enc_dec_t, 3> decrypt = {manager.gcm128_dec, manager.gcm192_dec,
                                                      manager.gcm256_dec};
    const auto index = static_cast<size_t>(transform_.encryption);
    const aes_gcm_enc_dec_t work = encrypting ? encrypt[index] : decrypt[index];
    for (size_t i = 0; i < kEspPackets; ++i) {
      uint8_t* text = buffers_.packet(i);
      work(static_cast<const gcm_key_data*>(keys_.gcm()), &context_, text, text, text_bytes_,
           nonce_.data(), text - 16, 8, text + text_bytes_, 16);
    }
  }

  void set_job(IMB_JOB& job, uint8_t* text, bool encrypting) {
    job.cipher_direction = encrypting ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
    job.chain_order = encrypting ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
    job.dst = text;
    job.msg_len_to_cipher_in_bytes = text_bytes_;
    job.hash_start_src_offset_in_bytes = 0;
    job.auth_tag_output = encrypting ? text + text_bytes_ : tag_.data();
    job.auth_tag_output_len_in_bytes = transform_.icv_bytes();
    job.key_len_in_bytes = transform_.cipher_key_bytes();
    if (transform_.encryption == Encryption::ChaCha20Poly1305) {
      job.cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
      job.hash_alg = IMB_AUTH_CHACHA20_POLY1305;
      job.src = text;
      job.cipher_start_src_offset_in_bytes = 0;
      job.msg_len_to_hash_in_bytes = text_bytes_;
      job.enc_keys = job.dec_keys = keys_.chacha();
      job.iv = nonce_.data();
      job.iv_len_in_bytes = 12;
      job.u.CHACHA20_POLY1305.aad = text - 16;
      job.u.CHACHA20_POLY1305.aad_len_in_bytes = 8;
      return;
    }
    job.cipher_mode = IMB_CIPHER_CBC;
    job.hash_alg = transform_.integrity == Integrity::HmacSha256128   ? IMB_AUTH_HMAC_SHA_256
                   : transform_.integrity == Integrity::HmacSha384192 ? IMB_AUTH_HMAC_SHA_384
                                                                      : IMB_AUTH_HMAC_SHA_512;
    job.src = text - 24;
    job.cipher_start_src_offset_in_bytes = 24;
    job.msg_len_to_hash_in_bytes = text_bytes_ + 24;
    job.enc_keys = keys_.cbc().encrypt.data();
    job.dec_keys = keys_.cbc().decrypt.data();
    job.iv = text - 16;
    job.iv_len_in_bytes = 16;
    job.u.HMAC._hashed_auth_key_xor_ipad = keys_.cbc().inner.data();
    job.u.HMAC._hashed_auth_key_xor_opad = keys_.cbc().outer.data();
  }

  EspTransform transform_;
  EspBuffers& buffers_;
  uint32_t text_bytes_;
  ipsec::CryptoManager manager_;
  ipsec::KeySchedule keys_;
  gcm_context_data context_{};
  alignas(16) std::array<uint8_t, 16> nonce_{};
  std::array<uint8_t, 64> tag_{};
};

class OpenSsl final : public EspSubject {
 public:
  OpenSsl(EspTransform transform, EspBuffers& buffers)
      : transform_(transform),
        buffers_(buffers),
        text_bytes_(text_bytes_of(transform, buffers.packet_bytes())) {
    const auto parameters = parameters_of(transform, ipsec::Direction::Outbound);
    const uint8_t* key = parameters.encryption_key.span().data();
    EVP_CipherInit_ex(encrypting_, cipher(), nullptr, key, nonce_.data(), 1);
    EVP_CipherInit_ex(decrypting_, cipher(), nullptr, key, nonce_.data(), 0);
    EVP_CIPHER_CTX_set_padding(encrypting_, 0);
    EVP_CIPHER_CTX_set_padding(decrypting_, 0);
    if (transform.is_combined()) return;
    const auto integrity = parameters.integrity_key.span();
    EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    mac_ = EVP_MAC_CTX_new(hmac);
    EVP_MAC_free(hmac);
    std::string name = digest();
    const OSSL_PARAM settings[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
        OSSL_PARAM_construct_end()};
    if (EVP_MAC_init(mac_, integrity.data(), integrity.size(), settings) != 1) std::abort();
  }
  ~OpenSsl() override {
    EVP_CIPHER_CTX_free(encrypting_);
    EVP_CIPHER_CTX_free(decrypting_);
    EVP_MAC_CTX_free(mac_);
  }

  bool encrypt() override {
    bool good = true;
    for (size_t i = 0; i < kEspPackets; ++i) {
      uint8_t* text = buffers_.packet(i);
      good &= EVP_CipherInit_ex(encrypting_, nullptr, nullptr, nullptr, nonce_.data(), 1) == 1;
      good &= crypt(encrypting_, text);
      if (transform_.is_combined()) {
        good &=
            EVP_CIPHER_CTX_ctrl(encrypting_, EVP_CTRL_AEAD_GET_TAG, 16, text + text_bytes_) == 1;
      } else {
        good &= authenticate(text);
      }
    }
    return good;
  }

  bool decrypt() override {
    bool good = true;
    for (size_t i = 0; i < kEspPackets; ++i) {
      uint8_t* text = buffers_.packet(i);
      good &= EVP_CipherInit_ex(decrypting_, nullptr, nullptr, nullptr, nonce_.data(), 0) == 1;
      if (transform_.is_combined()) {
        good &=
            EVP_CIPHER_CTX_ctrl(decrypting_, EVP_CTRL_AEAD_SET_TAG, 16, text + text_bytes_) == 1;
      } else {
        good &= authenticate(text);
      }
      good &= crypt(decrypting_, text);
    }
    return good;
  }

 private:
  bool crypt(EVP_CIPHER_CTX* context, uint8_t* text) {
    int written = 0;
    bool good = true;
    if (transform_.is_combined()) {
      good &= EVP_CipherUpdate(context, nullptr, &written, text - 16, 8) == 1;
    }
    good &= EVP_CipherUpdate(context, text, &written, text, static_cast<int>(text_bytes_)) == 1;
    if (transform_.is_combined()) {
      good &= EVP_CipherFinal_ex(context, text + text_bytes_ - 16, &written) == 1;
    }
    return good;
  }
  bool authenticate(uint8_t* text) {
    size_t written = 0;
    return EVP_MAC_init(mac_, nullptr, 0, nullptr) == 1 &&
           EVP_MAC_update(mac_, text - 24, text_bytes_ + 24) == 1 &&
           EVP_MAC_final(mac_, tag_.data(), &written, tag_.size()) == 1;
  }
  [[nodiscard]] const EVP_CIPHER* cipher() const {
    constexpr std::array<const EVP_CIPHER* (*)(), ipsec::kEncryptionCount> kCiphers = {
        EVP_aes_128_gcm, EVP_aes_192_gcm, EVP_aes_256_gcm, EVP_chacha20_poly1305,
        EVP_aes_128_cbc, EVP_aes_192_cbc, EVP_aes_256_cbc};
    return kCiphers[static_cast<size_t>(transform_.encryption)]();
  }
  [[nodiscard]] const char* digest() const {
    if (transform_.integrity == Integrity::HmacSha384192) return "SHA384";
    return transform_.integrity == Integrity::HmacSha512256 ? "SHA512" : "SHA256";
  }

  EspTransform transform_;
  EspBuffers& buffers_;
  uint32_t text_bytes_;
  std::array<uint8_t, 16> nonce_{};
  std::array<uint8_t, EVP_MAX_MD_SIZE> tag_{};
  EVP_CIPHER_CTX* encrypting_ = EVP_CIPHER_CTX_new();
  EVP_CIPHER_CTX* decrypting_ = EVP_CIPHER_CTX_new();
  EVP_MAC_CTX* mac_ = nullptr;
};

}  // namespace

EspBuffers::EspBuffers(uint32_t packet_bytes)
    : packet_bytes_(packet_bytes), storage_(kEspPackets * kStride + 64) {
  const auto address = reinterpret_cast<uintptr_t>(storage_.data());
  bytes_ = storage_.data() + (64 - address % 64);
  const auto payload = ipsec::reference::Bytes(packet_bytes - 20, 0x5a);
  const auto inner = ipsec::reference::ipv4_packet(17, payload);
  for (size_t i = 0; i < kEspPackets; ++i) std::memcpy(packet(i), inner.data(), inner.size());
}

std::unique_ptr<EspSubject> make_esp_path(EspTransform transform, EspBuffers& buffers) {
  return std::make_unique<EspPath>(transform, buffers);
}
std::unique_ptr<EspSubject> make_library(EspTransform transform, EspBuffers& buffers) {
  return std::make_unique<Library>(transform, buffers);
}
std::unique_ptr<EspSubject> make_openssl(EspTransform transform, EspBuffers& buffers) {
  return std::make_unique<OpenSsl>(transform, buffers);
}

}  // namespace masugata::bench
