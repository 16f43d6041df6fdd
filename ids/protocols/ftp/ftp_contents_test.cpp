// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <utility>

#include "ids/protocols/content_conversation.h"
#include "ids/protocols/ftp/ftp_parser.h"

namespace masugata::ids {
namespace {

ContentRecorder data_told(const ProtocolParser::ExpectedData* expected,
                          std::vector<SaidTurn> turns) {
  return ContentConversation{
      [expected](const ParserDemands& demands) { return make_ftp_data_parser(demands, expected); },
      std::move(turns)}
      .told(false);
}

TEST(FtpContents, GivesTheFileToItsEnd) {
  ProtocolParser::ExpectedData expected;
  expected.file_name = "/pub/a.zip";
  expected.range_first = 100;
  const ContentRecorder told = data_told(
      &expected, {server_says("PK data"), client_ends(), server_says(" more"), server_ends()});
  ASSERT_EQ(told.contents.size(), 1U);
  EXPECT_EQ(told.contents[0].bytes, "PK data more");
  EXPECT_EQ(told.contents[0].name, "a.zip");
  EXPECT_EQ(told.contents[0].location, "/pub/a.zip");
  EXPECT_EQ(told.contents[0].range_first, 100U);
  EXPECT_EQ(told.contents[0].direction, Direction::ToClient);
  EXPECT_EQ(told.contents[0].protocol, ApplicationProtocol::FtpData);
  EXPECT_FALSE(told.contents[0].useless_before_end);
  EXPECT_EQ(told.contents[0].end, ContentEnd::Whole);
  EXPECT_EQ(told.contents[0].reading, ContentReading::LineEnds);
}

TEST(FtpContents, AreOneThingInAnImage) {
  ProtocolParser::ExpectedData expected;
  expected.text = false;
  const ContentRecorder told = data_told(&expected, {server_says("a"), server_ends()});
  ASSERT_EQ(told.contents.size(), 1U);
  EXPECT_EQ(told.contents[0].reading, ContentReading::AsGiven);
}

TEST(FtpContents, GivesBothDirections) {
  const ContentRecorder told =
      data_told(nullptr, {server_says("x"), client_says("upload"), client_ends(), server_ends()});
  ASSERT_EQ(told.contents.size(), 2U);
  EXPECT_EQ(told.contents[1].bytes, "upload");
  EXPECT_EQ(told.contents[1].direction, Direction::ToServer);
}

class FtpControl : public testing::Test {
 protected:
  FtpControl() { parser_->set_content_receiver(&recorder_); }
  void say(Direction direction, std::string_view bytes) {
    (void)parser_->on_data(direction,
                           {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, 0);
  }
  void client(std::string_view bytes) { say(Direction::ToServer, bytes); }
  void server(std::string_view bytes) { say(Direction::ToClient, bytes); }

  ParserDemands demands_;
  ContentRecorder recorder_;
  std::unique_ptr<ProtocolParser> parser_ = make_ftp_parser(demands_);
};

TEST_F(FtpControl, RemembersTransfersForLateConnections) {
  server("220 hi\r\n");
  client("PASV\r\n");
  server("227 (10,0,0,2,4,1)\r\n");
  EXPECT_EQ(parser_->announced_data(1025), nullptr);
  client("REST 500\r\n");
  server("350 k\r\n");
  client("RETR a.bin\r\n");
  server("150 opening\r\n");
  const auto* announced = parser_->announced_data(1025);
  ASSERT_NE(announced, nullptr);
  EXPECT_EQ(announced->file_name, "a.bin");
  EXPECT_EQ(announced->range_first, 500U);
  EXPECT_FALSE(announced->coded);
  EXPECT_EQ(parser_->expected_data(), nullptr);  // was told before
}

TEST_F(FtpControl, TellsOfAppendingAndModes) {
  server("220 hi\r\n");
  client("MODE Z\r\n");
  server("200 k\r\n");
  client("PASV\r\n");
  server("227 (10,0,0,2,4,1)\r\n");
  client("REST 9\r\n");
  server("500 no\r\n");
  client("APPE log\r\n");
  const auto* announced = parser_->announced_data(1025);
  ASSERT_NE(announced, nullptr);
  EXPECT_EQ(announced->range_first, 0U);
  EXPECT_TRUE(announced->coded);
  client("PASV\r\n");
  server("150 k\r\n226 k\r\n227 (10,0,0,2,4,2)\r\n");
  client("STOR whole\r\n");
  ASSERT_NE(parser_->announced_data(1026), nullptr);
  EXPECT_FALSE(parser_->announced_data(1026)->range_first);
}

// A transfer after these, each answered with its code; not answered when that is empty.
struct FormCase {
  std::vector<std::pair<std::string, std::string>> said;
  bool coded;
  bool text;
};
class FtpForms : public FtpControl, public testing::WithParamInterface<FormCase> {};
TEST_P(FtpForms, AreToldOfTransfers) {
  server("220 hi\r\n");
  for (const auto& [command, code] : GetParam().said) {
    client(command + "\r\n");
    if (!code.empty()) server(code + " k\r\n");
  }
  client("PORT 10,0,0,2,4,1\r\nRETR a\r\n");
  const auto* announced = parser_->announced_data(1025);
  ASSERT_NE(announced, nullptr);
  EXPECT_EQ(announced->coded, GetParam().coded);
  EXPECT_EQ(announced->text, GetParam().text);
}
INSTANTIATE_TEST_SUITE_P(
    Cases, FtpForms,
    testing::Values(
        FormCase{{}, false, true}, FormCase{{{"TYPE I", "200"}}, false, false},
        FormCase{{{"type i", "200"}}, false, false}, FormCase{{{"TYPE L 8", "200"}}, false, false},
        FormCase{{{"TYPE I", "504"}}, false, true},
        FormCase{{{"TYPE I", "200"}, {"TYPE A", "200"}}, false, true},
        FormCase{{{"TYPE I", "200"}, {"TYPE A N", "200"}}, false, true},
        FormCase{{{"TYPE I", "200"}, {"TYPE A", "504"}}, false, false},
        FormCase{{{"TYPE E", "200"}}, true, true}, FormCase{{{"TYPE L 36", "200"}}, true, true},
        FormCase{{{"TYPE I", "200"}, {"REIN", "220"}}, false, true},
        FormCase{{{"MODE Z", "200"}}, true, true}, FormCase{{{"MODE B", "200"}}, true, true},
        FormCase{{{"MODE Z", "504"}}, false, true}, FormCase{{{"STRU R", "200"}}, true, true},
        FormCase{{{"MODE Z", "200"}, {"MODE S", "200"}}, false, true},
        FormCase{{{"MODE Z", "200"}, {"MODE S", "504"}}, true, true},
        // The transfer does not wait for the answer.
        FormCase{{{"TYPE I", ""}}, false, true}, FormCase{{{"MODE Z", ""}}, true, true},
        FormCase{{{"TYPE I", "200"}, {"TYPE A", ""}}, false, true},
        FormCase{{{"MODE Z", "200"}, {"MODE S", ""}}, true, true},
        FormCase{{{"NOOP", ""}, {"MODE Z", ""}, {"MODE S", "200"}}, true, true}));

TEST_F(FtpControl, BelievesInTextBehindALoss) {
  server("220 hi\r\n");
  client("TYPE I\r\n");
  server("200 k\r\n");
  EXPECT_EQ(parser_->on_gap(Direction::ToServer, 8), ParseOutcome::Going);
  client("PORT 10,0,0,2,4,1\r\nRETR a\r\n");
  ASSERT_NE(parser_->announced_data(1025), nullptr);
  EXPECT_TRUE(parser_->announced_data(1025)->text);
}

TEST_F(FtpControl, TellsOfEncryption) {
  server("220 hi\r\n");
  client("AUTH TLS\r\n");
  EXPECT_EQ(recorder_.asked, std::vector{ApplicationProtocol::Ftp});
}

}  // namespace
}  // namespace masugata::ids
