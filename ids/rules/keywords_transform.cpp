// SPDX-License-Identifier: GPL-2.0-or-later
// Transforms: what is done to a buffer before anything is matched in it.
#include <array>

#include "ids/rules/keyword.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

constexpr size_t kMaximumXorKey = 255;

Outcome read_plain(RuleDraft& draft, const KeywordUse& use) {
  return draft.add_transform({static_cast<TransformKind>(use.keyword.argument), {}});
}

Outcome read_xor(RuleDraft& draft, const KeywordUse& use) {
  auto key = parse_hex_bytes(use.value);
  if (!key || key->empty() || key->size() > kMaximumXorKey) {
    return wrong("expects a key of 1 to 255 bytes in hexadecimal digits, not " +
                 in_quotes(use.value));
  }
  return draft.add_transform({TransformKind::Xor, std::move(*key)});
}

Outcome read_pcrexform(RuleDraft& draft, const KeywordUse& use) {
  if (use.value.empty()) return wrong("expects a pattern");
  return draft.add_transform({TransformKind::PcreTransform, std::string(use.value)});
}

// from_base64[:bytes N, offset N, mode rfc4648|rfc2045|strict]; the argument keeps them as written.
Outcome read_from_base64(RuleDraft& draft, const KeywordUse& use) {
  for (const std::string_view option : split(use.value, ',')) {
    std::string_view rest = option;
    const std::string_view word = take_word(rest);
    if (word == "bytes" || word == "offset") {
      if (const auto number = read_number(rest, UINT32_MAX); !number) {
        return tl::unexpected(number.error());
      }
    } else if (word == "mode") {
      if (rest != "rfc4648" && rest != "rfc2045" && rest != "strict") {
        return wrong("expects mode rfc4648, rfc2045 or strict, not " + in_quotes(rest));
      }
    } else if (!option.empty()) {
      return wrong("has the unknown option " + in_quotes(option));
    }
  }
  return draft.add_transform({TransformKind::FromBase64, std::string(use.value)});
}

// gunzip[:max-size=N] and zlib_deflate; the argument keeps the number.
Outcome read_decompression(RuleDraft& draft, const KeywordUse& use) {
  constexpr std::string_view kOption = "max-size";
  constexpr uint64_t kUsualSize = 1024;
  constexpr uint64_t kLargestSize = 16U << 20U;
  uint64_t size = kUsualSize;
  if (!use.value.empty()) {
    const size_t equals = use.value.find('=');
    if (trimmed(use.value.substr(0, equals)) != kOption || equals == std::string_view::npos) {
      return wrong("expects max-size=N, not " + in_quotes(use.value));
    }
    const auto number = parse_size(trimmed(use.value.substr(equals + 1)));
    if (!number || *number == 0 || *number > kLargestSize) {
      return wrong("expects max-size=N with a number up to 16mb, not " + in_quotes(use.value));
    }
    size = *number;
  }
  return draft.add_transform(
      {static_cast<TransformKind>(use.keyword.argument), std::to_string(size)});
}

constexpr Keyword plain(std::string_view name, TransformKind kind) {
  return {name, read_plain, ValueForm::None, static_cast<uint16_t>(kind)};
}

constexpr std::array kKeywords{
    plain("compress_whitespace", TransformKind::CompressWhitespace),
    plain("domain", TransformKind::Domain),
    plain("dotprefix", TransformKind::DotPrefix),
    Keyword{"from_base64", read_from_base64, ValueForm::Optional},
    Keyword{"gunzip", read_decompression, ValueForm::Optional,
            static_cast<uint16_t>(TransformKind::Gunzip)},
    plain("header_lowercase", TransformKind::HeaderLowercase),
    Keyword{"pcrexform", read_pcrexform, ValueForm::Required},
    plain("strip_pseudo_headers", TransformKind::StripPseudoHeaders),
    plain("strip_whitespace", TransformKind::StripWhitespace),
    plain("tld", TransformKind::Tld),
    plain("to_lowercase", TransformKind::ToLowercase),
    plain("to_md5", TransformKind::ToMd5),
    plain("to_sha1", TransformKind::ToSha1),
    plain("to_sha256", TransformKind::ToSha256),
    plain("to_uppercase", TransformKind::ToUppercase),
    plain("url_decode", TransformKind::UrlDecode),
    Keyword{"xor", read_xor, ValueForm::Required},
    Keyword{"zlib_deflate", read_decompression, ValueForm::Optional,
            static_cast<uint16_t>(TransformKind::ZlibDeflate)},
};

}  // namespace

std::span<const Keyword> transform_keywords() noexcept { return kKeywords; }

}  // namespace masugata::ids
