// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/doubtful_headers.h"

#include <gtest/gtest.h>

#include <string>

#include "ids/protocols/content_conversation.h"
#include "ids/protocols/http/http_parser.h"

namespace masugata::ids {
namespace {

TEST(DoubtfulHeaders, AreThoseThatProgramsReadDifferently) {
  for (const std::string text :
       {"Content-Length:\r\n 2\r\n", "A: b\r\ncontent-length: 2\r\n\t0\r\n",
        "Transfer-Encoding: chunked\r\n x\r\n", "TRANSFER-ENCODING:\n chunked\n",
        "Content-Encoding: gzip\r\n \r\n", "Content-Range: bytes\r\n 0-1/2\r\n",
        "Transfer-Encoding : chunked\r\n", "Transfer-Encoding\x0b: chunked\r\n",
        " Content-Length: 2\r\n", "A: b\r\n Transfer-Encoding: chunked\r\n",
        "Content-Type: multipart/form-data;\r\n boundary=x\r\n",
        "Content-Type:\r\n Multipart/mixed; boundary=x\r\n", "Content-Type : a/b\r\n",
        "A: b\rContent-Length: 2\r\n", "\n\rA: b\r\n", "A: b\r\n\r\nB: c\r\n",
        "\x01"
        "Content-Length: 2\r\n"}) {
    EXPECT_TRUE(are_headers_doubtful(text)) << text;
  }
  EXPECT_TRUE(are_headers_doubtful(std::string_view{"Content-Length: 2\0003\r\n", 21}));
}

TEST(DoubtfulHeaders, AreNotTheOthers) {
  for (const std::string text :
       {"", "\r\n", "Content-Length: 2\r\nTransfer-Encoding:\tchunked\r\n\r\n",
        "Content-Length:2\nContent-Encoding: gzip \n", "X: a\r\n b\r\nContent-Length: 2\r\n\r\n",
        "Content-Type: text/plain;\r\n charset=x\r\n", "X : a\r\n", "X: a\r\r\n",
        "Content-Length: 2\r\nX: a\r\n b: c\r\n", "no colon\r\nContent-Length: 2\r\n",
        "Content-Length-X : 2\r\n y\r\n"}) {
    EXPECT_FALSE(are_headers_doubtful(text)) << text;
  }
}

ContentRecorder told_of(const std::string& request, const std::string& response) {
  return ContentConversation{make_http_parser, {client_says(request), server_says(response)}}.told(
      false);
}

const std::string kGet = "GET /f HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kChunks = "2\r\nab\r\n0\r\n\r\n";

// Nothing is told of their bodies, however the packets are cut: told() compares.
TEST(DoubtfulHeaders, EndWhatIsReadOfAFlow) {
  for (const std::string headers :
       {"Content-Length: 2\r\n 0\r\n\r\nab", "Transfer-Encoding:\r\n chunked\r\n\r\n",
        "Transfer-Encoding: chunked\r\n x\r\n\r\n", "Transfer-Encoding : chunked\r\n\r\n",
        "Content-Encoding:\r\n gzip\r\nContent-Length: 2\r\n\r\n",
        "X: a\r\n Transfer-Encoding: chunked\r\n\r\n"}) {
    EXPECT_TRUE(told_of(kGet, "HTTP/1.1 200 OK\r\n" + headers + kChunks).contents.empty())
        << headers;
    EXPECT_TRUE(told_of("PUT /f HTTP/1.1\r\nHost: h\r\n" + headers + kChunks, "").contents.empty())
        << headers;
  }
  EXPECT_EQ(
      told_of(kGet, "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nab").contents.size(),
      1U);
}

// libhtp takes the body's beginning for more of the header when it comes in the same packet.
TEST(DoubtfulHeaders, AreThoseThatGoOnBehindTheirEnd) {
  const ParserDemands demands;
  const auto parser = make_http_parser(demands);
  ContentRecorder told;
  parser->set_content_receiver(&told);
  const auto say = [&](Direction direction, std::string_view text) {
    return parser->on_data(direction, {reinterpret_cast<const uint8_t*>(text.data()), text.size()},
                           0);
  };
  EXPECT_EQ(say(Direction::ToServer, kGet), ParseOutcome::Going);
  EXPECT_EQ(say(Direction::ToClient, "HTTP/1.1 200 OK\n\n\r \r:X ~\r\nA: b\r\n\r\nhello"),
            ParseOutcome::Failed);
  EXPECT_TRUE(told.contents.empty());
}

// curl and wget read chunks of HTTP/1.0, too, whatever the length says.
TEST(DoubtfulHeaders, AreNotChunksOfAnOldProtocol) {
  for (const std::string length : {"", "Content-Length: 12\r\n"}) {
    const ContentRecorder told = told_of(
        kGet, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n" + length + "\r\n" + kChunks);
    ASSERT_EQ(told.contents.size(), 1U);
    EXPECT_EQ(told.contents[0].bytes, "ab");
    EXPECT_EQ(told.contents[0].end, ContentEnd::Whole);
  }
}

}  // namespace
}  // namespace masugata::ids
