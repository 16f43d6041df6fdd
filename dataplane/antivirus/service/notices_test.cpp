// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/notices.h"

#include <gtest/gtest.h>

namespace masugata::dataplane {
namespace {

std::string decoded_body(const std::string& text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text.substr(text.find("\r\n\r\n") + 4)) {
    const size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) continue;
    bits = bits << 6U | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    result += static_cast<char>(bits >> count & 0xffU);
  }
  return result;
}

class NoticesTest : public testing::Test {
 protected:
  NoticesTest()
      : notices_(
            [this](NoticeMail mail) {
              mails_.push_back(std::move(mail));
              return true;
            },
            [this] { return now_; }) {
    settings_.smart_host = "192.0.2.25:25";
    settings_.from = "gateway@example.com";
    settings_.administrators = {"admin@example.com"};
    settings_.per_hour = 3;
    notices_.configure(settings_);
  }
  static NoticeFacts mail() {
    NoticeFacts facts;
    facts.reference = 1'000'000'007;
    facts.time_s = 1'600'000'000;
    facts.what = "Eicar-Test-Signature";
    facts.protocol = "smtp";
    facts.sender = "evil@example.net";
    facts.recipients = "a@example.com,b@example.com";
    facts.is_mail = true;
    facts.refused = true;
    facts.comes_in = true;
    return facts;
  }

  WallTime now_ = WallTime(std::chrono::seconds(1'600'000'000));
  config::AvNotices settings_;
  std::vector<NoticeMail> mails_;
  Notices notices_;
};

using Addresses = std::vector<std::string>;

TEST_F(NoticesTest, RecipientsOfIncomingMailAndAdministratorsAreTold) {
  notices_.tell(mail());
  ASSERT_EQ(mails_.size(), 2U);
  EXPECT_EQ(mails_[0].recipients, (Addresses{"a@example.com", "b@example.com"}));
  EXPECT_EQ(mails_[1].recipients, Addresses{"admin@example.com"});
  const std::string& text = mails_[0].text;
  EXPECT_EQ(text.find("From: gateway@example.com\r\n"), 0U);
  EXPECT_NE(text.find("\r\nAuto-Submitted: auto-generated\r\n"), std::string::npos);
  EXPECT_NE(text.find("\r\nDate: Sun, 13 Sep 2020 12:26:40 +0000\r\n"), std::string::npos);
  EXPECT_NE(text.find("\r\nSubject: Antivirus refused a mail (Eicar-Test-Signature)\r\n"),
            std::string::npos);
  const std::string body = decoded_body(text);
  EXPECT_NE(body.find("was not delivered"), std::string::npos);
  EXPECT_NE(body.find("配送されませんでした"), std::string::npos);
  EXPECT_NE(body.find("1000000007"), std::string::npos);
  // Who else got it is the administrator's business alone.
  EXPECT_EQ(body.find("b@example.com"), std::string::npos);
  EXPECT_NE(decoded_body(mails_[1].text).find("b@example.com"), std::string::npos);
}

TEST_F(NoticesTest, SendersOfOutgoingMailAreTold) {
  NoticeFacts facts = mail();
  facts.comes_in = false;
  facts.goes_out = true;
  notices_.tell(facts);
  EXPECT_EQ(mails_[0].recipients, Addresses{"evil@example.net"});
  facts.sender.clear();
  mails_.clear();
  notices_.tell(facts);
  ASSERT_EQ(mails_.size(), 1U);
  EXPECT_EQ(mails_[0].recipients, Addresses{"admin@example.com"});
}

TEST_F(NoticesTest, WhatPassedIsToldToAdministratorsOnly) {
  NoticeFacts facts = mail();
  facts.refused = false;
  notices_.tell(facts);
  ASSERT_EQ(mails_.size(), 1U);
  EXPECT_EQ(mails_[0].recipients, Addresses{"admin@example.com"});
  settings_.smart_host.clear();
  notices_.configure(settings_);
  notices_.tell(facts);
  EXPECT_EQ(mails_.size(), 1U);
}

TEST_F(NoticesTest, AFloodIsSummarised) {
  for (int i = 0; i < 10; ++i) notices_.tell(mail());
  EXPECT_EQ(mails_.size(), 6U);
  EXPECT_EQ(notices_.suppressed(), 7U);
  now_ += std::chrono::seconds(Notices::kPeriodS - 1);
  notices_.tick();
  EXPECT_EQ(mails_.size(), 6U);
  now_ += std::chrono::seconds(1);
  notices_.tick();
  ASSERT_EQ(mails_.size(), 7U);
  EXPECT_EQ(mails_[6].recipients, Addresses{"admin@example.com"});
  EXPECT_NE(mails_[6].text.find("Subject: Antivirus: 7 more events\r\n"), std::string::npos);
  notices_.tell(mail());
  EXPECT_EQ(mails_.size(), 9U);
  now_ += std::chrono::seconds(Notices::kPeriodS);
  notices_.tick();
  EXPECT_EQ(mails_.size(), 9U);
}

TEST_F(NoticesTest, HostileTextsStayWhereTheyBelong) {
  NoticeFacts facts = mail();
  facts.what = "X\r\nBcc: c@example.com\r\n\r\n.\r\n";
  facts.sender = "x\r\nDATA";
  facts.recipients =
      "a b@example.com,a@example.com>\r\nRCPT TO:<c@example.com,<d@e>,\"q\"@e,ok@e.com";
  notices_.tell(facts);
  EXPECT_EQ(mails_[0].recipients, Addresses{"ok@e.com"});
  for (const NoticeMail& each : mails_) {
    EXPECT_EQ(each.text.find("\r\nBcc:"), std::string::npos);
    const std::string header = each.text.substr(0, each.text.find("\r\n\r\n"));
    EXPECT_NE(header.find("Content-Transfer-Encoding: base64"), std::string::npos);
    const std::string body = decoded_body(each.text);
    EXPECT_EQ(body.find('\r'), std::string::npos);
    EXPECT_EQ(body.find("\nBcc"), std::string::npos);
    for (size_t at = 0, next = 0; next != std::string::npos; at = next + 2) {
      next = each.text.find("\r\n", at);
      EXPECT_LE((next == std::string::npos ? each.text.size() : next) - at, 998U);
    }
  }
}

TEST(PlainAddress, IsWhatAnEnvelopeTakesUnquoted) {
  EXPECT_TRUE(is_plain_address("a.b+c@mail.example.com"));
  for (const std::string bad : {"", "a", "@b", "a@", "a@b c", "a@b>", "a b@c", "a@b@c", "<a@b>"}) {
    EXPECT_FALSE(is_plain_address(bad)) << bad;
  }
  EXPECT_FALSE(is_plain_address(std::string(300, 'a') + "@b"));
}

}  // namespace
}  // namespace masugata::dataplane
