// SPDX-License-Identifier: GPL-2.0-or-later
// What an object is, by its first bytes: for profiles that leave some kinds unscanned.
#pragma once

#include <cstdint>
#include <span>

namespace masugata::av {

// As config::AvContentKind; Other: anything else, always scanned.
enum class ContentKind : uint8_t { Image, Audio, Video, Font, Other };

// So many bytes are enough to tell; with fewer the answer may still become another.
inline constexpr size_t kContentKindBytes = 16;

// Signatures of formats that programs open by content: JPEG, PNG, GIF, WebP, BMP, TIFF; MP3 (ID3),
// Ogg, FLAC, WAV; MP4, Matroska, AVI, MPEG; WOFF, OpenType, TrueType. Never by name or declared
// type. A file may be two things at once; a profile that exempts a kind accepts that.
[[nodiscard]] ContentKind content_kind(std::span<const uint8_t> first_bytes) noexcept;

}  // namespace masugata::av
