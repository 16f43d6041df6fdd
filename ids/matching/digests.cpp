// SPDX-License-Identifier: GPL-2.0-or-later
// The interface without a hidden state is marked as deprecated since OpenSSL 3.0.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "ids/matching/digests.h"

#include <openssl/md5.h>
#include <openssl/sha.h>

namespace masugata::ids {

std::array<uint8_t, 16> compute_md5(std::span<const uint8_t> bytes) noexcept {
  std::array<uint8_t, MD5_DIGEST_LENGTH> digest{};
  MD5_CTX state;
  MD5_Init(&state);
  MD5_Update(&state, bytes.data(), bytes.size());
  MD5_Final(digest.data(), &state);
  return digest;
}

std::array<uint8_t, 20> compute_sha1(std::span<const uint8_t> bytes) noexcept {
  std::array<uint8_t, SHA_DIGEST_LENGTH> digest{};
  SHA_CTX state;
  SHA1_Init(&state);
  SHA1_Update(&state, bytes.data(), bytes.size());
  SHA1_Final(digest.data(), &state);
  return digest;
}

std::array<uint8_t, 32> compute_sha256(std::span<const uint8_t> bytes) noexcept {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, bytes.data(), bytes.size());
  SHA256_Final(digest.data(), &state);
  return digest;
}

}  // namespace masugata::ids
