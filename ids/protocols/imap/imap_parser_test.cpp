// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/imap/imap_parser.h"

#include <gtest/gtest.h>

#include "ids/protocols/imap/imap_literal.h"
#include "ids/protocols/mime/mailbox_transaction.h"
#include "ids/protocols/text_protocol_test.h"

namespace masugata::ids {
namespace {

using mime::MailboxTransaction;

const std::string kMail =
    "Subject: s\r\nContent-Type: application/x-dosexec; name=v.exe\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nTVqQ\r\nAAM=\r\n";
const std::vector<uint8_t> kAttachment{0x4d, 0x5a, 0x90, 0x00, 0x03};

std::string literal(std::string_view text, std::string_view mark = "") {
  return "{" + std::to_string(text.size()) + std::string{mark} + "}\r\n" + std::string{text};
}

class ImapParserTest : public TextProtocolTest {
 protected:
  ImapParserTest() : TextProtocolTest(&make_imap_parser) {}
  MailboxTransaction& command(size_t index) { return transaction_at<MailboxTransaction>(index); }
};

TEST_F(ImapParserTest, AFetchedMessageShowsItsAttachment) {
  for (const size_t piece : {1UL, 5UL, 4096UL}) {
    piece_ = piece;
    parser_ = make_imap_parser(demands_);
    server("* OK ready\r\n");
    client("a1 login bob pw\r\na2 UID FETCH 7 (FLAGS BODY.PEEK[])\r\n");
    server("a1 OK in\r\n* 7 FETCH (FLAGS () BODY[] " + literal(kMail) +
           " UID 7)\r\na2 OK done\r\n");
    ASSERT_EQ(parser_->transactions().size(), 2U);
    EXPECT_EQ(command(0).command, "LOGIN");
    EXPECT_EQ(command(0).status, "OK");
    EXPECT_EQ(command(1).command, "UID FETCH");
    EXPECT_TRUE(command(0).complete() && command(1).complete());
    ASSERT_EQ(command(1).files().size(), 1U);
    EXPECT_EQ(command(1).files()[0].name, "v.exe");
    EXPECT_EQ(command(1).files()[0].window, kAttachment);
    EXPECT_FALSE(command(1).files()[0].truncated);
    EXPECT_EQ(command(1).files()[0].direction, Direction::ToClient);
  }
}

TEST_F(ImapParserTest, AnAppendedMessageGoesToTheServer) {
  client("a APPEND Sent (\\Seen) {" + std::to_string(kMail.size()) + "}\r\n");
  server("+ go\r\n");
  client(kMail);
  client("\r\n");
  server("a OK appended\r\n");
  ASSERT_EQ(command(0).files().size(), 1U);
  EXPECT_EQ(command(0).files()[0].direction, Direction::ToServer);
  EXPECT_EQ(command(0).files()[0].window, kAttachment);
  EXPECT_TRUE(command(0).complete());
  client("b NOOP\r\n");
  EXPECT_EQ(command(1).command, "NOOP");
}

TEST_F(ImapParserTest, LiteralsWithoutConsentAndSeveralMessages) {
  client("a APPEND Sent " + literal(kMail, "+") + " " + literal(kMail, "+") + "\r\nb NOOP\r\n");
  ASSERT_EQ(parser_->transactions().size(), 2U);
  EXPECT_EQ(command(0).files().size(), 2U);
  EXPECT_EQ(command(1).command, "NOOP");
}

TEST_F(ImapParserTest, ARefusedLiteralIsFollowedByCommands) {
  client("a APPEND Sent {1000}\r\n");
  server("a NO too big\r\n");
  client("b NOOP\r\n");
  ASSERT_EQ(parser_->transactions().size(), 2U);
  EXPECT_EQ(command(1).command, "NOOP");
}

TEST_F(ImapParserTest, AMessageFetchedInPiecesIsOneFile) {
  const std::string first = kMail.substr(0, 100);
  const std::string second = kMail.substr(100);
  client("a UID FETCH 5 (BODY.PEEK[]<0.100>)\r\n");
  server("* 5 FETCH (BODY[]<0> " + literal(first) + ")\r\na OK\r\n");
  EXPECT_FALSE(command(0).complete());
  client("b UID FETCH 5 (BODY.PEEK[]<100.100>)\r\n");
  server("* 5 FETCH (BODY[]<100> " + literal(second) + ")\r\nb OK\r\n");
  ASSERT_EQ(command(0).files().size(), 1U);
  EXPECT_EQ(command(0).files()[0].window, kAttachment);
  EXPECT_FALSE(command(0).files()[0].truncated);
  EXPECT_TRUE(command(0).complete() && command(1).complete());
}

TEST_F(ImapParserTest, APartAloneIsDecodedWhenItLooksEncoded) {
  std::string encoded;
  for (int i = 0; i < 30; ++i) {
    encoded += "QUJD";
  }
  client("a FETCH 1 BODY[2]\r\nb FETCH 1 BODY[1.TEXT]\r\n");
  server("* 1 FETCH (BODY[2] " + literal(encoded) + ")\r\na OK\r\n");
  server("* 1 FETCH (BODY[1.TEXT] " + literal("plain text, short") + ")\r\nb OK\r\n");
  ASSERT_EQ(command(0).files().size(), 1U);
  EXPECT_EQ(command(0).files()[0].size, 90U);
  ASSERT_EQ(command(1).files().size(), 1U);
  EXPECT_EQ(command(1).files()[0].size, 17U);
}

TEST_F(ImapParserTest, HeadersAndOtherLiteralsAreNoFiles) {
  client("a FETCH 1 (BODY[HEADER.FIELDS (SUBJECT)] ENVELOPE)\r\n");
  server("* 1 FETCH (BODY[HEADER.FIELDS (SUBJECT)] " + literal("Subject: x\r\n") + " ENVELOPE (" +
         literal("a") + "))\r\na OK\r\n");
  EXPECT_TRUE(command(0).files().empty());
  EXPECT_TRUE(command(0).complete());
}

TEST_F(ImapParserTest, ALineOfAnyLengthAnnouncesItsLiteral) {
  client("a FETCH 1 BODY[]\r\n");
  server("* 1 FETCH (X \"" + std::string(50000, 'x') + "\" BODY[] " + literal(kMail) +
         ")\r\na OK\r\n");
  EXPECT_EQ(command(0).files().size(), 1U);
}

TEST_F(ImapParserTest, AMessageThatNobodyAskedForIsInspected) {
  server("* 1 FETCH (BODY[] " + literal(kMail) + ")\r\n");
  ASSERT_EQ(parser_->transactions().size(), 1U);
  EXPECT_EQ(command(0).files().size(), 1U);
  EXPECT_TRUE(command(0).complete());
}

TEST_F(ImapParserTest, ContinuationsAreNoCommands) {
  client("a AUTHENTICATE PLAIN\r\n");
  server("+ \r\n");
  client("AGJvYgB4\r\n");
  server("a OK\r\n");
  client("b IDLE\r\n");
  server("+ idling\r\n* 3 EXISTS\r\n");
  client("DONE\r\n");
  server("b OK\r\n");
  client("c STARTTLS\r\n");
  EXPECT_EQ(parser_->transactions().size(), 3U);
  EXPECT_EQ(server("c OK go\r\n"), ParseOutcome::Changed);
  EXPECT_EQ(parser_->next_protocol(), ApplicationProtocol::Tls);
}

TEST_F(ImapParserTest, AStrayAnswerRaisesAnEvent) {
  server("zz OK\r\n");
  EXPECT_TRUE(command(0).events.test(static_cast<size_t>(ImapEvent::RequestNotFound)));
  EXPECT_TRUE(command(0).complete());
}

TEST_F(ImapParserTest, UnansweredCommandsAreBounded) {
  ParseOutcome outcome = ParseOutcome::Going;
  for (int i = 0; i < 5000 && outcome == ParseOutcome::Going; ++i) {
    outcome = client("a NOOP\r\n");
  }
  EXPECT_EQ(outcome, ParseOutcome::Failed);
}

TEST(ImapLiteralTest, OnlyWellFormedLiteralsCount) {
  EXPECT_EQ(find_literal("a {12}")->bytes, 12U);
  EXPECT_TRUE(find_literal("{12+}")->without_consent);
  EXPECT_FALSE(find_literal("a {12} "));
  EXPECT_FALSE(find_literal("{x}"));
  EXPECT_FALSE(find_literal("{}"));
  EXPECT_FALSE(find_literal("12}"));
  EXPECT_FALSE(find_literal("{99999999999999999999999}"));
  EXPECT_EQ(find_content("(RFC822 {1}").section, ImapSection::Message);
  EXPECT_EQ(find_content("BINARY[1] ~{1}").section, ImapSection::Decoded);
  EXPECT_EQ(find_content("BODY[1.MIME] {1}").section, ImapSection::Other);
  EXPECT_EQ(find_content("body[]<17> {1}").origin, 17U);
  EXPECT_EQ(find_content("] {1}").section, ImapSection::Other);
  EXPECT_EQ(find_content(">{1}").section, ImapSection::Other);
}

}  // namespace
}  // namespace masugata::ids
