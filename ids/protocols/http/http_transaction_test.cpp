// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/http_transaction.h"

#include <gtest/gtest.h>

#include "ids/protocols/http/http_test_flow.h"

namespace masugata::ids {
namespace {

constexpr std::string_view kRequest =
    "GET /a/../b//c.html?q=%41+b HTTP/1.1\r\nHost: WWW.Example.com:8080\r\n"
    "User-Agent: curl/8\r\nCookie: a=1\r\nAccept: */*\r\nReferer: http://r/\r\n\r\n";
constexpr std::string_view kResponse =
    "HTTP/1.1 404 Not Here\r\nServer: nginx\r\nSet-Cookie: s=2\r\nContent-Type: text/plain\r\n"
    "Content-Length: 5\r\nLocation: /x\r\n\r\nhello";

TEST(HttpTransaction, ShowsTheRequestToRules) {
  HttpTestFlow flow;
  flow.up(kRequest);
  ASSERT_EQ(flow.count(), 1U);
  EXPECT_EQ(flow.text(BufferId::HttpUri), "/b/c.html?q=A+b");
  EXPECT_EQ(flow.text(BufferId::HttpUriRaw), "/a/../b//c.html?q=%41+b");
  EXPECT_EQ(flow.text(BufferId::HttpMethod), "GET");
  EXPECT_EQ(flow.text(BufferId::HttpRequestLine), "GET /a/../b//c.html?q=%41+b HTTP/1.1");
  EXPECT_EQ(flow.text(BufferId::HttpProtocol), "HTTP/1.1");
  EXPECT_EQ(flow.text(BufferId::HttpHost), "www.example.com");
  EXPECT_EQ(flow.text(BufferId::HttpHostRaw), "WWW.Example.com:8080");
  EXPECT_EQ(flow.text(BufferId::HttpUserAgent), "curl/8");
  EXPECT_EQ(flow.text(BufferId::HttpCookie), "a=1");
  EXPECT_EQ(flow.text(BufferId::HttpAccept), "*/*");
  EXPECT_EQ(flow.text(BufferId::HttpReferer), "http://r/");
  EXPECT_EQ(flow.text(BufferId::HttpAcceptLanguage), "<absent>");
  EXPECT_EQ(flow.text(BufferId::HttpHeader),
            "Host: WWW.Example.com:8080\r\nUser-Agent: curl/8\r\nAccept: */*\r\n"
            "Referer: http://r/\r\n");
  EXPECT_EQ(flow.text(BufferId::HttpHeaderRaw), kRequest.substr(kRequest.find("Host")));
  EXPECT_EQ(flow.text(BufferId::HttpHeaderNames),
            "\r\nHost\r\nUser-Agent\r\nCookie\r\nAccept\r\nReferer\r\n\r\n");
  EXPECT_TRUE(
      flow.text(BufferId::HttpStart).starts_with("GET /a/../b//c.html?q=%41+b HTTP/1.1\r\nHost"));
  EXPECT_TRUE(flow.text(BufferId::HttpStart).ends_with("Referer: http://r/\r\n\r\n"));
  EXPECT_EQ(flow.text(BufferId::HttpRequestHeader, kUp, 1), "User-Agent: curl/8");
  EXPECT_EQ(flow.text(BufferId::HttpRequestHeader, kUp, 5), "<absent>");
  EXPECT_EQ(flow.text(BufferId::HttpRequestBody), "<absent>");
  EXPECT_TRUE(flow.transaction().finished[index_of(kUp)]);
  EXPECT_FALSE(flow.transaction().complete());
}

TEST(HttpTransaction, ShowsTheResponseToRules) {
  HttpTestFlow flow;
  flow.up(kRequest);
  EXPECT_EQ(flow.text(BufferId::HttpStatusCode, kDown), "<not yet>");
  flow.down(kResponse);
  EXPECT_EQ(flow.text(BufferId::HttpStatusCode, kDown), "404");
  EXPECT_EQ(flow.text(BufferId::HttpStatusMessage, kDown), "Not Here");
  EXPECT_EQ(flow.text(BufferId::HttpResponseLine, kDown), "HTTP/1.1 404 Not Here");
  EXPECT_EQ(flow.text(BufferId::HttpServer, kDown), "nginx");
  EXPECT_EQ(flow.text(BufferId::HttpLocation, kDown), "/x");
  EXPECT_EQ(flow.text(BufferId::HttpCookie, kDown), "s=2");
  EXPECT_EQ(flow.text(BufferId::HttpContentType, kDown), "text/plain");
  EXPECT_EQ(flow.text(BufferId::HttpContentLength, kDown), "5");
  EXPECT_EQ(flow.text(BufferId::HttpHeader, kDown),
            "Server: nginx\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nLocation: /x\r\n");
  EXPECT_EQ(flow.text(BufferId::HttpResponseHeader, kDown, 0), "Server: nginx");
  EXPECT_EQ(flow.text(BufferId::HttpResponseBody, kDown), "hello");
  EXPECT_EQ(flow.text(BufferId::FileData, kDown), "hello");
  EXPECT_EQ(flow.text(BufferId::FileName, kDown), "/b/c.html");
  uint64_t status = 0;
  EXPECT_TRUE(flow.transaction().number(NumberField::HttpStatus, kDown, status));
  EXPECT_EQ(status, 404U);
  EXPECT_TRUE(flow.transaction().complete());
  EXPECT_EQ(flow.transaction().body_length(kDown), 5U);
}

TEST(HttpTransaction, IsTheSameInWhateverPiecesItComes) {
  HttpTestFlow whole;
  whole.up(kRequest);
  whole.down(kResponse);
  for (const size_t piece : {1U, 2U, 7U}) {
    HttpTestFlow pieces;
    pieces.send(kUp, kRequest, piece);
    pieces.send(kDown, kResponse, piece);
    for (size_t i = 0; i < kBufferCount; ++i) {
      for (const Direction direction : {kUp, kDown}) {
        const auto id = static_cast<BufferId>(i);
        EXPECT_EQ(pieces.text(id, direction), whole.text(id, direction)) << piece << " " << i;
      }
    }
    EXPECT_TRUE(pieces.transaction().complete());
  }
}

TEST(HttpTransaction, TellsHowFarItIs) {
  HttpTestFlow flow;
  flow.up("GET / HT");
  EXPECT_EQ(flow.text(BufferId::HttpUri), "<not yet>");
  flow.up("TP/1.1\r\nHost: a\r\n");
  EXPECT_EQ(flow.transaction().progress[0], static_cast<uint8_t>(HttpProgress::Headers));
  EXPECT_EQ(flow.text(BufferId::HttpUri), "/");
  EXPECT_EQ(flow.text(BufferId::HttpHost), "<not yet>");
  EXPECT_EQ(flow.text(BufferId::HttpHeader), "<not yet>");
  const uint32_t version = flow.transaction().version[0];
  flow.up("\r\n");
  EXPECT_NE(flow.transaction().version[0], version);
  EXPECT_EQ(flow.text(BufferId::HttpHost), "a");
  EXPECT_EQ(flow.transaction().progress[0], static_cast<uint8_t>(HttpProgress::Complete));
}

struct UriCase {
  std::string_view raw;
  std::string_view normalised;
};
class HttpUri : public testing::TestWithParam<UriCase> {};
TEST_P(HttpUri, IsNormalised) {
  HttpTestFlow flow;
  flow.up("GET " + std::string{GetParam().raw} + " HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(flow.text(BufferId::HttpUri), GetParam().normalised);
  EXPECT_EQ(flow.text(BufferId::HttpUriRaw), GetParam().raw);
}
INSTANTIATE_TEST_SUITE_P(Cases, HttpUri,
                         testing::Values(UriCase{"/Mixed/Case", "/Mixed/Case"},
                                         UriCase{"/a%20b", "/a b"}, UriCase{"/%2e%2e/x", "/x"},
                                         UriCase{"/a/./b", "/a/b"}, UriCase{"/a\\b", "/a/b"},
                                         UriCase{"/a%2fb", "/a/b"}, UriCase{"///a///b", "/a/b"},
                                         UriCase{"/%u0041", "/A"}, UriCase{"/%zz", "/%zz"},
                                         UriCase{"/p?a=%2e%2e/+x", "/p?a=../+x"},
                                         UriCase{"/p?", "/p?"}, UriCase{"/p#f", "/p#f"},
                                         UriCase{"http://Host/p?q", "/p?q"},
                                         UriCase{"/a%2541", "/a%41"}));

TEST(HttpTransaction, TakesTheHostFromAnAbsoluteUri) {
  HttpTestFlow flow;
  flow.up("GET http://UP.example:81/p HTTP/1.1\r\nHost: other\r\n\r\n");
  EXPECT_EQ(flow.text(BufferId::HttpHost), "up.example");
  EXPECT_TRUE(flow.has(HttpEvent::HostHeaderAmbiguous));
}

TEST(HttpTransaction, UnfoldsHeadersAndJoinsRepeatedOnes) {
  HttpTestFlow flow;
  flow.up("GET / HTTP/1.1\r\nHost: a\r\nX-F: one\r\n two\r\nY: 1\r\nY: 2\r\n\r\n");
  EXPECT_EQ(flow.text(BufferId::HttpHeader), "Host: a\r\nX-F: one two\r\nY: 1, 2\r\n");
  EXPECT_EQ(flow.text(BufferId::HttpHeaderNames), "\r\nHost\r\nX-F\r\nY\r\n\r\n");
}

TEST(HttpTransaction, RaisesEvents) {
  HttpTestFlow flow;
  flow.up("GET\t/ HTTP/1.1\r\nno colon\r\nAuthorization: Turbo x\r\n\r\n");
  EXPECT_TRUE(flow.has(HttpEvent::MissingHostHeader));
  EXPECT_TRUE(flow.has(HttpEvent::RequestFieldMissingColon));
  EXPECT_TRUE(flow.has(HttpEvent::RequestAuthUnrecognized));
  EXPECT_TRUE(flow.has(HttpEvent::MethodDelimiterNonCompliant));
  EXPECT_FALSE(flow.has(HttpEvent::UnknownError));
}

TEST(HttpTransaction, KnowsBearerAuthorization) {
  HttpTestFlow flow;
  flow.up("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n");
  EXPECT_FALSE(flow.has(HttpEvent::RequestAuthUnrecognized));
}

TEST(HttpTransaction, ReadsHeadersWithoutAProtocol) {
  HttpTestFlow flow;
  flow.up("GET /\nNoColon\nHost: a\nUser-Agent: script\n\n");
  EXPECT_TRUE(flow.has(HttpEvent::RequestLineMissingProtocol));
  EXPECT_EQ(flow.text(BufferId::HttpUserAgent), "script");
}

TEST(HttpTransaction, ReadsHttp09) {
  HttpTestFlow flow;
  flow.up("GET /x\r\n");
  flow.down("plain text");
  flow.end();
  EXPECT_EQ(flow.text(BufferId::HttpUri), "/x");
  EXPECT_EQ(flow.text(BufferId::HttpProtocol), "<absent>");
  EXPECT_EQ(flow.text(BufferId::FileData, kDown), "plain text");
  EXPECT_FALSE(flow.has(HttpEvent::RequestLineMissingProtocol));
}

TEST(HttpTransaction, ForgetsTheInterimResponse) {
  HttpTestFlow flow;
  flow.up("POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  flow.down("HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n");
  flow.up("ab");
  flow.down("HTTP/1.1 200 OK\r\nX-Final: 1\r\nContent-Length: 0\r\n\r\n");
  ASSERT_EQ(flow.count(), 1U);
  EXPECT_EQ(flow.text(BufferId::HttpStatusCode, kDown), "200");
  EXPECT_EQ(flow.text(BufferId::HttpHeaderRaw, kDown), "X-Final: 1\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(flow.text(BufferId::HttpHeader, kDown), "X-Final: 1\r\nContent-Length: 0\r\n");
  EXPECT_TRUE(flow.transaction().complete());
}

TEST(HttpTransaction, ShowsTrailersToo) {
  HttpTestFlow flow;
  flow.up("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  flow.down("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n");
  EXPECT_EQ(flow.text(BufferId::HttpHeader, kDown), "Transfer-Encoding: chunked\r\n");
  flow.down("X-Late: 1\r\n\r\n");
  EXPECT_EQ(flow.text(BufferId::HttpHeader, kDown), "Transfer-Encoding: chunked\r\nX-Late: 1\r\n");
  EXPECT_TRUE(flow.transaction().complete());
}

TEST(HttpTransaction, ShowsHeadersThatTheEndCutOff) {
  HttpTestFlow flow;
  flow.up("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  flow.down("HTTP/1.0 200 OK\r\nServer: ng1nx\r\n");
  EXPECT_EQ(flow.text(BufferId::HttpServer, kDown), "<not yet>");
  flow.parser().on_end(kDown);
  EXPECT_EQ(flow.text(BufferId::HttpServer, kDown), "ng1nx");
  EXPECT_FALSE(flow.has(HttpEvent::UnknownError));
}

TEST(HttpTransaction, CountsWhatLibhtpKeepsOfHeaders) {
  HttpTestFlow flow;
  flow.up("GET / HTTP/1.1\r\nHost: a\r\n");
  const size_t before = flow.transaction().memory_bytes();
  const std::string header = "X-Filler: " + std::string(10'000, 'x') + "\r\n";
  for (int i = 0; i < 100; ++i) {
    flow.up(header);
  }
  EXPECT_GE(flow.transaction().memory_bytes(), before + 100 * header.size());
}

TEST(HttpTransaction, BoundsRawHeaders) {
  HttpTestFlow flow;
  std::string request = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 500; ++i) {
    request += "X" + std::to_string(i) + ": " + std::string(200, 'v') + "\r\n";
  }
  flow.send(kUp, request + "\r\n", 1400);
  EXPECT_EQ(flow.text(BufferId::HttpHeaderRaw).size(), kMaximumRawHeaderBytes);
  EXPECT_TRUE(flow.text(BufferId::HttpHeader).ends_with("v\r\n"));
}

}  // namespace
}  // namespace masugata::ids
