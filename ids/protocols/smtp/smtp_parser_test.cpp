// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/smtp/smtp_parser.h"

#include <gtest/gtest.h>

#include "ids/protocols/smtp/smtp_transaction.h"
#include "ids/protocols/text_protocol_test.h"

namespace masugata::ids {
namespace {

class SmtpParserTest : public TextProtocolTest {
 protected:
  SmtpParserTest() : TextProtocolTest(&make_smtp_parser, {.md5 = true, .sha256 = true}) {}
  SmtpTransaction& mail(size_t index) { return transaction_at<SmtpTransaction>(index); }
  std::string buffer(size_t index, BufferId id, uint32_t instance = 0) {
    return text_of(mail(index).buffer(id, Direction::ToServer, instance));
  }
  bool raised(size_t index, SmtpEvent event) {
    return mail(index).events.test(static_cast<size_t>(event));
  }
  void greet() {
    server("220 mx.example ESMTP\r\n");
    client("EHLO client.example\r\n");
    server("250-mx.example\r\n250-SIZE 1000000\r\n250 HELP\r\n");
  }
  void envelope() {
    client("MAIL FROM:<alice@a.example> SIZE=100\r\n");
    server("250 2.1.0 Ok\r\n");
    client("RCPT TO:<bob@b.example>\r\n");
    server("250 2.1.5 Ok\r\n");
    client("rcpt to: <carol@b.example>\r\n");
    server("250 2.1.5 Ok\r\n");
  }
  void data(std::string_view message) {
    client("DATA\r\n");
    server("354 go ahead\r\n");
    client(message);
    client("\r\n.\r\n");
    server("250 queued\r\n");
  }
};

TEST_F(SmtpParserTest, OneMailHasItsEnvelopeAndHeaderFields) {
  greet();
  envelope();
  data(
      "From: \"Alice\" <alice@a.example>\r\nTo: bob@b.example,\r\n\tcarol@b.example\r\n"
      "Subject: =?utf-8?Q?hello?=\r\nReceived: one\r\nReceived: two\r\nX-Mailer: pine\r\n"
      "\r\nsee http://x.example/a and https://y.example/b.\r\n..dot");
  ASSERT_EQ(parser_->transactions().size(), 1U);
  EXPECT_TRUE(mail(0).complete());
  EXPECT_TRUE(mail(0).events.none());
  EXPECT_EQ(buffer(0, BufferId::SmtpHelo), "client.example");
  EXPECT_EQ(buffer(0, BufferId::SmtpMailFrom), "<alice@a.example>");
  EXPECT_EQ(buffer(0, BufferId::SmtpRcptTo, 0), "<bob@b.example>");
  EXPECT_EQ(buffer(0, BufferId::SmtpRcptTo, 1), "<carol@b.example>");
  EXPECT_EQ(mail(0).buffer(BufferId::SmtpRcptTo, Direction::ToServer, 2).state,
            BufferState::Absent);
  EXPECT_EQ(buffer(0, BufferId::EmailFrom), "\"Alice\" <alice@a.example>");
  EXPECT_EQ(buffer(0, BufferId::EmailSubject), "=?utf-8?Q?hello?=");
  EXPECT_EQ(buffer(0, BufferId::EmailReceived, 1), "two");
  EXPECT_EQ(buffer(0, BufferId::EmailXMailer), "pine");
  EXPECT_EQ(buffer(0, BufferId::EmailUrl, 0), "x.example/a");
  EXPECT_EQ(buffer(0, BufferId::EmailUrl, 1), "y.example/b.");
  const EmailSummary email = mail(0).email();
  EXPECT_EQ(email.status, "PARSE_DONE");
  EXPECT_EQ(email.to, (std::vector<std::string>{"bob@b.example", "carol@b.example"}));
  EXPECT_TRUE(mail(0).files().empty());
}

TEST_F(SmtpParserTest, AnAttachmentIsAFileOverAnySegmentation) {
  for (const size_t piece : {1UL, 2UL, 3UL, 7UL, 64UL, 4096UL}) {
    piece_ = piece;
    parser_ = make_smtp_parser(demands_);
    greet();
    envelope();
    data(
        "Subject: x\r\nContent-Type: multipart/mixed; boundary=\"b1\"\r\n\r\npreamble\r\n"
        "--b1\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
        "--b1\r\nContent-Type: application/zip; name=\"a.zip\"\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8g\r\nd29ybGQ=\r\n--b1--\r\nepilogue");
    ASSERT_EQ(mail(0).files().size(), 1U) << piece;
    const TransferredFile& file = mail(0).files()[0];
    EXPECT_EQ(file.name, "a.zip");
    EXPECT_TRUE(file.complete);
    EXPECT_FALSE(file.truncated);
    EXPECT_EQ(std::string(file.window.begin(), file.window.end()), "hello world");
    EXPECT_EQ(file.size, 11U);
    EXPECT_EQ(file.md5.size(), 16U);
    EXPECT_EQ(buffer(0, BufferId::FileName), "a.zip");
    EXPECT_EQ(mail(0).email().attachments, std::vector<std::string>{"a.zip"});
    EXPECT_TRUE(mail(0).events.none()) << mail(0).events;
  }
}

TEST_F(SmtpParserTest, EachMailOfASessionIsATransaction) {
  greet();
  envelope();
  data("Subject: 1\r\n\r\na");
  client("RSET\r\n");
  server("250 ok\r\n");
  EXPECT_EQ(parser_->transactions().size(), 1U);
  envelope();
  data("Subject: 2\r\n\r\nb");
  client("QUIT\r\n");
  server("221 bye\r\n");
  ASSERT_EQ(parser_->transactions().size(), 2U);
  EXPECT_EQ(buffer(1, BufferId::EmailSubject), "2");
  EXPECT_EQ(buffer(1, BufferId::SmtpHelo), "client.example");
  EXPECT_TRUE(mail(1).complete());
  EXPECT_TRUE(mail(0).events.none() && mail(1).events.none());
}

TEST_F(SmtpParserTest, ChunksAreCountedAndBelongToTheMessage) {
  for (const size_t piece : {1UL, 5UL, 4096UL}) {
    piece_ = piece;
    parser_ = make_smtp_parser(demands_);
    server("220 mx\r\n");
    client("EHLO c\r\n");
    server("250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
    client(
        "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 14\r\nSubject: h\r\n\r\nBDAT 15 LAST\r\n"
        "http://u.x/y z\n");
    server("250 ok\r\n250 ok\r\n250 ok\r\n250 queued\r\n");
    client("RSET\r\n");
    server("250 ok\r\n");
    ASSERT_EQ(parser_->transactions().size(), 1U);
    EXPECT_EQ(buffer(0, BufferId::EmailSubject), "h");
    EXPECT_EQ(buffer(0, BufferId::EmailUrl), "u.x/y");
    EXPECT_TRUE(mail(0).events.none());
    EXPECT_TRUE(mail(0).complete());
  }
}

TEST_F(SmtpParserTest, BytesBeyondAChunkAreNoCommand) {
  greet();
  envelope();
  client("BDAT 3 LAST\r\nmore than three\r\n");
  EXPECT_TRUE(raised(0, SmtpEvent::BdatChunkLenExceeded));
}

TEST_F(SmtpParserTest, StartTlsHandsOverOnlyWhenTheServerAgrees) {
  greet();
  client("STARTTLS\r\n");
  EXPECT_EQ(server("454 not now\r\n"), ParseOutcome::Going);
  EXPECT_TRUE(raised(0, SmtpEvent::TlsRejected));
  client("STARTTLS\r\n");
  EXPECT_EQ(server("220 go ahead\r\n"), ParseOutcome::Changed);
  EXPECT_EQ(parser_->next_protocol(), ApplicationProtocol::Tls);
  EXPECT_TRUE(mail(0).complete());
}

TEST_F(SmtpParserTest, ARefusedDataIsFollowedByCommands) {
  greet();
  envelope();
  client("DATA\r\n");
  server("554 no\r\n");
  EXPECT_TRUE(raised(0, SmtpEvent::DataCommandRejected));
  EXPECT_TRUE(mail(0).complete());
  envelope();
  ASSERT_EQ(parser_->transactions().size(), 2U);
  EXPECT_EQ(buffer(1, BufferId::SmtpMailFrom), "<alice@a.example>");
}

// A mail sent without waiting for 354 is a mail all the same.
TEST_F(SmtpParserTest, AMailBeforeTheServersConsentIsInspected) {
  greet();
  envelope();
  client("DATA\r\nSubject: early\r\n\r\nx\r\n.\r\n");
  EXPECT_EQ(buffer(0, BufferId::EmailSubject), "early");
  EXPECT_TRUE(raised(0, SmtpEvent::InvalidPipelinedSequence));
  server("354 go\r\n250 queued\r\n");
  EXPECT_TRUE(mail(0).complete());
}

TEST_F(SmtpParserTest, AClientAloneIsUnderstood) {
  client("HELO a\r\nMAIL FROM:<x@y>\r\nDATA\r\nSubject: s\r\n\r\nb\r\n.\r\nQUIT\r\n");
  EXPECT_EQ(buffer(0, BufferId::EmailSubject), "s");
  EXPECT_TRUE(raised(0, SmtpEvent::NoServerWelcomeMessage));
  EXPECT_FALSE(raised(0, SmtpEvent::InvalidPipelinedSequence));
}

TEST_F(SmtpParserTest, OddRepliesAndLinesRaiseEvents) {
  greet();
  server("2\r\n");
  EXPECT_TRUE(raised(0, SmtpEvent::InvalidReply));
  client("EHLO again\r\n");
  EXPECT_TRUE(raised(0, SmtpEvent::DuplicateFields));
  client("NOOP " + std::string(5000, 'x') + "\r\n");
  EXPECT_TRUE(raised(0, SmtpEvent::TruncatedLine));
  EXPECT_FALSE(raised(0, SmtpEvent::MaxCommandLineLenExceeded));
  client("NOOP " + std::string(70000, 'x') + "\r\n");
  EXPECT_TRUE(raised(0, SmtpEvent::MaxCommandLineLenExceeded));
}

TEST_F(SmtpParserTest, BoundsHold) {
  greet();
  client("MAIL FROM:<a@b>\r\n");
  for (size_t i = 0; i < 2 * kMaximumRecipients; ++i) {
    client("RCPT TO:<x@y>\r\n");
    server("250 ok\r\n");
  }
  EXPECT_EQ(mail(0).rcpt_to.size(), kMaximumRecipients);
  ParseOutcome outcome = ParseOutcome::Going;
  for (size_t i = 0; i < 20000 && outcome == ParseOutcome::Going; ++i) {
    outcome = client("NOOP\r\n");
  }
  EXPECT_EQ(outcome, ParseOutcome::Failed);
}

TEST_F(SmtpParserTest, TheEndOfTheFlowEndsTheMail) {
  greet();
  envelope();
  client("DATA\r\n");
  server("354 go\r\n");
  client("Content-Type: application/x; name=a\r\n\r\nhalf");
  parser_->on_end(Direction::ToServer);
  parser_->on_end(Direction::ToClient);
  parser_->on_end(Direction::ToClient);
  EXPECT_TRUE(mail(0).complete());
  ASSERT_EQ(mail(0).files().size(), 1U);
  EXPECT_TRUE(mail(0).files()[0].truncated);
  EXPECT_EQ(mail(0).email().status, "PARSE_ERROR");
}

TEST_F(SmtpParserTest, ALossInsideOfAMailBreaksOnlyThatMail) {
  greet();
  envelope();
  client("DATA\r\n");
  server("354 go\r\n");
  client("Subject: a\r\n\r\nhalf");
  EXPECT_EQ(parser_->on_gap(Direction::ToServer, 100), ParseOutcome::Going);
  client("rest\r\n.\r\n");
  server("250 ok\r\n");
  EXPECT_TRUE(mail(0).complete());
  EXPECT_TRUE(raised(0, SmtpEvent::MimeParseFailed));
  envelope();
  EXPECT_EQ(parser_->transactions().size(), 2U);
}

}  // namespace
}  // namespace masugata::ids
