// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/verdicts/refusal_text.h"

#include <gtest/gtest.h>

#include <array>

namespace masugata::av {
namespace {

RefusalFacts facts() {
  RefusalFacts facts;
  facts.signature = "Eicar-Test-Signature";
  facts.host = "www.example.com";
  facts.location = "/files/a.exe";
  facts.reference = 4711;
  facts.time_s = 1700000000;
  return facts;
}

std::string http(const RefusalFacts& facts, const BlockPage& page = {}) {
  std::array<char, kLargestRefusalBytes> room;
  return {room.data(), write_http_refusal(page, facts, room)};
}

TEST(RefusalTextTest, ThePageNamesEverything) {
  const std::string text = http(facts());
  EXPECT_EQ(text.find("HTTP/1.1 403 Forbidden\r\n"), 0U);
  for (const char* part :
       {"Eicar-Test-Signature", "http://www.example.com/files/a.exe", "4711",
        "2023-11-14 22:13:20 UTC", "It contains malware.", "Connection: close"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
}

TEST(RefusalTextTest, TheLengthIsThatOfTheBody) {
  const std::string text = http(facts());
  const size_t body = text.find("\r\n\r\n") + 4;
  const size_t length = text.find("Content-Length: ") + 16;
  EXPECT_EQ(std::stoul(text.substr(length)), text.size() - body);
}

TEST(RefusalTextTest, SpeaksJapaneseToWhoPrefersIt) {
  RefusalFacts japanese = facts();
  japanese.languages = "ja,en-US;q=0.9";
  EXPECT_NE(http(japanese).find("マルウェア"), std::string::npos);
  EXPECT_TRUE(prefers_japanese("en;q=0.5, ja-JP"));
  EXPECT_TRUE(prefers_japanese("fr;q=0.2,JA;q=0.3"));
  EXPECT_FALSE(prefers_japanese("en,ja"));
  EXPECT_FALSE(prefers_japanese("ja;q=0"));
  EXPECT_FALSE(prefers_japanese("jam"));
  EXPECT_FALSE(prefers_japanese(""));
  EXPECT_FALSE(prefers_japanese(";;,,q=;ja;q=x"));
}

TEST(RefusalTextTest, NothingHostileComesThrough) {
  RefusalFacts hostile = facts();
  hostile.location = "/<script>alert('x')</script>\r\n\"&";
  hostile.host = "a<b";
  const std::string text = http(hostile);
  EXPECT_EQ(text.find("<script>"), std::string::npos);
  EXPECT_NE(text.find("&lt;script&gt;alert(&#39;x&#39;)"), std::string::npos);
  EXPECT_NE(text.find("http://a&lt;b/"), std::string::npos);

  std::array<char, 512> room;
  hostile.signature = "X\r\nRCPT TO:<evil>";
  const std::string smtp(room.data(), write_smtp_refusal(hostile, room));
  EXPECT_EQ(smtp,
            "554 5.7.1 Infected with X??RCPT TO:<evil> (reference 4711)\r\n"
            "421 4.7.1 Closing the connection\r\n");
}

TEST(RefusalTextTest, LinesOfMailProtocols) {
  std::array<char, 512> room;
  RefusalFacts some = facts();
  EXPECT_EQ(std::string(room.data(), write_pop3_refusal(some, room)),
            "-ERR [SYS/PERM] Infected with Eicar-Test-Signature (reference 4711)\r\n");
  some.tag = "a12";
  some.reason = RefusalReason::Encrypted;
  EXPECT_EQ(std::string(room.data(), write_imap_refusal(some, room)),
            "a12 NO It is encrypted and cannot be scanned. (reference 4711)\r\n"
            "* BYE It is encrypted and cannot be scanned. (reference 4711)\r\n");
}

TEST(RefusalTextTest, TellsFtpWhetherAnotherAttemptMaySucceed) {
  std::array<char, 512> room;
  RefusalFacts some = facts();
  EXPECT_EQ(std::string(room.data(), write_ftp_refusal(some, room)),
            "550 Infected with Eicar-Test-Signature (reference 4711)\r\n");
  some.reason = RefusalReason::Overload;
  EXPECT_EQ(std::string(room.data(), write_ftp_refusal(some, room)).substr(0, 4), "426 ");
}

TEST(RefusalTextTest, CutsAtTheRoom) {
  std::array<char, 20> room;
  EXPECT_EQ(write_smtp_refusal(facts(), room), room.size());
  std::array<char, 250> small;
  const size_t written = write_http_refusal({}, facts(), small);
  EXPECT_LE(written, small.size());
}

TEST(BlockPageTest, TakesATemplateOfOnesOwn) {
  const auto page = BlockPage::parse("<style>p {color: red}</style>{reference} {url} {url}");
  ASSERT_TRUE(page);
  const std::string text = http(facts(), *page);
  EXPECT_NE(text.find("{color: red}</style>4711 http://www.example.com/files/a.exe http://"),
            std::string::npos);
}

TEST(BlockPageTest, NamesTheLineOfAnUnknownField) {
  const auto page = BlockPage::parse("<p>\n{reson}\n");
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().where, "line 2");
  EXPECT_FALSE(BlockPage::parse("\xff\xfe"));
  EXPECT_FALSE(BlockPage::parse("\xe3\x81"));
  EXPECT_FALSE(BlockPage::parse(std::string(BlockPage::kLargestTemplateBytes + 1, 'x')));
}

}  // namespace
}  // namespace masugata::av
