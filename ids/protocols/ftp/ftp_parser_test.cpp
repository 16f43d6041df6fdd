// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/ftp/ftp_parser.h"

#include <gtest/gtest.h>

#include "ids/protocols/ftp/ftp_address.h"
#include "ids/protocols/ftp/ftp_transaction.h"
#include "ids/protocols/text_protocol_test.h"

namespace masugata::ids {
namespace {

class FtpParserTest : public TextProtocolTest {
 protected:
  FtpParserTest() : TextProtocolTest(&make_ftp_parser) {}
  FtpTransaction& command(size_t index) { return transaction_at<FtpTransaction>(index); }
};

TEST_F(FtpParserTest, ACommandAndItsRepliesAreATransaction) {
  for (const size_t piece : {1UL, 4UL, 4096UL}) {
    piece_ = piece;
    parser_ = make_ftp_parser(demands_);
    server("220-welcome\r\n here\r\n220 ready\r\n");
    client("user bob\r\n");
    server("331 Please specify the password.\r\n");
    ASSERT_EQ(parser_->transactions().size(), 2U);
    EXPECT_EQ(command(0).command, "");
    EXPECT_EQ(command(0).replies, (std::vector<std::string>{"welcome", " here", "ready"}));
    EXPECT_TRUE(command(0).complete());
    EXPECT_EQ(text_of(command(1).buffer(BufferId::FtpCommand, Direction::ToServer, 0)), "USER");
    EXPECT_EQ(text_of(command(1).buffer(BufferId::FtpCommandData, Direction::ToServer, 0)), "bob");
    EXPECT_EQ(text_of(command(1).buffer(BufferId::FtpReply, Direction::ToClient, 0)),
              "Please specify the password.");
    EXPECT_EQ(text_of(command(1).buffer(BufferId::FtpCompletionCode, Direction::ToClient, 0)),
              "331");
    EXPECT_TRUE(command(1).complete());
    uint64_t received = 0;
    EXPECT_TRUE(command(1).number(NumberField::FtpReplyReceived, Direction::ToClient, received));
    EXPECT_EQ(received, 1U);
  }
}

TEST_F(FtpParserTest, APassiveTransferIsExpectedOnceWithItsName) {
  client("PASV\r\n");
  server("227 Entering Passive Mode (192,0,2,7,19,137).\r\n");
  EXPECT_EQ(command(0).dynamic_port, 5001);
  EXPECT_EQ(command(0).mode, FtpMode::Passive);
  EXPECT_EQ(parser_->expected_data(), nullptr);
  client("RETR dir/a b.exe\r\n");
  const auto* expected = parser_->expected_data();
  ASSERT_NE(expected, nullptr);
  EXPECT_EQ(expected->server_port, 5001);
  EXPECT_EQ(expected->server_address.to_string(), "192.0.2.7");
  EXPECT_EQ(expected->file_name, "dir/a b.exe");
  EXPECT_FALSE(expected->upload);
  EXPECT_FALSE(expected->active);
  server("150 opening\r\n");
  EXPECT_EQ(parser_->expected_data(), nullptr);
  EXPECT_FALSE(command(1).complete());
  server("226 done\r\n");
  EXPECT_EQ(command(1).completion_codes, (std::vector<std::string>{"150", "226"}));
  EXPECT_TRUE(command(1).complete());
}

TEST_F(FtpParserTest, EveryAnnouncementIsToldUntilItIsForgotten) {
  client("PASV\r\nPORT 10,0,0,1,4,1\r\nnoop\r\n");
  EXPECT_EQ(parser_->new_endpoints().size(), 1U);
  server("227 Entering (192,0,2,7,19,137)\n200 ok\r\n");
  // Whatever it answers.
  server("229-not yet (|||7|)\r\n229 Extended (|||5002|)\r\n");
  const auto told = parser_->new_endpoints();
  ASSERT_EQ(told.size(), 3U);
  EXPECT_TRUE(told[0].active);
  EXPECT_EQ(told[0].port, 1025);
  EXPECT_FALSE(told[1].active);
  EXPECT_EQ(told[1].address.to_string(), "192.0.2.7");
  EXPECT_EQ(told[1].port, 5001);
  EXPECT_EQ(told[2].address, net::IpAddress{});
  EXPECT_EQ(told[2].port, 5002);
  parser_->forget_endpoints();
  EXPECT_TRUE(parser_->new_endpoints().empty());
  for (int port = 0; port < 9; ++port) {
    server("229 Extended (|||600" + std::to_string(port) + "|)\r\n");
  }
  ASSERT_EQ(parser_->new_endpoints().size(), ProtocolParser::kMaximumEndpoints);
  EXPECT_EQ(parser_->new_endpoints()[0].port, 6005);
}

TEST_F(FtpParserTest, APipelinedTransferIsExpectedWhenTheReplyComes) {
  client("EPSV\r\nSTOR up.bin\r\n");
  EXPECT_EQ(parser_->expected_data(), nullptr);
  server("229 Entering Extended Passive Mode (|||6446|)\r\n");
  const auto* expected = parser_->expected_data();
  ASSERT_NE(expected, nullptr);
  EXPECT_EQ(expected->server_port, 6446);
  EXPECT_TRUE(expected->server_address.is_unspecified());
  EXPECT_TRUE(expected->upload);
}

TEST_F(FtpParserTest, AnActiveTransferGoesToTheClient) {
  client("PORT 10,1,2,3,4,5\r\n");
  EXPECT_EQ(command(0).port_address->to_string(), "10.1.2.3");
  client("STOR x\r\n");
  ASSERT_NE(parser_->expected_data(), nullptr);
  EXPECT_TRUE(parser_->expected_data()->active);
  EXPECT_EQ(parser_->expected_data()->server_port, 4 * 256 + 5);
  client("EPRT |2|2001:db8::5|1234|\r\n");
  EXPECT_EQ(command(2).port_address->to_string(), "2001:db8::5");
  EXPECT_EQ(command(2).dynamic_port, 1234);
}

TEST_F(FtpParserTest, AListingUsesUpTheAddress) {
  client("PORT 10,1,2,3,4,5\r\nLIST\r\nRETR x\r\n");
  EXPECT_EQ(parser_->expected_data(), nullptr);
}

TEST_F(FtpParserTest, PipelinedCommandsGetTheirRepliesInOrder) {
  client("USER a\r\nPASS b\r\nSYST\r\n");
  server("331 pass\r\n230 in\r\n215 UNIX\r\n");
  EXPECT_EQ(command(0).completion_codes[0], "331");
  EXPECT_EQ(command(1).completion_codes[0], "230");
  EXPECT_EQ(command(2).completion_codes[0], "215");
}

TEST_F(FtpParserTest, AuthHandsOverToTls) {
  client("AUTH TLS\r\n");
  EXPECT_EQ(server("504 no\r\n"), ParseOutcome::Going);
  client("AUTH TLS\r\n");
  EXPECT_EQ(server("234 go\r\n"), ParseOutcome::Changed);
  EXPECT_EQ(parser_->next_protocol(), ApplicationProtocol::Tls);
}

TEST_F(FtpParserTest, LongLinesAndUnansweredCommandsAreBounded) {
  client("SITE " + std::string(10000, 'a') + "\r\n");
  EXPECT_TRUE(command(0).events.test(static_cast<size_t>(FtpEvent::RequestCommandTooLong)));
  EXPECT_LE(command(0).command_data.size(), kMaximumFtpLine);
  server("200 " + std::string(10000, 'a') + "\r\n");
  EXPECT_TRUE(command(0).events.test(static_cast<size_t>(FtpEvent::ResponseCommandTooLong)));
  ParseOutcome outcome = ParseOutcome::Going;
  size_t sent = 0;
  for (; sent < 5000 && outcome == ParseOutcome::Going; ++sent) {
    outcome = client("NOOP\r\n");
  }
  EXPECT_EQ(outcome, ParseOutcome::Failed);
  EXPECT_LE(parser_->transactions().size(), 2 * kMaximumTransactions);
  server("200 a\r\n200 b\r\n");
}

TEST_F(FtpParserTest, AReplyOfManyLinesIsBounded) {
  client("HELP\r\n");
  server("214-help\r\n");
  for (int i = 0; i < 1000; ++i) {
    server(" line\r\n");
  }
  server("214 end\r\n");
  EXPECT_EQ(command(0).replies.size(), kMaximumFtpReplies);
  EXPECT_TRUE(command(0).complete());
}

TEST(FtpAddressTest, OnlyWellFormedAddressesCount) {
  EXPECT_EQ(parse_port_argument("1,2,3,4,5,6")->port, 5 * 256 + 6);
  EXPECT_FALSE(parse_port_argument("1,2,3,4,5"));
  EXPECT_FALSE(parse_port_argument("1,2,3,256,5,6"));
  EXPECT_FALSE(parse_port_argument(""));
  EXPECT_EQ(parse_passive_reply("ok 12 (1,2,3,4,0,99)")->port, 99);
  EXPECT_FALSE(parse_passive_reply("Entering (1,2,3)"));
  EXPECT_EQ(parse_extended_passive_reply("(!!!99!)")->port, 99);
  EXPECT_FALSE(parse_extended_passive_reply("(|||"));
  EXPECT_FALSE(parse_extended_passive_reply("(|||70000|)"));
  EXPECT_FALSE(parse_extended_port_argument("|1|1.2.3.4"));
  EXPECT_FALSE(parse_extended_port_argument("|1||5|"));
}

TEST(FtpDataParserTest, TheConnectionIsOneFile) {
  const ParserDemands demands{.md5 = true};
  ProtocolParser::ExpectedData expected;
  expected.file_name = "a.txt";
  expected.upload = true;
  const auto parser = make_ftp_data_parser(demands, &expected);
  const std::vector<uint8_t> bytes{'a', 'b', 'c'};
  EXPECT_EQ(parser->on_data(Direction::ToServer, bytes, 0), ParseOutcome::Going);
  EXPECT_EQ(parser->on_data(Direction::ToServer, bytes, 0), ParseOutcome::Going);
  ASSERT_EQ(parser->transactions().size(), 1U);
  auto& transaction = static_cast<FtpDataTransaction&>(*parser->transactions()[0]);
  EXPECT_EQ(transaction.upload, true);
  EXPECT_EQ(text_of(transaction.buffer(BufferId::FileData, Direction::ToServer, 0)), "abcabc");
  EXPECT_EQ(text_of(transaction.buffer(BufferId::FileName, Direction::ToServer, 0)), "a.txt");
  EXPECT_FALSE(transaction.complete());
  parser->on_end(Direction::ToClient);
  EXPECT_FALSE(transaction.complete());
  parser->on_end(Direction::ToServer);
  parser->on_end(Direction::ToServer);
  EXPECT_TRUE(transaction.complete());
  EXPECT_TRUE(transaction.files()[0].complete);
  EXPECT_FALSE(transaction.files()[0].md5.empty());
}

TEST(FtpDataParserTest, ALossTruncatesTheFile) {
  const ParserDemands demands{};
  const auto parser = make_ftp_data_parser(demands, nullptr);
  const std::vector<uint8_t> bytes{'a', 'b', 'c'};
  EXPECT_EQ(parser->on_data(Direction::ToClient, bytes, 0), ParseOutcome::Going);
  EXPECT_EQ(parser->on_gap(Direction::ToClient, 10), ParseOutcome::Going);
  parser->on_end(Direction::ToClient);
  const TransferredFile& file = parser->transactions()[0]->files()[0];
  EXPECT_TRUE(file.truncated);
  EXPECT_EQ(file.size, 13U);
}

}  // namespace
}  // namespace masugata::ids
