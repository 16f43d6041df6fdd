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

constexpr Keyword plain(std::string_view name, TransformKind kind) {
  return {name, read_plain, ValueForm::None, static_cast<uint16_t>(kind)};
}

constexpr std::array kKeywords{
    plain("compress_whitespace", TransformKind::CompressWhitespace),
    plain("domain", TransformKind::Domain),
    plain("dotprefix", TransformKind::DotPrefix),
    Keyword{"from_base64", read_from_base64, ValueForm::Optional},
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
};

}  // namespace

std::span<const Keyword> transform_keywords() noexcept { return kKeywords; }

}  // namespace masugata::ids
