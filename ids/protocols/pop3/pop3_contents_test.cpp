// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "ids/protocols/content_conversation.h"
#include "ids/protocols/pop3/pop3_parser.h"

namespace masugata::ids {
namespace {

ContentRecorder told_of(std::vector<SaidTurn> turns, bool closes = true) {
  return ContentConversation{make_pop3_parser, std::move(turns)}.told(closes);
}

TEST(Pop3Contents, GivesMessages) {
  const ContentRecorder told =
      told_of({server_says("+OK hello\r\n"),
               client_says("CAPA\r\nRETR 1\r\nTOP 2 10\r\nRETR 3\r\nQUIT\r\n"),
               server_says("+OK\r\nTOP\r\n.\r\n+OK 9 octets\r\nSubject: a\r\n\r\n..\r\n.\r\n"
                           "+OK\r\nSubject: b\r\n\r\n.\r\n-ERR no\r\n+OK bye\r\n")},
              false);
  ASSERT_EQ(told.contents.size(), 2U);
  EXPECT_EQ(told.contents[0].bytes, "Subject: a\r\n\r\n.\r\n");
  EXPECT_EQ(told.contents[0].kind, ContentKind::Message);
  EXPECT_EQ(told.contents[0].direction, Direction::ToClient);
  EXPECT_EQ(told.contents[0].protocol, ApplicationProtocol::Pop3);
  EXPECT_TRUE(told.contents[0].useless_before_end);
  EXPECT_EQ(told.contents[0].end, ContentEnd::Whole);
  EXPECT_EQ(told.contents[1].bytes, "Subject: b\r\n\r\n");
  EXPECT_EQ(told.contents[1].end, ContentEnd::Whole);
}

TEST(Pop3Contents, TellsWhetherTheReplyBeganBefore) {
  ContentRecorder recorder;
  ContentConversation{make_pop3_parser,
                      {server_says("+OK hello\r\n"), client_says("RETR 1\r\nRETR 2\r\n"),
                       server_says("+OK\r\na\r\n.\r\n+O"), server_says("K\r\nb\r\n.\r\n")}}
      .run(recorder, 1000);
  ASSERT_EQ(recorder.contents.size(), 2U);
  EXPECT_TRUE(recorder.contents[0].begins_with_packet);
  EXPECT_FALSE(recorder.contents[1].begins_with_packet);
}

TEST(Pop3Contents, BeginsWithTheStatusLine) {
  ContentRecorder recorder;
  ContentConversation{
      make_pop3_parser,
      {server_says("+OK hello\r\n"), client_says("RETR 1\r\n"), server_says("+OK follows\r\n")}}
      .run(recorder, 1000, 0, false);
  ASSERT_EQ(recorder.contents.size(), 1U);
  EXPECT_TRUE(recorder.contents[0].begins_with_packet);
}

TEST(Pop3Contents, BreaksWhatIsCutOff) {
  const ContentRecorder told = told_of({server_says("+OK hello\r\n"), client_says("RETR 1\r\n"),
                                        server_says("+OK\r\npart"), server_ends()},
                                       false);
  ASSERT_EQ(told.contents.size(), 1U);
  EXPECT_TRUE(told.contents[0].ended);
  EXPECT_EQ(told.contents[0].end, ContentEnd::Broken);
}

TEST(Pop3Contents, FailsWhereClientsMayDisagreeOnTheEnd) {
  for (const std::string_view end : {"\n.\n", "\n.\r\n", "\r\n.\n"}) {
    const ContentRecorder told = told_of(
        {server_says("+OK hello\r\n"), client_says("RETR 1\r\n"),
         server_says("+OK\r\ntext" + std::string{end} + "more\r\n.\r\n"), client_says("STLS\r\n")});
    ASSERT_EQ(told.contents.size(), 1U);
    EXPECT_EQ(told.contents[0].end, ContentEnd::Broken);
    EXPECT_TRUE(told.asked.empty());  // nothing more is read
  }
}

TEST(Pop3Contents, TellsOfEncryption) {
  const ContentRecorder told = told_of({server_says("+OK hello\r\n"), client_says("STLS\r\n")});
  EXPECT_EQ(told.asked, std::vector{ApplicationProtocol::Pop3});
}

TEST(Pop3Contents, FailsRatherThanLoseMessages) {
  ContentRecorder recorder;
  const ParserDemands demands;
  const auto parser = make_pop3_parser(demands);
  parser->set_content_receiver(&recorder);
  std::string commands;
  for (int i = 0; i < 300; ++i) commands += "RETR 1\r\n";
  EXPECT_EQ(
      parser->on_data(Direction::ToServer,
                      {reinterpret_cast<const uint8_t*>(commands.data()), commands.size()}, 0),
      ParseOutcome::Failed);
}

}  // namespace
}  // namespace masugata::ids
