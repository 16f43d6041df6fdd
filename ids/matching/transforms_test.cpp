// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/transforms.h"

#include <gtest/gtest.h>

#include "ids/matching/base64_text.h"
#include "ids/matching/matching_test_support.h"

namespace masugata::ids {
namespace {

class Transforms : public testing::Test {
 protected:
  std::string apply(const std::vector<Transform>& transforms, std::string_view text) {
    auto compiled = compile_transforms(transforms, matcher_.library());
    EXPECT_TRUE(compiled.has_value());
    return text_of(apply_transforms(*compiled, bytes_of(text), matcher_.scratch()));
  }
  std::string apply(TransformKind kind, std::string_view text, std::string argument = {}) {
    return apply({Transform{kind, std::move(argument)}}, text);
  }
  bool compiles(TransformKind kind, std::string argument) {
    return compile_transforms({Transform{kind, std::move(argument)}}, matcher_.library())
        .has_value();
  }
  Matcher matcher_;
};

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += kDigits[static_cast<uint8_t>(byte) >> 4U];
    text += kDigits[static_cast<uint8_t>(byte) & 0xfU];
  }
  return text;
}

TEST_F(Transforms, NoneLeavesTheBytesWhereTheyAre) {
  const auto bytes = bytes_of("abc");
  EXPECT_EQ(apply_transforms({}, bytes, matcher_.scratch()).data(), bytes.data());
}

TEST_F(Transforms, Letters) {
  EXPECT_EQ(apply(TransformKind::ToLowercase, "AbZ@[\xc4"), "abz@[\xc4");
  EXPECT_EQ(apply(TransformKind::ToUppercase, "aBz`{\xe4"), "ABZ`{\xe4");
  EXPECT_EQ(apply(TransformKind::DotPrefix, "example.com"), ".example.com");
  EXPECT_EQ(apply(TransformKind::DotPrefix, ""), ".");
}

TEST_F(Transforms, WhiteSpace) {
  EXPECT_EQ(apply(TransformKind::StripWhitespace, " a\t\r\n b\v\fc "), "abc");
  EXPECT_EQ(apply(TransformKind::CompressWhitespace, " \ta \n b\r\nc"), " a b\rc");
}

TEST_F(Transforms, UrlDecoding) {
  EXPECT_EQ(apply(TransformKind::UrlDecode, "a%20b+c%41%zz%4"), "a b cA%zz%4");
  EXPECT_EQ(apply(TransformKind::UrlDecode, "%"), "%");
  EXPECT_EQ(apply(TransformKind::UrlDecode, "%2541"), "%41");
}

TEST_F(Transforms, XorRepeatsItsKey) {
  EXPECT_EQ(apply(TransformKind::Xor, "abc", "\x01\x02"), "``b");
  EXPECT_FALSE(compiles(TransformKind::Xor, ""));
}

TEST_F(Transforms, DigestsAreRaw) {
  EXPECT_EQ(hex(apply(TransformKind::ToMd5, "abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex(apply(TransformKind::ToSha1, "abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(apply(TransformKind::ToSha256, "abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // Again, and of nothing: nothing is left from the one before.
  EXPECT_EQ(hex(apply(TransformKind::ToMd5, "")), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST_F(Transforms, PcreTakesTheFirstGroup) {
  EXPECT_EQ(apply(TransformKind::PcreTransform, "GET /a HTTP", "[A-Z]+ (.*) HTTP"), "/a");
  EXPECT_EQ(apply(TransformKind::PcreTransform, "POST", "GET (.*)"), "POST");
  EXPECT_EQ(apply(TransformKind::PcreTransform, "GET x", "GET"), "GET x");
  EXPECT_FALSE(compiles(TransformKind::PcreTransform, "(("));
}

TEST_F(Transforms, HeaderLines) {
  EXPECT_EQ(apply(TransformKind::HeaderLowercase, "Host: A:B\r\nX-Y: Z\r\n"),
            "host: A:B\r\nx-y: Z\r\n");
  EXPECT_EQ(apply(TransformKind::StripPseudoHeaders, ":path: /\r\nHost: a\r\n:x"), "Host: a\r\n");
}

TEST_F(Transforms, Labels) {
  EXPECT_EQ(apply(TransformKind::Domain, "www.example.com"), "example.com");
  EXPECT_EQ(apply(TransformKind::Domain, "localhost"), "localhost");
  EXPECT_EQ(apply(TransformKind::Tld, "www.example.com"), "com");
  EXPECT_EQ(apply(TransformKind::Tld, ""), "");
}

TEST_F(Transforms, FromBase64) {
  EXPECT_EQ(apply(TransformKind::FromBase64, "aGVsbG8="), "hello");
  EXPECT_EQ(apply(TransformKind::FromBase64, "aGVs!bG8="), "hel");
  EXPECT_EQ(apply(TransformKind::FromBase64, "aGVs!bG8=", "mode rfc2045"), "hello");
  EXPECT_EQ(apply(TransformKind::FromBase64, "aGVs!bG8=", "mode strict"), "aGVs!bG8=");
  EXPECT_EQ(apply(TransformKind::FromBase64, "xxaGVsbG8=", "offset 2, bytes 4"), "hel");
  EXPECT_EQ(apply(TransformKind::FromBase64, "!!"), "!!");
  EXPECT_FALSE(compiles(TransformKind::FromBase64, "mode other"));
  EXPECT_FALSE(compiles(TransformKind::FromBase64, "bytes x"));
}

TEST_F(Transforms, OneAfterTheOther) {
  const std::vector<Transform> chain = {{TransformKind::UrlDecode, {}},
                                        {TransformKind::ToLowercase, {}},
                                        {TransformKind::Domain, {}},
                                        {TransformKind::DotPrefix, {}},
                                        {TransformKind::StripWhitespace, {}}};
  EXPECT_EQ(apply(chain, "WWW.Exa%20mple.COM"), ".example.com");
}

TEST_F(Transforms, LongInputsAreCutAndCounted) {
  MatchLimits limits;
  limits.transform_bytes = 10;
  Matcher bounded(limits);
  auto compiled = compile_transforms(
      {{TransformKind::DotPrefix, {}}, {TransformKind::ToLowercase, {}}}, bounded.library());
  ASSERT_TRUE(compiled.has_value());
  EXPECT_EQ(text_of(apply_transforms(*compiled, bytes_of("ABCDEFGHIJKLM"), bounded.scratch())),
            ".abcdefghi");
  EXPECT_EQ(bounded.scratch().counters().transform_cut, 1U);
}

// "hello hello hello", compressed.
constexpr uint8_t kZlib[] = {0x78, 0xda, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57,
                             0xc8, 0x40, 0x90, 0x00, 0x3a, 0x2e, 0x06, 0x7d};
constexpr uint8_t kGzip[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                             0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x90, 0x00,
                             0x80, 0x88, 0xf9, 0xe5, 0x11, 0x00, 0x00, 0x00};

TEST_F(Transforms, Decompression) {
  const std::string zlib = text_of(kZlib);
  const std::string gzip = text_of(kGzip);
  EXPECT_EQ(apply(TransformKind::ZlibDeflate, zlib, "1024"), "hello hello hello");
  EXPECT_EQ(apply(TransformKind::Gunzip, gzip, "1024"), "hello hello hello");
  EXPECT_EQ(apply(TransformKind::Gunzip, gzip, "7"), "hello h");
  EXPECT_EQ(apply(TransformKind::Gunzip, gzip.substr(0, 16), "1024"), "hello");
  EXPECT_EQ(apply(TransformKind::Gunzip, zlib, "1024"), "");
  EXPECT_EQ(apply(TransformKind::ZlibDeflate, "no such data", "1024"), "");
  EXPECT_EQ(apply(TransformKind::Gunzip, "", "1024"), "");
  // Its memory is used again each time.
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(apply({{TransformKind::Gunzip, "1024"}, {TransformKind::ToUppercase, {}}}, gzip),
              "HELLO HELLO HELLO");
  }
  EXPECT_FALSE(compiles(TransformKind::Gunzip, "0"));
  EXPECT_FALSE(compiles(TransformKind::ZlibDeflate, "many"));
}

TEST(Base64, TheExamplesOfTheStandard) {
  const std::pair<std::string, std::string> examples[] = {{"", ""},
                                                          {"Zg==", "f"},
                                                          {"Zm8=", "fo"},
                                                          {"Zm9v", "foo"},
                                                          {"Zm9vYg==", "foob"},
                                                          {"Zm9vYmE=", "fooba"},
                                                          {"Zm9vYmFy", "foobar"}};
  for (const auto& [encoded, plain] : examples) {
    for (const auto mode : {Base64Mode::Rfc4648, Base64Mode::Rfc2045, Base64Mode::Strict}) {
      std::array<uint8_t, 16> out{};
      const auto result = decode_base64(bytes_of(encoded), out, mode);
      EXPECT_EQ(text_of(std::span(out).first(result.written)), plain);
      EXPECT_FALSE(result.cut || result.invalid);
    }
  }
}

TEST(Base64, UnfinishedGroupsAndNoRoom) {
  std::array<uint8_t, 3> out{};
  EXPECT_EQ(decode_base64(bytes_of("Zm9vY"), out, Base64Mode::Rfc4648).written, 3U);
  EXPECT_TRUE(decode_base64(bytes_of("Zm9vYm"), out, Base64Mode::Rfc4648).cut);
  EXPECT_TRUE(decode_base64(bytes_of("Zm9"), out, Base64Mode::Strict).invalid);
  EXPECT_TRUE(decode_base64(bytes_of("Z==="), out, Base64Mode::Strict).invalid);
}

}  // namespace
}  // namespace masugata::ids
