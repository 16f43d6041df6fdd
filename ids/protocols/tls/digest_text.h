// SPDX-License-Identifier: GPL-2.0-or-later
// Digests as text, for fingerprints.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace masugata::ids {

enum class TextCase : uint8_t { Lower, Upper };

// "0e:06:ed".
[[nodiscard]] std::string hex_with_colons(std::span<const uint8_t> bytes, TextCase letters);
// "0e06ed".
[[nodiscard]] std::string hex_of(std::span<const uint8_t> bytes);

[[nodiscard]] std::string md5_hex(std::string_view text);
[[nodiscard]] std::string sha256_hex(std::string_view text);
[[nodiscard]] std::string sha1_with_colons(std::span<const uint8_t> bytes);

}  // namespace masugata::ids
