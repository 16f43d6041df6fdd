// SPDX-License-Identifier: GPL-2.0-or-later
// Which algorithms an ESP SA uses, and the sizes that follow from them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace masugata::ipsec {

enum class Encryption : uint8_t {
  AesGcm128,  // RFC 4106, ICV of 16 bytes (the shorter ones are refused: RFC 8221 section 5)
  AesGcm192,
  AesGcm256,
  ChaCha20Poly1305,  // RFC 7634
  AesCbc128,         // RFC 3602; needs an integrity algorithm
  AesCbc192,
  AesCbc256,
};
inline constexpr size_t kEncryptionCount = 7;

enum class Integrity : uint8_t {
  Combined,       // the encryption authenticates by itself (GCM, ChaCha20-Poly1305)
  HmacSha256128,  // RFC 4868: HMAC-SHA-256, ICV of 16 bytes
  HmacSha384192,  // 24 bytes
  HmacSha512256,  // 32 bytes
};
inline constexpr size_t kIntegrityCount = 4;

// Value type; every combination can be written, valid() says which are algorithms.
struct EspTransform {
  Encryption encryption = Encryption::AesGcm128;
  Integrity integrity = Integrity::Combined;

  [[nodiscard]] constexpr bool is_combined() const noexcept {
    return encryption <= Encryption::ChaCha20Poly1305;
  }
  // Combined modes without an integrity algorithm, CBC with one.
  [[nodiscard]] constexpr bool valid() const noexcept {
    return static_cast<size_t>(encryption) < kEncryptionCount &&
           static_cast<size_t>(integrity) < kIntegrityCount &&
           is_combined() == (integrity == Integrity::Combined);
  }
  // Bytes of the cipher's key without salt.
  [[nodiscard]] constexpr size_t cipher_key_bytes() const noexcept {
    switch (encryption) {
      case Encryption::AesGcm128:
      case Encryption::AesCbc128:
        return 16;
      case Encryption::AesGcm192:
      case Encryption::AesCbc192:
        return 24;
      default:
        return 32;
    }
  }
  // Bytes at the end of the keying material that are the salt of the nonce (RFC 4106 section 8.1,
  // RFC 7634 section 2).
  [[nodiscard]] constexpr size_t salt_bytes() const noexcept { return is_combined() ? 4 : 0; }
  // What IKE derives for the encryption: key, then salt.
  [[nodiscard]] constexpr size_t encryption_key_bytes() const noexcept {
    return cipher_key_bytes() + salt_bytes();
  }
  // What IKE derives for the integrity algorithm (RFC 4868 section 2.1.1); 0 when combined.
  [[nodiscard]] constexpr size_t integrity_key_bytes() const noexcept {
    constexpr size_t kBytes[kIntegrityCount] = {0, 32, 48, 64};
    return kBytes[static_cast<size_t>(integrity)];
  }
  // Bytes between the ESP header and the encrypted part.
  [[nodiscard]] constexpr size_t iv_bytes() const noexcept { return is_combined() ? 8 : 16; }
  [[nodiscard]] constexpr size_t icv_bytes() const noexcept {
    constexpr size_t kBytes[kIntegrityCount] = {16, 16, 24, 32};
    return kBytes[static_cast<size_t>(integrity)];
  }
  // The encrypted part is a multiple of this many bytes: a cipher block, or the alignment of ESP
  // (RFC 4303 section 2.4).
  [[nodiscard]] constexpr size_t alignment_bytes() const noexcept { return is_combined() ? 4 : 16; }

  friend constexpr bool operator==(const EspTransform&, const EspTransform&) noexcept = default;
};

// "aes128gcm16", "chacha20poly1305", "aes256-sha384": the words of swanctl's esp_proposals.
[[nodiscard]] std::string_view name_of(EspTransform transform) noexcept;
// The transform of such a name; nullopt when there is none.
[[nodiscard]] std::optional<EspTransform> transform_by_name(std::string_view name) noexcept;

}  // namespace masugata::ipsec
