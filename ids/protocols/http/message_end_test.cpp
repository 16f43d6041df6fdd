// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/message_end.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ids/protocols/content_conversation.h"
#include "ids/protocols/http/http_parser.h"

namespace masugata::ids {
namespace {

constexpr std::string_view kGet = "GET /f HTTP/1.1\r\nHost: h\r\n\r\n";

std::string page(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string{body};
}

// A flow whose contents are received. Each text comes in memory of its own, as packets do.
class MessageEnds : public testing::Test {
 protected:
  MessageEnds() : parser_(make_http_parser(demands_)) { parser_->set_content_receiver(&told_); }
  ParseOutcome say(Direction direction, std::string_view text) {
    const std::vector<uint8_t> packet(text.begin(), text.end());
    return parser_->on_data(direction, packet, 0);
  }
  ParseOutcome up(std::string_view text) { return say(Direction::ToServer, text); }
  ParseOutcome down(std::string_view text) { return say(Direction::ToClient, text); }
  [[nodiscard]] std::string bodies() const {
    std::string all;
    for (const ContentRecorder::Content& content : told_.contents) {
      all += content.bytes;
      all += !content.ended ? "... " : content.end == ContentEnd::Whole ? ". " : "! ";
    }
    return all;
  }

  ParserDemands demands_;
  std::unique_ptr<ProtocolParser> parser_;
  ContentRecorder told_;
};

struct Behind {
  std::string message;
  std::vector<std::string> texts;  // the first one in the packet of the message
  std::string bodies;
  bool unannounced;
};

class BehindAResponse : public MessageEnds, public testing::WithParamInterface<Behind> {};
TEST_P(BehindAResponse, StandsNothingOfItsBody) {
  ASSERT_EQ(up(kGet), ParseOutcome::Going);
  ASSERT_EQ(up(kGet), ParseOutcome::Going);
  std::string text = GetParam().message;
  ParseOutcome outcome = ParseOutcome::Going;
  for (const std::string& behind : GetParam().texts) {
    ASSERT_EQ(outcome, ParseOutcome::Going);
    outcome = down(text + behind);
    text.clear();
  }
  EXPECT_EQ(outcome == ParseOutcome::Failed, GetParam().unannounced);
  EXPECT_EQ(bodies(), GetParam().bodies);
  EXPECT_EQ(told_.unannounced_in.size(), GetParam().unannounced ? 1U : 0U);
}

TEST_P(BehindAResponse, IsToldAlikeInAllPieces) {
  std::string text = GetParam().message;
  for (const std::string& behind : GetParam().texts) text += behind;
  for (const bool closes : {true, false}) {
    const std::string requests = std::string{kGet} + std::string{kGet};
    const ContentConversation conversation{make_http_parser,
                                           {client_says(requests), server_says(text)}};
    EXPECT_EQ(conversation.told(closes).unannounced_in.empty(), !GetParam().unannounced) << text;
    (void)ContentConversation{make_http_parser, {client_says(kGet), server_says(text)}}.told(
        closes);
  }
}

const std::string kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
const std::string kNoBody = "HTTP/1.1 204 No\r\n\r\n";
INSTANTIATE_TEST_SUITE_P(
    Cases, BehindAResponse,
    testing::Values(
        // Lines, and what has no end of line.
        Behind{page("ab"), {"MZ"}, "ab. ", true}, Behind{page("ab"), {"MZ\r\n"}, "ab. ", true},
        Behind{page("ab"), {"MZ\r\nmore"}, "ab. ", true},
        Behind{page("ab"), {"\r\nMZ"}, "ab. ", true}, Behind{page("ab"), {" MZ"}, "ab. ", true},
        Behind{page("ab\n"), {"MZ"}, "ab\n. ", true}, Behind{page(""), {"MZ"}, "", true},
        Behind{page(""), {"MZ\r\n"}, "", true},
        // Not at once to be told from another response.
        Behind{page("ab"), {"HT", "ML"}, "ab. ", true},
        Behind{page("ab"), {"H", "T", "M\r\n"}, "ab. ", true},
        Behind{page("ab"), {"\r", "\nMZ"}, "ab. ", true},
        Behind{page("ab"), {"", "MZ"}, "ab. ", true},
        Behind{page("ab"), {"", "\r\n", "MZ"}, "ab. ", true},
        // Bodies of other kinds.
        Behind{kChunked, {"MZ"}, "ab. ", true}, Behind{kChunked, {"MZ\n"}, "ab. ", true},
        Behind{kNoBody, {"MZ"}, "", true}, Behind{kNoBody, {"MZ\n"}, "", true},
        // Another response, or nothing.
        Behind{page("ab"), {page("cd")}, "ab. cd. ", false},
        Behind{page("ab"), {"\r\n" + page("cd")}, "ab. cd. ", false},
        Behind{page("ab"), {"HT", page("cd").substr(2)}, "ab. cd. ", false},
        Behind{page("ab"), {"\r", "\n" + page("cd")}, "ab. cd. ", false},
        Behind{kChunked, {page("cd")}, "ab. cd. ", false},
        Behind{kChunked, {"H", page("cd").substr(1)}, "ab. cd. ", false},
        Behind{kNoBody, {page("cd")}, "cd. ", false}, Behind{page("ab"), {"\r\n"}, "ab. ", false},
        Behind{page("ab"), {page("cd") + "\r", "\n"}, "ab. cd. ", false}));

TEST_F(MessageEnds, TellWhatStandsBehindWithoutAnotherRequest) {
  for (const std::string behind : {"MZ", "HTMZ\n", "\r\nMZ"}) {
    const auto parser = make_http_parser(demands_);
    ContentRecorder told;
    parser->set_content_receiver(&told);
    const auto say = [&](Direction direction, std::string_view text) {
      return parser->on_data(direction,
                             {reinterpret_cast<const uint8_t*>(text.data()), text.size()}, 0);
    };
    say(Direction::ToServer, kGet);
    say(Direction::ToClient, page("ab"));
    EXPECT_EQ(say(Direction::ToClient, behind), ParseOutcome::Failed) << behind;
    EXPECT_EQ(told.unannounced_in, std::vector{Direction::ToClient}) << behind;
  }
}

// Some would read a body where others see the trailer, or another length.
TEST_F(MessageEnds, AreNotKnownOfWhatProgramsReadDifferently) {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string lengths = "HTTP/1.1 200 OK\r\nContent-Length: ";
  for (const std::string& text :
       {head + "0x2\r\nab\r\n0\r\n\r\n", head + "2\r\nabcd\r\n0\r\n\r\n",
        head + "0x2\r\nab\r\n0\r\n\r\n" + page("cd"), kChunked + head + "+2\r\nab\r\n0\r\n\r\n",
        lengths + "2\r\nContent-Length: 4\r\n\r\nabcd", lengths + "2, 4\r\n\r\nabcd",
        lengths + "+2\r\n\r\nab", lengths + "2x\r\n\r\nab"}) {
    for (const size_t piece : {size_t{1000}, size_t{1}}) {
      const auto parser = make_http_parser(demands_);
      ContentRecorder told;
      parser->set_content_receiver(&told);
      ParseOutcome outcome = ParseOutcome::Going;
      const auto say = [&](Direction direction, std::string_view bytes) {
        outcome = parser->on_data(
            direction, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, 0);
      };
      say(Direction::ToServer, kGet);
      say(Direction::ToServer, kGet);
      for (size_t at = 0; at < text.size() && outcome == ParseOutcome::Going; at += piece) {
        say(Direction::ToClient, std::string_view{text}.substr(at, piece));
      }
      EXPECT_EQ(outcome, ParseOutcome::Failed) << text;
    }
  }
  EXPECT_EQ(up("PUT /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\nab\r\n"),
            ParseOutcome::Failed);
}

TEST_F(MessageEnds, LetAServerSayThatItCloses) {
  up(kGet);
  down(page("ab"));
  EXPECT_EQ(down("HTTP/1.1 408 Request Timeout\r\nContent-Length: 2\r\n\r\ncd"),
            ParseOutcome::Going);
  EXPECT_EQ(bodies(), "ab. cd. ");
}

TEST_F(MessageEnds, AreNotThoseOfARequestsBody) {
  const std::string put = "PUT /f HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab";
  EXPECT_EQ(up(put + "\r\n" + put), ParseOutcome::Going);
  EXPECT_EQ(up("PUT /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ncd\r\n0\r\n"
               "\r\nMZ\r\n"),
            ParseOutcome::Failed);
  EXPECT_EQ(bodies(), "ab. ab. cd. ");
  EXPECT_EQ(told_.unannounced_in, std::vector{Direction::ToServer});
}

// Clients of HTTP/0.9 take all for the body.
TEST_F(MessageEnds, AreNotKnownOfAResponseWithoutStatusLine) {
  for (const std::string text : {"MZ", "MZ\r\n", "\r\nMZ"}) {
    const auto parser = make_http_parser(demands_);
    ContentRecorder told;
    parser->set_content_receiver(&told);
    const auto say = [&](Direction direction, std::string_view bytes) {
      return parser->on_data(direction,
                             {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, 0);
    };
    say(Direction::ToServer, kGet);
    EXPECT_EQ(say(Direction::ToClient, text), ParseOutcome::Failed) << text;
    EXPECT_EQ(told.unannounced_in, std::vector{Direction::ToClient}) << text;
  }
}

// libhtp reads what follows as its body, or as headers when it comes in the same packet.
TEST_F(MessageEnds, AreNotKnownOfARequestWithoutProtocol) {
  for (const std::string text : {"GET /f\r\n", "PUT /f\r\nContent-Length: 2\r\n\r\nab"}) {
    const ContentRecorder told =
        ContentConversation{make_http_parser, {client_says(text), server_says(page("ab"))}}.told();
    EXPECT_TRUE(told.contents.empty()) << text;
  }
  EXPECT_EQ(up("GET /f\r\nHost: h\r\n\r\n"), ParseOutcome::Failed);
}

// libhtp takes for a body what does not look like a size, if it sees enough of it at once.
TEST_F(MessageEnds, AreThoseOfChunksHoweverTheirSizesCome) {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string size = "5;name=a value that is longer than any size\r\n";
  for (const std::string& text : {head + size + "abcde\r\n0\r\n\r\n", head + size.substr(0, 30)}) {
    const ContentConversation conversation{make_http_parser,
                                           {client_says(kGet), server_says(text)}};
    for (const size_t most : {size_t{1000}, size_t{1}, size_t{3}, size_t{12}}) {
      ContentRecorder told;
      conversation.run(told, most);
      ASSERT_EQ(told.contents.size(), 1U);
      EXPECT_TRUE(std::string_view{"abcde"}.starts_with(told.contents[0].bytes)) << most;
    }
  }
}

// Nothing is told of lines that libhtp keeps until the end of the connection.
TEST_F(MessageEnds, AreToldAlikeWithTheConnections) {
  const ContentRecorder told = ContentConversation{
      make_http_parser,
      {client_says("x" + std::string{kGet} + "abc"),
       server_says(page("ab"))}}.told();
  EXPECT_TRUE(told.unannounced_in.empty());
  EXPECT_EQ(told.contents.size(), 1U);
  const ContentRecorder chunks =
      ContentConversation{make_http_parser,
                          {client_says("aPUT /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                                       "chunked\r\n\r\n1\r\na\r\n0\r\n\r\nPOS")}}
          .told();
  ASSERT_EQ(chunks.contents.size(), 1U);
  EXPECT_EQ(chunks.contents[0].end, ContentEnd::Whole);
}

TEST_F(MessageEnds, AStatusLineMayComeInPieces) {
  up(kGet);
  for (const std::string text : {"H", "TT", "P/1.1 200 OK\r", "\nContent-Length: 2\r\n\r\nab"}) {
    EXPECT_EQ(down(text), ParseOutcome::Going);
  }
  EXPECT_EQ(bodies(), "ab. ");
}

TEST(MessageEnd, NextLinesBeginAsResponsesDo) {
  EXPECT_EQ(kind_of_next_line(""), LineKind::Undecided);
  EXPECT_EQ(kind_of_next_line("\r\nHTT"), LineKind::Undecided);
  EXPECT_EQ(kind_of_next_line("\nHTTP/1"), LineKind::Status);
  EXPECT_EQ(kind_of_next_line("http/1.1"), LineKind::Body);
}

}  // namespace
}  // namespace masugata::ids
