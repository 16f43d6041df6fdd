// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/sa/esp_transform.h"

#include <utility>

namespace masugata::ipsec {
namespace {

using NamedTransform = std::pair<EspTransform, std::string_view>;

constexpr NamedTransform kNames[] = {
    {{Encryption::AesGcm128, Integrity::Combined}, "aes128gcm16"},
    {{Encryption::AesGcm192, Integrity::Combined}, "aes192gcm16"},
    {{Encryption::AesGcm256, Integrity::Combined}, "aes256gcm16"},
    {{Encryption::ChaCha20Poly1305, Integrity::Combined}, "chacha20poly1305"},
    {{Encryption::AesCbc128, Integrity::HmacSha256128}, "aes128-sha256"},
    {{Encryption::AesCbc192, Integrity::HmacSha256128}, "aes192-sha256"},
    {{Encryption::AesCbc256, Integrity::HmacSha256128}, "aes256-sha256"},
    {{Encryption::AesCbc128, Integrity::HmacSha384192}, "aes128-sha384"},
    {{Encryption::AesCbc192, Integrity::HmacSha384192}, "aes192-sha384"},
    {{Encryption::AesCbc256, Integrity::HmacSha384192}, "aes256-sha384"},
    {{Encryption::AesCbc128, Integrity::HmacSha512256}, "aes128-sha512"},
    {{Encryption::AesCbc192, Integrity::HmacSha512256}, "aes192-sha512"},
    {{Encryption::AesCbc256, Integrity::HmacSha512256}, "aes256-sha512"},
};

}  // namespace

std::string_view name_of(EspTransform transform) noexcept {
  for (const auto& [known, name] : kNames) {
    if (known == transform) return name;
  }
  return "no transform";
}

std::optional<EspTransform> transform_by_name(std::string_view name) noexcept {
  for (const auto& [known, known_name] : kNames) {
    if (known_name == name) return known;
  }
  return std::nullopt;
}

}  // namespace masugata::ipsec
