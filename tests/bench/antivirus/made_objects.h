// SPDX-License-Identifier: GPL-2.0-or-later
// Clean objects for measurements, made from a number: the same in every run and process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace masugata::bench {

enum class ObjectKind : uint8_t { Page, Text, Noise };
inline constexpr size_t kObjectKinds = 3;
// Found by a signature of made_signatures.py, and by no other.
inline constexpr std::string_view kMark = "masugata measurement mark: this is not wanted";
// Of every object; what is behind it depends on kind and size only.
inline constexpr size_t kSeedDigits = 16;

// An object of exactly `bytes` (at least 256) with digits of `seed` near its beginning.
[[nodiscard]] std::string made_object(ObjectKind kind, size_t bytes, uint64_t seed);
// Where the digits stand.
[[nodiscard]] size_t seed_place(ObjectKind kind) noexcept;
// kSeedDigits hexadecimal digits.
void write_seed(char* to, uint64_t seed) noexcept;

[[nodiscard]] std::string_view media_type(ObjectKind kind) noexcept;
[[nodiscard]] std::string_view name_of(ObjectKind kind) noexcept;
[[nodiscard]] std::optional<ObjectKind> kind_named(std::string_view name) noexcept;

}  // namespace masugata::bench
