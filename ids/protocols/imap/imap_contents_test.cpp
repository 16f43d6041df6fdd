// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/imap/imap_contents.h"

#include <gtest/gtest.h>

#include "ids/protocols/content_conversation.h"
#include "ids/protocols/imap/imap_parser.h"

namespace masugata::ids {
namespace {

ContentRecorder told_of(std::vector<SaidTurn> turns, bool closes = true) {
  turns.insert(turns.begin(), server_says("* OK ready\r\n"));
  return ContentConversation{make_imap_parser, std::move(turns)}.told(closes);
}
std::string literal(std::string_view text) {
  return "{" + std::to_string(text.size()) + "}\r\n" + std::string{text};
}

TEST(ImapContents, GivesFetchedMessages) {
  const ContentRecorder told = told_of(
      {client_says("a1 FETCH 1:2 (FLAGS BODY[])\r\n"),
       server_says("* 1 FETCH (FLAGS () BODY[] " + literal("Subject: a\r\n\r\nA") + ")\r\n" +
                   "* 2 FETCH (BODY[] " + literal("B") + " FLAGS ())\r\na1 OK\r\n")},
      false);
  ASSERT_EQ(told.contents.size(), 2U);
  EXPECT_EQ(told.contents[0].bytes, "Subject: a\r\n\r\nA");
  EXPECT_EQ(told.contents[0].kind, ContentKind::Message);
  EXPECT_EQ(told.contents[0].direction, Direction::ToClient);
  EXPECT_EQ(told.contents[0].tag, "a1");
  EXPECT_EQ(told.contents[0].location, "BODY[]");
  EXPECT_EQ(told.contents[0].announced_bytes, 15U);
  EXPECT_TRUE(told.contents[0].useless_before_end);
  EXPECT_FALSE(told.contents[0].range_first);
  EXPECT_EQ(told.contents[0].end, ContentEnd::Whole);
  EXPECT_EQ(told.contents[1].bytes, "B");
  EXPECT_EQ(told.contents[1].reading, ContentReading::AsGiven);
}

TEST(ImapContents, GivesPartsAsTheyAreCoded) {
  const std::string encoded =
      "TVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\nAAAA\r\n";
  const ContentRecorder told = told_of(
      {client_says("a1 UID FETCH 7 (BODY.PEEK[2] BODY[1] BODY[HEADER])\r\n"),
       server_says("* 1 FETCH (UID 7 BODY[2] " + literal(encoded) + " BODY[1] " + literal("plain") +
                   " BODY[HEADER] " + literal("Subject: x\r\n") + ")\r\na1 OK\r\n")},
      false);
  ASSERT_EQ(told.contents.size(), 2U);
  EXPECT_EQ(told.contents[0].bytes, encoded);
  EXPECT_EQ(told.contents[0].reading, ContentReading::MailPart);
  EXPECT_EQ(told.contents[0].kind, ContentKind::File);
  EXPECT_EQ(told.contents[0].location, "BODY[2]");
  EXPECT_EQ(told.contents[1].bytes, "plain");
  EXPECT_EQ(told.contents[1].end, ContentEnd::Whole);
}

TEST(ImapContents, GivesQuotedStrings) {
  const ContentRecorder told = told_of(
      {client_says("a1 FETCH 1 (ENVELOPE BODY[1] BODY[TEXT] BODY[HEADER])\r\n"),
       server_says(
           "* 1 FETCH (ENVELOPE (\"BODY[1] \\\"x\" \"s\") BODY[1] \"a\\\\b\\\"c\" BODY[2] " +
           literal("lit") + " BODY[TEXT] \"text\" BODY[3] \"\" BODY[HEADER] \"h\")\r\na1 OK\r\n")},
      false);
  ASSERT_EQ(told.contents.size(), 3U);
  EXPECT_EQ(told.contents[0].bytes, "a\\b\"c");
  EXPECT_EQ(told.contents[0].location, "BODY[1]");
  EXPECT_EQ(told.contents[0].end, ContentEnd::Whole);
  EXPECT_EQ(told.contents[1].bytes, "lit");
  EXPECT_EQ(told.contents[2].bytes, "text");
}

TEST(ImapContents, FailsAtQuotedStringsThatAreTooLong) {
  const ContentRecorder told = told_of(
      {client_says("a1 FETCH 1 (BODY[1])\r\n"),
       server_says("* 1 FETCH (BODY[1] \"" + std::string(1 << 20, 'x') + "\")\r\na1 OK\r\n"),
       client_says("a2 STARTTLS\r\n")});
  EXPECT_TRUE(told.asked.empty());
  EXPECT_TRUE(told.contents.empty());
}

TEST(ImapContents, FindsTheSectionBehindManyBlanks) {
  const ContentRecorder told = told_of({client_says("a1 FETCH 1 (BODY[1])\r\n"),
                                        server_says("* 1 FETCH (BODY[1]" + std::string(200, ' ') +
                                                    literal("ab") + ")\r\na1 OK\r\n")},
                                       false);
  ASSERT_EQ(told.contents.size(), 1U);
  EXPECT_EQ(told.contents[0].bytes, "ab");
}

TEST(ImapContents, JoinsPiecesOfOneSection) {
  const ContentRecorder told =
      told_of({client_says("a1 FETCH 1 (BODY[]<0.4>)\r\n"),
               server_says("* 1 FETCH (BODY[]<0> " + literal("abcd") + ")\r\na1 OK\r\n"),
               client_says("a2 FETCH 1 (BODY[]<4.4>)\r\n"),
               server_says("* 1 FETCH (BODY[]<4> " + literal("efgh") + ")\r\na2 OK\r\n"),
               client_says("a3 FETCH 1 (BODY[]<8.4>)\r\n"),
               server_says("* 1 FETCH (BODY[]<8> " + literal("i") + ")\r\na3 OK\r\n"),
               client_says("a4 FETCH 2 (BODY[]<0.100>)\r\n"),
               server_says("* 2 FETCH (BODY[]<0> " + literal("small") + ")\r\na4 OK\r\n"),
               client_says("a5 FETCH 3 (BODY[]<50.4>)\r\n"),
               server_says("* 3 FETCH (BODY[]<50> " + literal("tail") + ")\r\na5 OK\r\n")});
  ASSERT_EQ(told.contents.size(), 3U);
  EXPECT_EQ(told.contents[0].bytes, "abcdefghi");
  EXPECT_EQ(told.contents[0].tag, "a1");
  EXPECT_EQ(told.contents[0].later_tags, (std::vector<std::string>{"a2", "a3"}));
  EXPECT_EQ(told.contents[0].range_first, 0U);
  EXPECT_EQ(told.contents[0].end, ContentEnd::Whole);
  EXPECT_EQ(told.contents[1].bytes, "small");
  EXPECT_FALSE(told.contents[1].range_first);  // the client asked for more than there is
  EXPECT_EQ(told.contents[2].bytes, "tail");
  EXPECT_EQ(told.contents[2].range_first, 50U);
}

TEST(ImapContents, GivesAppendedMessages) {
  const ContentRecorder told = told_of(
      {client_says("a1 LOGIN {2}\r\n"), server_says("+ go\r\n"), client_says("me {2+}\r\npw\r\n"),
       server_says("a1 OK\r\n"), client_says("a2 APPEND box (\\Seen) {3}\r\n"),
       server_says("+ go\r\n"), client_says("one (\\Seen) {3+}\r\ntwo\r\n"),
       server_says("a2 OK\r\n"), client_says("a3 APPEND box {9}\r\n"), server_says("a3 NO\r\n"),
       client_says("a4 NOOP\r\n"), server_says("a4 OK\r\n")},
      false);
  ASSERT_EQ(told.contents.size(), 3U);
  EXPECT_EQ(told.contents[0].bytes, "one");
  EXPECT_EQ(told.contents[0].direction, Direction::ToServer);
  EXPECT_EQ(told.contents[0].tag, "a2");
  EXPECT_TRUE(told.contents[0].useless_before_end);
  EXPECT_EQ(told.contents[0].announced_bytes, 3U);
  EXPECT_EQ(told.contents[0].end, ContentEnd::Whole);
  EXPECT_EQ(told.contents[1].bytes, "two");
  EXPECT_EQ(told.contents[1].end, ContentEnd::Whole);
  EXPECT_EQ(told.contents[2].bytes, "");  // refused
  EXPECT_EQ(told.contents[2].end, ContentEnd::Broken);
}

TEST(ImapContents, TellsWhetherTheResponseBeganBefore) {
  ContentRecorder recorder;
  ContentConversation{make_imap_parser,
                      {server_says("* OK\r\n"), client_says("a FETCH 1:2 BODY[]\r\n"),
                       server_says("* 1 FETCH (BODY[] {1}\r\nx)\r\n* 2 FE"),
                       server_says("TCH (BODY[] {1}\r\ny)\r\n")}}
      .run(recorder, 1000);
  ASSERT_EQ(recorder.contents.size(), 2U);
  EXPECT_TRUE(recorder.contents[0].begins_with_packet);
  EXPECT_FALSE(recorder.contents[1].begins_with_packet);
}

TEST(ImapContents, BreaksWhatIsCutOff) {
  const ContentRecorder told =
      told_of({client_says("a FETCH 1 BODY[]\r\n"), server_says("* 1 FETCH (BODY[] {100}\r\nx"),
               client_says("b APPEND c {100+}\r\ny")});
  ASSERT_EQ(told.contents.size(), 2U);
  EXPECT_EQ(told.contents[0].end, ContentEnd::Broken);
  EXPECT_EQ(told.contents[1].end, ContentEnd::Broken);
}

TEST(ImapContents, TellsOfEncryption) {
  const ContentRecorder told = told_of({client_says("a STARTTLS\r\n")});
  EXPECT_EQ(told.asked, std::vector{ApplicationProtocol::Imap});
}

}  // namespace
}  // namespace masugata::ids
