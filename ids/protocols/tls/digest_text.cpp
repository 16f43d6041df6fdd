// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/tls/digest_text.h"

#include <openssl/evp.h>

#include <array>

namespace masugata::ids {
namespace {

void append_hex(uint8_t byte, TextCase letters, std::string& text) {
  const char* digits = letters == TextCase::Upper ? "0123456789ABCDEF" : "0123456789abcdef";
  text.push_back(digits[byte >> 4U]);
  text.push_back(digits[byte & 15U]);
}

struct Digest {
  std::array<uint8_t, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  [[nodiscard]] std::span<const uint8_t> used() const noexcept {
    return std::span<const uint8_t>{bytes}.first(size);
  }
};

Digest digest(const void* data, size_t size, const EVP_MD* algorithm) {
  Digest result;
  if (EVP_Digest(data, size, result.bytes.data(), &result.size, algorithm, nullptr) != 1) {
    result.size = 0;
  }
  return result;
}

}  // namespace

std::string hex_with_colons(std::span<const uint8_t> bytes, TextCase letters) {
  std::string text;
  text.reserve(bytes.size() * 3);
  for (const uint8_t byte : bytes) {
    if (!text.empty()) text.push_back(':');
    append_hex(byte, letters, text);
  }
  return text;
}

std::string hex_of(std::span<const uint8_t> bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const uint8_t byte : bytes) append_hex(byte, TextCase::Lower, text);
  return text;
}

std::string md5_hex(std::string_view text) {
  return hex_of(digest(text.data(), text.size(), EVP_md5()).used());
}

std::string sha256_hex(std::string_view text) {
  return hex_of(digest(text.data(), text.size(), EVP_sha256()).used());
}

std::string sha1_with_colons(std::span<const uint8_t> bytes) {
  return hex_with_colons(digest(bytes.data(), bytes.size(), EVP_sha1()).used(), TextCase::Lower);
}

}  // namespace masugata::ids
