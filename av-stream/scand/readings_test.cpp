// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/readings.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <string>
#include <string_view>
#include <vector>

#include "av-stream/scand/test_bench.h"

namespace masugata::av {
namespace {

// What is scanned of `object`; each answer is `outcomes`' next, at its end Clean.
struct Told {
  std::vector<std::string> scanned;
  ScanResult result;
};
Told scanned(std::string_view object, ScanReading reading, std::vector<ScanOutcome> outcomes = {}) {
  Told told;
  std::vector<uint8_t> room(kHeaderRoom + object.size());
  std::copy(object.begin(), object.end(), room.begin() + kHeaderRoom);
  told.result = scan_readings(room, reading, [&](std::span<const uint8_t> bytes) {
    const size_t number = told.scanned.size();
    told.scanned.emplace_back(bytes.begin(), bytes.end());
    return ScanResult{
        number < outcomes.size() ? outcomes[number] : ScanOutcome::Clean, ScanFailure::None, {}};
  });
  return told;
}

TEST(Readings, AsIsIsOneScan) {
  EXPECT_EQ(scanned("a\r\nb=", ScanReading::AsIs).scanned, std::vector<std::string>{"a\r\nb="});
  EXPECT_EQ(scanned("a\r\nb", ScanReading{77}).scanned.size(), 1U);
  EXPECT_EQ(scanned("", ScanReading::MailPart).scanned.size(), 1U);
  EXPECT_EQ(scanned("", ScanReading::LineEnds).scanned.size(), 1U);
}

TEST(Readings, LineEndsOfBothKinds) {
  EXPECT_EQ(scanned("a\r\n\r\r\nb\rc\n\r", ScanReading::LineEnds).scanned,
            (std::vector<std::string>{"a\r\n\r\r\nb\rc\n\r", "a\n\r\nb\rc\n\r"}));
  EXPECT_EQ(scanned("a\nb\r", ScanReading::LineEnds).scanned.size(), 1U);
}

TEST(Readings, PartsAreDecodedAsMails) {
  const Told told = scanned("QQ==", ScanReading::MailPart);
  ASSERT_EQ(told.scanned.size(), 3U);
  EXPECT_EQ(told.scanned[0], "QQ==");
  EXPECT_NE(told.scanned[1].find("Encoding: base64\r\n\r\nQQ=="), std::string::npos);
  EXPECT_NE(told.scanned[2].find("Encoding: quoted-printable\r\n\r\nQQ=="), std::string::npos);
  EXPECT_EQ(scanned("nothing", ScanReading::MailPart).scanned.size(), 2U);
}

TEST(Readings, EveryBoundaryThatAPartMayHave) {
  const Told told = scanned(
      "preamble\r\n--not one\r\nof them\r\n--one \r\nContent-Type: a/b\r\n\r\n--two\r\n\r\nx\r\n"
      "--one\r\nContent-Type: a/b\r\n\r\n--two--\r\n--one--\r\n",
      ScanReading::MailPart);
  ASSERT_EQ(told.scanned.size(), 4U);
  EXPECT_NE(told.scanned[2].find("boundary=\"one\"\r\n\r\npreamble"), std::string::npos);
  EXPECT_NE(told.scanned[3].find("boundary=\"two\"\r\n\r\npreamble"), std::string::npos);
  std::string many;
  for (int i = 0; i < 50; ++i) many += "--b" + std::to_string(i) + "\n\n";
  EXPECT_EQ(scanned(many, ScanReading::MailPart).scanned.size(), 2 + kMaximumBoundaries);
  many = "--" + std::string(70, 'x') + "\n\n";
  EXPECT_EQ(scanned(many, ScanReading::MailPart).scanned.size(), 3U);
  many = "--" + std::string(71, 'x') + "\n\n";
  EXPECT_EQ(scanned(many, ScanReading::MailPart).scanned.size(), 2U);
}

TEST(Readings, AFindingGoesBeforeEverythingElse) {
  const auto outcome = [](std::vector<ScanOutcome> outcomes) {
    return scanned("a\r\n=", ScanReading::MailPart, std::move(outcomes)).result.outcome;
  };
  EXPECT_EQ(outcome({ScanOutcome::LimitSize, ScanOutcome::Infected}), ScanOutcome::Infected);
  EXPECT_EQ(outcome({ScanOutcome::Infected, ScanOutcome::Failed}), ScanOutcome::Infected);
  EXPECT_EQ(outcome({ScanOutcome::Clean, ScanOutcome::Encrypted, ScanOutcome::LimitTime}),
            ScanOutcome::Encrypted);
  EXPECT_EQ(outcome({ScanOutcome::Encrypted, ScanOutcome::Failed}), ScanOutcome::Failed);
  EXPECT_EQ(outcome({}), ScanOutcome::Clean);
}

// With the scanner service.

ScanLimits read_as(ScanReading reading) {
  ScanLimits limits;
  limits.reading = reading;
  return limits;
}

TEST(Readings, TextOfADigestIsFoundWithTheLineEndsOfTheWay) {
  const std::string known = "a text of lines\nthat is known\nby its digest only\n";
  const std::string sent = "a text of lines\r\nthat is known\r\nby its digest only\r\n";
  ServiceBench bench;
  bench.settings.own_signatures = {bench.directory.write(
      "own.hsb", sha256_text(known) + ":" + std::to_string(known.size()) + ":Test.Text:73\n")};
  ASSERT_TRUE(bench.start());
  EXPECT_EQ(bench.scan(known).outcome, ScanOutcome::Infected);
  EXPECT_EQ(bench.scan(sent).outcome, ScanOutcome::Clean);
  EXPECT_EQ(bench.scan(sent, read_as(ScanReading::LineEnds)).outcome, ScanOutcome::Infected);
  EXPECT_EQ(bench.scan(known, read_as(ScanReading::LineEnds)).outcome, ScanOutcome::Infected);
  EXPECT_EQ(bench.scan(sent + "x", read_as(ScanReading::LineEnds)).outcome, ScanOutcome::Clean);
}

std::string quoted_printable(std::string_view text) {
  std::string coded;
  for (size_t at = 0; at < text.size(); ++at) {
    coded += at % 3 == 0 ? fmt::format("={:02X}", text[at]) : std::string(1, text[at]);
    if (at % 20 == 19) coded += "=\r\n";
  }
  return coded + "\r\n";
}

TEST(Readings, PartsAreFoundInEveryCoding) {
  ServiceBench bench;
  ASSERT_TRUE(bench.start());
  std::string base64(4 * ((kEvil.size() + 2) / 3) + 1, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                  reinterpret_cast<const unsigned char*>(kEvil.data()),
                  static_cast<int>(kEvil.size()));
  base64.pop_back();
  const std::string header =
      "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  const std::vector<std::string> parts = {
      base64 + "\r\n",
      base64.substr(0, 20) + "\r\n" + base64.substr(20) + "\r\n",
      "\r\n \r\n" + base64 + "\r\n",
      quoted_printable(kEvil),
      std::string(100, 'A') + " and then " + std::string(kEvil),
      "--b\r\n" + header + base64 + "\r\n--b--\r\n",
      "Preamble.\r\n--not\r\nthis\r\n--b\r\nContent-Type: text/plain\r\n\r\nHi\r\n--b\r\n" +
          header + base64 + "\r\n--b--\r\n"};
  for (const std::string& part : parts) {
    EXPECT_EQ(bench.scan(part, read_as(ScanReading::MailPart)).outcome, ScanOutcome::Infected)
        << part;
  }
  for (const std::string part : {"QUJDRA==\r\n", "A text.\r\n", "a=20b=\r\nc\r\n",
                                 "--b\r\nContent-Type: text/plain\r\n\r\nHi\r\n--b--\r\n"}) {
    EXPECT_EQ(bench.scan(part, read_as(ScanReading::MailPart)).outcome, ScanOutcome::Clean) << part;
  }
}

}  // namespace
}  // namespace masugata::av
