// SPDX-License-Identifier: GPL-2.0-or-later
// Digests of bytes in memory, for transforms.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace masugata::ids {

// Raw digests (RFC 1321, FIPS 180-4). Pure, without allocation: OpenSSL's usual interface allocates
// a state for each digest, so that its older one is called here.
[[nodiscard]] std::array<uint8_t, 16> compute_md5(std::span<const uint8_t> bytes) noexcept;
[[nodiscard]] std::array<uint8_t, 20> compute_sha1(std::span<const uint8_t> bytes) noexcept;
[[nodiscard]] std::array<uint8_t, 32> compute_sha256(std::span<const uint8_t> bytes) noexcept;

}  // namespace masugata::ids
