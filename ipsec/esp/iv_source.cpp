// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/esp/iv_source.h"

#include <intel-ipsec-mb.h>
#include <sys/random.h>

#include <cerrno>

namespace masugata::ipsec {

IvSource::~IvSource() {
  explicit_bzero(key_.data(), key_.size());
  explicit_bzero(batch_.data(), batch_.size());
}

Status IvSource::start(IMB_MGR* manager) {
  static_assert(sizeof(gcm_key_data) <= kKeyBytes);
  manager_ = manager;
  std::array<uint8_t, 16> key;
  if (getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size())) {
    return failure("random numbers", std::strerror(errno));
  }
  IMB_AES128_GCM_PRE(manager_, key.data(), reinterpret_cast<gcm_key_data*>(key_.data()));
  explicit_bzero(key.data(), key.size());
  return {};
}

void IvSource::refill() noexcept {
  // GCM without its tag: the encryption of zeros is the key stream, 32 blocks for each nonce.
  alignas(16) uint8_t nonce[16] = {};
  std::memcpy(nonce, &refills_, sizeof refills_);
  ++refills_;
  uint8_t tag[16];
  gcm_context_data context;
  batch_.fill(0);
  IMB_AES128_GCM_ENC(manager_, reinterpret_cast<const gcm_key_data*>(key_.data()), &context,
                     batch_.data(), batch_.data(), batch_.size(), nonce, nonce, 0, tag, sizeof tag);
  used_ = 0;
}

}  // namespace masugata::ipsec
