// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/pop3/pop3_parser.h"

#include <gtest/gtest.h>

#include "ids/protocols/mime/mailbox_transaction.h"
#include "ids/protocols/text_protocol_test.h"

namespace masugata::ids {
namespace {

using mime::MailboxTransaction;

constexpr std::string_view kMail =
    "Subject: s\r\nContent-Type: application/x-dosexec; name=v.exe\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nTVqQ\r\nAAM=\r\n.\r\n";

class Pop3ParserTest : public TextProtocolTest {
 protected:
  Pop3ParserTest() : TextProtocolTest(&make_pop3_parser) {}
  MailboxTransaction& command(size_t index) { return transaction_at<MailboxTransaction>(index); }
  bool raised(size_t index, Pop3Event event) {
    return command(index).events.test(static_cast<size_t>(event));
  }
};

TEST_F(Pop3ParserTest, AFetchedMailShowsItsAttachment) {
  for (const size_t piece : {1UL, 3UL, 4096UL}) {
    piece_ = piece;
    parser_ = make_pop3_parser(demands_);
    server("+OK ready\r\n");
    client("user bob\r\nPASS x y\r\nLIST\r\nRETR 1\r\nNOOP\r\n");
    server("+OK\r\n+OK in\r\n+OK 1 message\r\n1 120\r\n.\r\n+OK 120 octets\r\n");
    server(kMail);
    server("+OK noop\r\n");
    ASSERT_EQ(parser_->transactions().size(), 5U);
    EXPECT_EQ(command(0).command, "USER");
    EXPECT_EQ(command(1).argument, "x y");
    EXPECT_EQ(command(4).reply, "noop");
    for (size_t i = 0; i < 5; ++i) {
      EXPECT_TRUE(command(i).complete());
      EXPECT_TRUE(command(i).events.none());
    }
    ASSERT_EQ(command(3).files().size(), 1U);
    const TransferredFile& file = command(3).files()[0];
    EXPECT_EQ(file.name, "v.exe");
    EXPECT_EQ(file.direction, Direction::ToClient);
    EXPECT_TRUE(file.complete);
    EXPECT_EQ(file.window, (std::vector<uint8_t>{0x4d, 0x5a, 0x90, 0x00, 0x03}));
    EXPECT_EQ(*command(3).message()->find_field("subject", 0), "s");
  }
}

TEST_F(Pop3ParserTest, ARefusedRetrievalHasNoBody) {
  client("RETR 9\r\nRETR 1\r\n");
  server("-ERR no such message\r\n+OK\r\n");
  server(kMail);
  EXPECT_EQ(command(0).status, "-ERR");
  EXPECT_EQ(command(1).files().size(), 1U);
}

TEST_F(Pop3ParserTest, StlsHandsOverToTls) {
  client("STLS\r\n");
  EXPECT_EQ(server("+OK go\r\n"), ParseOutcome::Changed);
  EXPECT_EQ(parser_->next_protocol(), ApplicationProtocol::Tls);
}

TEST_F(Pop3ParserTest, CredentialsAreNoCommands) {
  client("AUTH LOGIN\r\n");
  server("+ VXNlcm5hbWU6\r\n");
  client("Ym9i\r\n");
  server("+ UGFzc3dvcmQ6\r\n");
  client("eA==\r\n");
  server("+OK in\r\n");
  client("STAT\r\n");
  ASSERT_EQ(parser_->transactions().size(), 2U);
  EXPECT_EQ(command(1).command, "STAT");
}

TEST_F(Pop3ParserTest, OddCommandsRaiseEvents) {
  client("XYZZY\r\nRETR\r\nNOOP " + std::string(20000, 'a') + "\r\n");
  EXPECT_TRUE(raised(0, Pop3Event::UnknownCommand));
  EXPECT_TRUE(raised(1, Pop3Event::IncorrectArgumentCount));
  EXPECT_TRUE(raised(2, Pop3Event::RequestTooLong));
}

TEST_F(Pop3ParserTest, UnansweredCommandsAreBounded) {
  ParseOutcome outcome = ParseOutcome::Going;
  for (int i = 0; i < 5000 && outcome == ParseOutcome::Going; ++i) {
    outcome = client("NOOP\r\n");
  }
  EXPECT_EQ(outcome, ParseOutcome::Failed);
  EXPECT_TRUE(raised(kMaximumTransactions, Pop3Event::TooManyTransactions));
}

TEST_F(Pop3ParserTest, ALossInsideOfAMailTruncatesItsFile) {
  client("RETR 1\r\n");
  server("+OK\r\nContent-Type: application/x; name=a\r\n\r\nhalf");
  EXPECT_EQ(parser_->on_gap(Direction::ToClient, 10), ParseOutcome::Going);
  server("x\r\n.\r\n");
  EXPECT_TRUE(command(0).complete());
  EXPECT_TRUE(command(0).files()[0].truncated);
}

}  // namespace
}  // namespace masugata::ids
