// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/encoded_body.h"

#include <gtest/gtest.h>

#include <string>

#include "ids/protocols/http/coded_text.h"
#include "ids/protocols/http/decoding_layers.h"

namespace masugata::ids {
namespace {

using enum ContentCoding;

struct Collector final : ByteSink {
  void take(std::span<const uint8_t> bytes) noexcept override {
    text.append(bytes.begin(), bytes.end());
  }
  std::string text;
};

std::string decode(std::string_view sent, size_t piece = 0, size_t layers = 1) {
  Collector collector;
  EncodedBody body(std::vector<ContentCoding>(layers, Deflate), collector);
  while (!sent.empty()) {
    const std::string part{sent.substr(0, piece == 0 ? sent.size() : piece)};
    sent.remove_prefix(part.size());
    body.take({reinterpret_cast<const uint8_t*>(part.data()), part.size()});
  }
  body.end();
  return collector.text;
}

// In every way of cutting it once, and byte by byte.
void expect_decodes(const std::string& sent, const std::string& expected) {
  EXPECT_EQ(decode(sent), expected);
  EXPECT_EQ(decode(sent, 1), expected);
  for (size_t cut = 1; cut < sent.size(); ++cut) {
    ASSERT_EQ(decode(sent, cut), expected) << cut;
  }
}

TEST(EncodedBody, UndoesEveryWrappingInAllPieces) {
  for (const int window_bits : {31, 15, -15}) {
    expect_decodes(deflate_text("some text to be packed", window_bits), "some text to be packed");
  }
}

TEST(EncodedBody, PassesOverAGzipHeaderWithEverythingInIt) {
  gz_header header{};
  std::string name = "name";
  std::string extra = "extra";
  header.name = reinterpret_cast<Bytef*>(name.data());
  header.comment = reinterpret_cast<Bytef*>(name.data());
  header.extra = reinterpret_cast<Bytef*>(extra.data());
  header.extra_len = 5;
  header.hcrc = 1;
  expect_decodes(deflate_text("text", 31, &header), "text");
}

TEST(EncodedBody, DoesNotCareForChecksums) {
  std::string sent = deflate_text("text", 31);
  sent[sent.size() - 6] = static_cast<char>(sent[sent.size() - 6] + 1);
  expect_decodes(sent, "text");
  expect_decodes(sent.substr(0, sent.size() - 8), "text");
}

TEST(EncodedBody, JoinsGzipMembersAndShowsWhatFollows) {
  expect_decodes(deflate_text("one ", 31) + deflate_text("two ", 31) + "plain", "one two plain");
}

TEST(EncodedBody, BearsManyTinyMembers) {
  std::string sent;
  for (int i = 0; i < 5000; ++i) {
    sent += deflate_text("x", 31);
  }
  EXPECT_EQ(decode(sent), std::string(5000, 'x'));
}

TEST(EncodedBody, PassesWhatIsNotEncoded) {
  expect_decodes("X5O plain text", "X5O plain text");
  expect_decodes("a", "a");
  expect_decodes("x\x9c but not zlib at all", "x\x9c but not zlib at all");
  const std::string much(20000, 'p');
  EXPECT_EQ(decode(much), much);
  EXPECT_EQ(decode(much, 1000), much);
}

TEST(EncodedBody, DoesNotTakeTextForDeflate) {
  // Begins like a block with fixed codes and inflates for a while.
  const std::string text =
      "{\"sdk_version\":\"1.2\",\"app_package\":\"a.b.c\",\"device_id\":\"0123\"}";
  expect_decodes(text, text);
}

TEST(EncodedBody, ShowsTheRestOfWhatBreaks) {
  // A stored block, then a block of the type that does not exist.
  const std::string sent{
      "\x78\x9C\x00\x03\x00\xFC\xFF"
      "abc\x07needle",
      17};
  EXPECT_EQ(decode(sent), "abcneedle");
  EXPECT_EQ(decode(sent, 1), "abcneedle");
}

struct Decoded {
  std::string text;
  bool cut;
};
Decoded decode_in_pieces(std::string_view sent, size_t piece, ContentCoding coding) {
  Collector collector;
  EncodedBody body({coding}, collector);
  for (size_t at = 0; at < sent.size(); at += piece) {
    const std::string part{sent.substr(at, piece)};
    body.take({reinterpret_cast<const uint8_t*>(part.data()), part.size()});
  }
  body.end();
  return {collector.text, body.state().cut};
}

// However much of it comes at once.
TEST(EncodedBody, BelievesRawDeflateAtTheSameByte) {
  // Stored blocks of three bytes, then a block of the type that does not exist.
  const std::string block{
      "\x00\x03\x00\xFC\xFF"
      "abc",
      8};
  std::string late;
  for (size_t at = 0; at < 2 * kGuessedBytes; at += block.size()) late += block;
  for (const size_t piece : {size_t{1}, size_t{700}, size_t{100'000}}) {
    const Decoded early = decode_in_pieces(block + "\x07needle", piece, Deflate);
    EXPECT_EQ(early.text, block + "\x07needle");
    EXPECT_FALSE(early.cut);
    EXPECT_TRUE(decode_in_pieces(late + "\x07needle", piece, Deflate).cut) << piece;
  }
}

TEST(EncodedBody, DoesNotGuessBehindALongHeader) {
  gz_header header{};
  for (const size_t length : {kKeptInputBytes - 100, kKeptInputBytes}) {
    std::string name(length, 'n');
    header.name = reinterpret_cast<Bytef*>(name.data());
    const std::string sent = deflate_text("text", 31, &header);
    for (const size_t piece : {size_t{1}, size_t{700}, size_t{100'000}}) {
      const Decoded decoded = decode_in_pieces(sent, piece, Deflate);
      EXPECT_EQ(decoded.text, length < kKeptInputBytes ? "text" : sent) << piece;
      EXPECT_EQ(decoded.cut, length >= kKeptInputBytes) << piece;
    }
  }
}

// Empty blocks bring nothing out.
TEST(EncodedBody, SaysThatBytesAreMissingOfWhatBreaksLate) {
  const std::string block{"\x00\x00\x00\xFF\xFF", 5};
  std::string sent = "\x78\x9C";
  while (sent.size() < 2 * kKeptInputBytes) sent += block;
  for (const size_t piece : {size_t{1}, size_t{700}, size_t{100'000}}) {
    EXPECT_TRUE(decode_in_pieces(sent + "\x07needle", piece, Deflate).cut) << piece;
  }
}

TEST(EncodedBody, StopsABombInAnyLayer) {
  const std::string bomb = deflate_text(deflate_text(std::string(16U << 20U, '\0'), 31), 31);
  Collector collector;
  EncodedBody body({Deflate, Deflate}, collector);
  body.take({reinterpret_cast<const uint8_t*>(bomb.data()), bomb.size()});
  EXPECT_TRUE(body.state().bomb);
  EXPECT_LT(collector.text.size(), 2 * kBombRatio * bomb.size() + 2 * kBombBytes);
  EXPECT_LT(collector.text.size(), 16U << 20U);
}

TEST(ContentCodings, AreReadFromSloppyHeaders) {
  EXPECT_EQ(read_content_codings("gzip").layers, std::vector{Deflate});
  EXPECT_FALSE(read_content_codings("x-gzip").abnormal);
  EXPECT_EQ(read_content_codings("x gzip;").layers, std::vector{Deflate});
  EXPECT_TRUE(read_content_codings("x gzip;").abnormal);
  EXPECT_EQ(read_content_codings("gzip, br").layers, (std::vector{Brotli, Deflate}));
  EXPECT_TRUE(read_content_codings("identity").layers.empty());
  EXPECT_FALSE(read_content_codings("identity").abnormal);
  EXPECT_TRUE(read_content_codings("compress").abnormal);
  EXPECT_FALSE(read_content_codings("br, gzip").too_many);
  EXPECT_TRUE(read_content_codings("identity, identity, gzip").too_many);
  EXPECT_EQ(read_content_codings("gzip deflate").layers, (std::vector{Deflate, Deflate}));
  const ContentCodings many = read_content_codings("gzip,gzip,gzip,gzip");
  EXPECT_TRUE(many.too_many);
  EXPECT_EQ(many.layers.size(), kDecodingLayers);
}

}  // namespace
}  // namespace masugata::ids
