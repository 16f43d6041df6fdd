// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "ids/protocols/content_conversation.h"
#include "ids/protocols/smtp/smtp_parser.h"

namespace masugata::ids {
namespace {

const std::vector<SaidTurn> kGreeting{
    server_says("220 mx\r\n"), client_says("EHLO c\r\n"),
    server_says("250-mx\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 STARTTLS\r\n")};

ContentRecorder told_of(std::vector<SaidTurn> turns, bool closes = true) {
  std::vector<SaidTurn> all = kGreeting;
  all.insert(all.end(), turns.begin(), turns.end());
  return ContentConversation{make_smtp_parser, std::move(all)}.told(closes);
}

TEST(SmtpContents, GivesTheMessageWithItsEnvelope) {
  const ContentRecorder told = told_of(
      {client_says("MAIL FROM:<a@example> SIZE=9 BODY=8BITMIME\r\n"), server_says("250 k\r\n"),
       client_says("RCPT TO:<no@example>\r\n"), server_says("550 no\r\n"),
       client_says("RCPT TO:<b@example>\r\nRCPT TO: <c@example>\r\n"),
       server_says("250 k\r\n250 k\r\n"), client_says("DATA\r\n"), server_says("354 go\r\n"),
       client_says("Subject: x\r\n\r\n..dot\r\nend\r\n.\r\nQUIT\r\n"),
       server_says("250 taken\r\n221 bye\r\n")},
      false);
  ASSERT_EQ(told.contents.size(), 1U);
  const ContentRecorder::Content& content = told.contents[0];
  EXPECT_EQ(content.bytes, "Subject: x\r\n\r\n.dot\r\nend\r\n");
  EXPECT_EQ(content.kind, ContentKind::Message);
  EXPECT_EQ(content.direction, Direction::ToServer);
  EXPECT_EQ(content.protocol, ApplicationProtocol::Smtp);
  EXPECT_EQ(content.sender, "a@example");
  EXPECT_EQ(content.recipients, "b@example,c@example");
  EXPECT_TRUE(content.useless_before_end);
  EXPECT_TRUE(content.ended);
  EXPECT_EQ(content.end, ContentEnd::Whole);
}

TEST(SmtpContents, EndsWithTheCallThatHasTheLastLine) {
  ContentRecorder recorder;
  const ParserDemands demands;
  const auto parser = make_smtp_parser(demands);
  parser->set_content_receiver(&recorder);
  auto say = [&](Direction direction, std::string_view bytes) {
    (void)parser->on_data(direction, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()},
                          0);
  };
  say(Direction::ToClient, "220 mx\r\n");
  say(Direction::ToServer, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n");
  say(Direction::ToClient, "250 k\r\n250 k\r\n354 go\r\n");
  say(Direction::ToServer, "text\r\n.\r");
  ASSERT_EQ(recorder.contents.size(), 1U);
  EXPECT_FALSE(recorder.contents[0].ended);
  say(Direction::ToServer, "\nQUIT\r\n");
  EXPECT_TRUE(recorder.contents[0].ended);
  EXPECT_EQ(recorder.contents[0].end, ContentEnd::Whole);
}

TEST(SmtpContents, JoinsChunks) {
  const ContentRecorder told = told_of(
      {client_says("MAIL FROM:<a>\r\nRCPT TO:<b>\r\nBDAT 5\r\nab\r\ncBDAT 4 LAST\r\n.\r\n."),
       server_says("250 k\r\n250 k\r\n250 k\r\n250 k\r\n"),
       client_says("MAIL FROM:<>\r\nRCPT TO:<d>\r\nBDAT 3\r\nxyz"),
       server_says("250 k\r\n250 k\r\n250 k\r\n"), client_says("BDAT 0 LAST\r\n"),
       server_says("250 k\r\n")},
      false);
  ASSERT_EQ(told.contents.size(), 2U);
  EXPECT_EQ(told.contents[0].bytes, "ab\r\nc.\r\n.");
  EXPECT_EQ(told.contents[0].end, ContentEnd::Whole);
  EXPECT_EQ(told.contents[0].sender, "a");
  EXPECT_EQ(told.contents[1].bytes, "xyz");
  EXPECT_EQ(told.contents[1].sender, "");
  EXPECT_EQ(told.contents[1].recipients, "d");
  EXPECT_EQ(told.contents[1].end, ContentEnd::Whole);
}

TEST(SmtpContents, BreaksWhatIsResetOrRefused) {
  const ContentRecorder told = told_of(
      {client_says("MAIL FROM:<a>\r\nRCPT TO:<b>\r\nBDAT 3\r\nabcRSET\r\n"),
       server_says("250 k\r\n250 k\r\n250 k\r\n250 k\r\n"),
       client_says("MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n"), server_says("250 k\r\n250 k\r\n"),
       client_says("early\r\n"), server_says("451 later\r\n"),
       client_says("MAIL FROM:<c>\r\nRCPT TO:<d>\r\nDATA\r\n"),
       server_says("250 k\r\n250 k\r\n354 go\r\n"), client_says("cut off")});
  ASSERT_EQ(told.contents.size(), 3U);
  for (const auto& content : told.contents) EXPECT_EQ(content.end, ContentEnd::Broken);
  EXPECT_EQ(told.contents[2].bytes, "cut off");
}

// RFC 5321 section 2.3.8: servers differ in what they take for the end.
TEST(SmtpContents, FailsWhereServersMayDisagreeOnTheEnd) {
  for (const std::string_view end : {"\n.\n", "\n.\r\n", "\r\n.\n"}) {
    const ContentRecorder told = told_of({client_says("MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n"),
                                          server_says("250 k\r\n250 k\r\n354 go\r\n"),
                                          client_says("text" + std::string{end} + "STARTTLS\r\n")});
    ASSERT_EQ(told.contents.size(), 1U);
    EXPECT_EQ(told.contents[0].end, ContentEnd::Broken);
    EXPECT_TRUE(told.asked.empty());  // nothing more is read
  }
  const ContentRecorder empty =
      told_of({client_says("MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n"),
               server_says("250 k\r\n250 k\r\n354 go\r\n"), client_says("\r\n.\r\n")});
  ASSERT_EQ(empty.contents.size(), 1U);
  EXPECT_EQ(empty.contents[0].end, ContentEnd::Whole);
}

// What one server takes for a size is another one's mistake.
TEST(SmtpContents, FailsAtChunksOfUnclearSize) {
  for (const std::string_view size :
       {"+4", "4x LAST", "0x4", "-4", "4294967300", "2147483648 LAST", ""}) {
    const ContentRecorder told = told_of({client_says("MAIL FROM:<a>\r\nRCPT TO:<b>\r\nBDAT " +
                                                      std::string{size} + "\r\nSTARTTLS\r\n")});
    EXPECT_TRUE(told.asked.empty()) << size;
  }
}

TEST(SmtpContents, KnowsCommandsBehindBlanks) {
  const ContentRecorder told =
      told_of({client_says(" MAIL FROM:<a>\r\n\tRCPT TO:<b>\r\n  BDAT 4 LAST\r\nabcd"),
               server_says("250 k\r\n250 k\r\n250 k\r\n"), client_says(" DATA\r\n"),
               server_says("354 go\r\n"), client_says("text\r\n.\r\n")});
  ASSERT_EQ(told.contents.size(), 2U);
  EXPECT_EQ(told.contents[0].bytes, "abcd");
  EXPECT_EQ(told.contents[0].recipients, "b");
  EXPECT_EQ(told.contents[1].bytes, "text\r\n");
}

TEST(SmtpContents, FailsWhenTheServerKnowsAnotherCommandForData) {
  const ContentRecorder told =
      told_of({client_says("TEXT\r\n"), server_says("354 go\r\n"), client_says("STARTTLS\r\n")});
  EXPECT_TRUE(told.asked.empty());
}

TEST(SmtpContents, TellsOfEncryptionBeforeItIsForwarded) {
  ContentRecorder recorder;
  std::vector<SaidTurn> turns = kGreeting;
  turns.push_back(client_says("STARTTLS\r\n"));
  ContentConversation{make_smtp_parser, turns}.run(recorder, 100);
  EXPECT_EQ(recorder.asked, std::vector{ApplicationProtocol::Smtp});
}

}  // namespace
}  // namespace masugata::ids
