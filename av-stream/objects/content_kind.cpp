// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/objects/content_kind.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace masugata::av {
namespace {

using namespace std::string_view_literals;

struct Signature {
  size_t offset;
  std::string_view bytes;
  ContentKind kind;
};

constexpr std::array kSignatures{
    Signature{0, "\xff\xd8\xff"sv, ContentKind::Image},
    Signature{0, "\x89PNG\r\n\x1a\n"sv, ContentKind::Image},
    Signature{0, "GIF87a"sv, ContentKind::Image},
    Signature{0, "GIF89a"sv, ContentKind::Image},
    Signature{0, "II*\0"sv, ContentKind::Image},
    Signature{0, "MM\0*"sv, ContentKind::Image},
    Signature{8, "WEBP"sv, ContentKind::Image},
    Signature{0, "ID3"sv, ContentKind::Audio},
    Signature{0, "fLaC"sv, ContentKind::Audio},
    Signature{0, "OggS"sv, ContentKind::Audio},
    Signature{8, "WAVE"sv, ContentKind::Audio},
    Signature{4, "ftyp"sv, ContentKind::Video},
    Signature{0, "\x1a\x45\xdf\xa3"sv, ContentKind::Video},
    Signature{8, "AVI "sv, ContentKind::Video},
    Signature{0, "\0\0\1\xba"sv, ContentKind::Video},
    Signature{0, "\0\0\1\xb3"sv, ContentKind::Video},
    Signature{0, "wOFF"sv, ContentKind::Font},
    Signature{0, "wOF2"sv, ContentKind::Font},
    Signature{0, "OTTO\0"sv, ContentKind::Font},
    Signature{0, "\0\1\0\0\0"sv, ContentKind::Font},
};

}  // namespace

ContentKind content_kind(std::span<const uint8_t> first_bytes) noexcept {
  const std::string_view text(reinterpret_cast<const char*>(first_bytes.data()),
                              first_bytes.size());
  for (const Signature& signature : kSignatures) {
    if (text.size() < signature.offset + signature.bytes.size()) continue;
    if (text.substr(signature.offset, signature.bytes.size()) != signature.bytes) continue;
    // WebP, WAV and AVI are all RIFF.
    if (signature.offset == 8 && !text.starts_with("RIFF")) continue;
    return signature.kind;
  }
  return ContentKind::Other;
}

}  // namespace masugata::av
