// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/http_contents.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include "ids/protocols/content_conversation.h"
#include "ids/protocols/http/coded_text.h"
#include "ids/protocols/http/http_parser.h"

namespace masugata::ids {
namespace {

constexpr std::string_view kGet =
    "GET http://Files.Example/dir/f.bin?x=1 HTTP/1.1\r\nHost: files.example\r\n"
    "Accept-Language: ja, en\r\n\r\n";

// Deflated, then a block of a type that there is not.
std::string broken_gzip(std::string_view text) {
  return deflate_text(text, kGzipWindow, nullptr, Z_FULL_FLUSH) + "\xff\xff and more";
}
std::string zstd_text(std::string_view text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3));
  return packed;
}

std::string varied_text(size_t size) {
  std::string text;
  for (uint32_t i = 0; text.size() < size; ++i) {
    text += "line " + std::to_string(i * 2654435761U) + "\n";
  }
  return text;
}

std::string response(std::string_view headers, std::string_view body, bool with_length = true) {
  return "HTTP/1.1 200 OK\r\n" + std::string{headers} +
         (with_length ? "Content-Length: " + std::to_string(body.size()) + "\r\n" : "") + "\r\n" +
         std::string{body};
}
std::string chunked(std::string_view body, size_t piece) {
  std::string text;
  char size[24];
  while (!body.empty()) {
    const std::string_view part = body.substr(0, piece);
    std::snprintf(size, sizeof(size), "%zx;x=y\r\n", part.size());
    text += size + std::string{part} + "\r\n";
    body.remove_prefix(part.size());
  }
  return text + "0\r\nTrailer: x\r\n\r\n";
}

ContentRecorder told_of(std::vector<SaidTurn> turns, bool closes = true) {
  return ContentConversation{make_http_parser, std::move(turns)}.told(closes);
}

TEST(HttpContents, GivesAResponseWithItsFacts) {
  const ContentRecorder told = told_of(
      {client_says(kGet), server_says(response("Content-Type: image/png\r\n", "MZ body"))}, false);
  ASSERT_EQ(told.contents.size(), 1U);
  const ContentRecorder::Content& content = told.contents[0];
  EXPECT_EQ(content.bytes, "MZ body");
  EXPECT_TRUE(content.ended);  // without the end of the connection
  EXPECT_EQ(content.end, ContentEnd::Whole);
  EXPECT_EQ(content.name, "f.bin");
  EXPECT_EQ(content.host, "files.example");
  EXPECT_EQ(content.location, "/dir/f.bin?x=1");
  EXPECT_EQ(content.media_type, "image/png");
  EXPECT_EQ(content.languages, "ja, en");
  EXPECT_EQ(content.protocol, ApplicationProtocol::Http);
  EXPECT_EQ(content.direction, Direction::ToClient);
  EXPECT_EQ(content.announced_bytes, 7U);
  EXPECT_FALSE(content.range_first);
  EXPECT_TRUE(content.useless_before_end);
  EXPECT_TRUE(content.begins_with_packet);
  EXPECT_FALSE(content.coded);
  EXPECT_EQ(told.requests, std::vector<std::string>{"files.example /dir/f.bin?x=1 ja, en"});
}

TEST(HttpContents, TellsWhetherTheResponseBeganBefore) {
  ContentRecorder recorder;
  ContentConversation{
      make_http_parser,
      {client_says(kGet), server_says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"),
       server_says("\r\nab"), client_says(kGet), server_says("HTTP/1.1 100 Continue\r\n\r\n"),
       server_says(response("", "cd"))}}
      .run(recorder, 4096);
  ASSERT_EQ(recorder.contents.size(), 2U);
  EXPECT_FALSE(recorder.contents[0].begins_with_packet);
  EXPECT_TRUE(recorder.contents[1].begins_with_packet);
  EXPECT_FALSE(recorder.contents[0].first_byte_known);
  EXPECT_TRUE(recorder.contents[1].first_byte_known);
}

TEST(HttpContents, GivesUpWhenBytesStandBehindALengthThatIsTooShort) {
  const std::string page = response("", "cd");
  for (const std::string behind : {"MZ", "\r\nMZ", "H", "HTTP/1.1 200 OK\r\n\r\nMZ", "\r\n"}) {
    const bool passes = behind[0] == 'H' || behind == "\r\n";
    const ParserDemands demands;
    const auto parser = make_http_parser(demands);
    ContentRecorder recorder;
    parser->set_content_receiver(&recorder);
    const auto said = [&](Direction direction, const std::string& text) {
      return parser->on_data(direction,
                             {reinterpret_cast<const uint8_t*>(text.data()), text.size()}, 0);
    };
    ASSERT_EQ(said(Direction::ToServer, std::string{kGet}), ParseOutcome::Going);
    ASSERT_EQ(said(Direction::ToClient, page), ParseOutcome::Going);
    EXPECT_EQ(said(Direction::ToClient, behind),
              passes ? ParseOutcome::Going : ParseOutcome::Failed)
        << behind;
    if (behind == "\r\n" || behind == "H") {
      EXPECT_EQ(said(Direction::ToClient, "MZ"), ParseOutcome::Failed) << behind;
    }
  }
}

TEST(HttpContents, TellsWhetherTheNextResponseIsTheRequestsOwn) {
  const std::string_view put = "PUT /f HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab";
  const ContentRecorder told =
      told_of({client_says(kGet), client_says(put), server_says(response("", "cd")),
               server_says(response("", "ef")), client_says(put)});
  ASSERT_EQ(told.contents.size(), 4U);
  EXPECT_FALSE(told.contents[0].answered_next);
  EXPECT_TRUE(told.contents[3].answered_next);
}

// libhtp takes an interim response other than 100 for the final one.
TEST(HttpContents, GivesWhatFollowsInterimResponses) {
  const ContentRecorder told =
      told_of({client_says(kGet),
               server_says("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + response("", "first")),
               client_says(kGet), server_says(response("", "second"))},
              false);
  ASSERT_EQ(told.contents.size(), 2U);
  EXPECT_EQ(told.contents[0].bytes, "first");
  EXPECT_EQ(told.contents[0].location, "");
  EXPECT_EQ(told.contents[0].end, ContentEnd::Whole);
  EXPECT_EQ(told.contents[1].bytes, "second");
  EXPECT_EQ(told.contents[1].end, ContentEnd::Whole);
}

TEST(HttpContents, UndoesCodings) {
  const std::string text = varied_text(70'000);
  const std::vector<std::pair<std::string, std::string>> cases{
      {"gzip", deflate_text(text)},
      {"deflate", deflate_text(text, kZlibWindow)},
      {"deflate", deflate_text(text, kRawWindow)},
      {"br", brotli_text(text)},
      {"zstd", zstd_text(text)},
      {"zstd", zstd_text(text.substr(0, 100)) + zstd_text(text.substr(100))},
      {"gzip, zstd", zstd_text(deflate_text(text))},
      {"deflate, gzip, br", brotli_text(deflate_text(deflate_text(text, kZlibWindow)))},
      {"identity", text},
      {"gzip", text},  // it is not: receivers take it as it is
      {"zstd", text},
  };
  for (const auto& [coding, packed] : cases) {
    ContentRecorder told;
    const std::string headers = "Content-Encoding: " + coding + "\r\n";
    const ContentConversation conversation{
        make_http_parser, {client_says(kGet), server_says(response(headers, packed))}};
    for (const size_t piece : {size_t{1} << 20U, size_t{1}, size_t{1000}}) {
      told = {};
      conversation.run(told, piece, 0, false);
      ASSERT_EQ(told.contents.size(), 1U) << coding;
      EXPECT_TRUE(told.contents[0].bytes == text) << coding << " by " << piece;
      EXPECT_TRUE(told.contents[0].ended) << coding;
      EXPECT_EQ(told.contents[0].end, ContentEnd::Whole) << coding;
      EXPECT_EQ(told.contents[0].announced_bytes, packed.size());
      EXPECT_FALSE(told.contents[0].coded);
    }
  }
}

TEST(HttpContents, GivesWhatItCannotDecodeAsSent) {
  for (const std::string coding : {"compress", "gzip, compress", "gzip, gzip, gzip, gzip", "dcz"}) {
    const ContentRecorder told =
        told_of({client_says(kGet),
                 server_says(response("Content-Encoding: " + coding + "\r\n", "coded bytes"))});
    ASSERT_EQ(told.contents.size(), 1U);
    EXPECT_TRUE(told.contents[0].coded) << coding;
    EXPECT_EQ(told.contents[0].bytes, "coded bytes") << coding;
    EXPECT_EQ(told.contents[0].end, ContentEnd::Whole);
  }
}

TEST(HttpContents, BreaksWhereDecodingFailsInTheMiddle) {
  const std::string text = varied_text(70'000);
  for (auto& [coding, packed] : std::vector<std::pair<std::string, std::string>>{
           {"gzip", broken_gzip(text)}, {"br", brotli_text(text)}, {"zstd", zstd_text(text)}}) {
    if (coding != "gzip") packed.replace(packed.size() / 2, 200, std::string(200, '\xff'));
    ContentRecorder told;
    ContentConversation{
        make_http_parser,
        {client_says(kGet), server_says(response("Content-Encoding: " + coding + "\r\n", packed)),
         client_says(kGet), server_says(response("", "next"))}}
        .run(told, 1000);
    ASSERT_EQ(told.contents.size(), 2U) << coding;
    EXPECT_EQ(told.contents[0].end, ContentEnd::Broken) << coding;
    EXPECT_EQ(told.contents[1].bytes, "next") << coding;
    EXPECT_EQ(told.contents[1].end, ContentEnd::Whole) << coding;
  }
}

TEST(HttpContents, BreaksAtABomb) {
  const std::string packed = deflate_text(deflate_text(std::string(64U << 20U, '\0')));
  ContentRecorder told;
  ContentConversation{
      make_http_parser,
      {client_says(kGet), server_says(response("Content-Encoding: gzip, gzip\r\n", packed))}}
      .run(told, 1000);
  ASSERT_EQ(told.contents.size(), 1U);
  EXPECT_EQ(told.contents[0].end, ContentEnd::Broken);
  EXPECT_LE(told.contents[0].bytes.size(), 2 * kBombBytes + kBombRatio * packed.size());
}

TEST(HttpContents, BreaksAtAZstdWindowBeyondTheBound) {
  const std::string text(100'000, 'x');
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 27);
  ZSTD_inBuffer input{text.data(), text.size(), 0};
  ZSTD_outBuffer output{packed.data(), packed.size(), 0};
  while (ZSTD_compressStream2(context, &output, &input, ZSTD_e_end) != 0) {
  }
  // Without a size of the content the window is announced.
  ZSTD_CCtx_reset(context, ZSTD_reset_session_only);
  output.pos = 0;
  input.pos = 0;
  ZSTD_compressStream2(context, &output, &input, ZSTD_e_continue);
  ZSTD_compressStream2(context, &output, &input, ZSTD_e_end);
  packed.resize(output.pos);
  ZSTD_freeCCtx(context);
  const ContentRecorder told =
      told_of({client_says(kGet), server_says(response("Content-Encoding: zstd\r\n", packed))});
  ASSERT_EQ(told.contents.size(), 1U);
  EXPECT_EQ(told.contents[0].end, ContentEnd::Broken);
}

TEST(HttpContents, GivesChunkedBodies) {
  const std::string text = varied_text(5000);
  const std::string headers = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";
  const ContentRecorder told = told_of(
      {client_says(kGet), server_says(headers + "\r\n" + chunked(text, 333)), client_says(kGet),
       server_says(headers + "Content-Encoding: gzip\r\n\r\n" + chunked(deflate_text(text), 7))},
      false);
  ASSERT_EQ(told.contents.size(), 2U);
  for (const ContentRecorder::Content& content : told.contents) {
    EXPECT_TRUE(content.bytes == text);
    EXPECT_TRUE(content.ended);
    EXPECT_EQ(content.end, ContentEnd::Whole);
    EXPECT_FALSE(content.useless_before_end);
    EXPECT_FALSE(content.announced_bytes);
  }
}

TEST(HttpContents, EndsWithTheConnection) {
  const ContentRecorder told = told_of(
      {client_says(kGet), server_says(response("", "all of it", false)), server_ends()}, false);
  ASSERT_EQ(told.contents.size(), 1U);
  EXPECT_EQ(told.contents[0].bytes, "all of it");
  EXPECT_TRUE(told.contents[0].ended);
  EXPECT_EQ(told.contents[0].end, ContentEnd::Whole);
  EXPECT_FALSE(told.contents[0].useless_before_end);
}

TEST(HttpContents, BreaksWhenTheConnectionEndsTooEarly) {
  for (const std::string& answer :
       {std::string{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"},
        std::string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nshort"}}) {
    const ContentRecorder told =
        told_of({client_says(kGet), server_says(answer), server_ends()}, false);
    ASSERT_EQ(told.contents.size(), 1U);
    EXPECT_EQ(told.contents[0].bytes, "short");
    EXPECT_TRUE(told.contents[0].ended);
    EXPECT_EQ(told.contents[0].end, ContentEnd::Broken);
  }
}

TEST(HttpContents, GivesPipelinedBodiesInOrder) {
  const std::string put = "PUT /a/up.zip HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n";
  const std::string patch =
      "PATCH /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked("pq", 1);
  const ContentRecorder told = told_of(
      {client_says(put + "abc" + patch + "HEAD /c HTTP/1.1\r\nHost: h\r\n\r\n" + std::string{kGet} +
                   "PROPFIND / HTTP/1.1\r\nHost: h\r\n" + "Content-Length: 2\r\n\r\n<>"),
       server_says("HTTP/1.1 204 No\r\n\r\n" + response("", "patched") +
                   "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + response("", "got") +
                   response("", ""))},
      false);
  std::string all;
  for (const ContentRecorder::Content& content : told.contents) {
    all += content.name + "=" + content.bytes + (content.useless_before_end ? "!" : "") + " ";
    EXPECT_EQ(content.end, ContentEnd::Whole);
  }
  EXPECT_EQ(all, "up.zip=abc! b=pq =<>! b=patched! f.bin=got! ");
  EXPECT_EQ(told.requests.size(), 5U);
}

TEST(HttpContents, TellsOfRanges) {
  auto answer = [](std::string_view range, std::string_view body) {
    return "HTTP/1.1 206 Partial\r\nContent-Range: bytes " + std::string{range} +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
  };
  const ContentRecorder told = told_of({client_says(kGet), server_says(answer("5-7/100", "abc")),
                                        client_says(kGet), server_says(answer("0-2/3", "abc")),
                                        client_says(kGet), server_says(answer("0-2/*", "abc"))});
  ASSERT_EQ(told.contents.size(), 3U);
  EXPECT_EQ(told.contents[0].range_first, 5U);
  EXPECT_FALSE(told.contents[1].range_first);
  EXPECT_EQ(told.contents[2].range_first, 0U);
}

TEST(HttpContents, TakesRangesApart) {
  const std::string body =
      "--b\r\nContent-Type: x/y\r\nContent-Range: bytes 0-3/9\r\n\r\nabcd\r\n"
      "--b\r\nContent-Range: bytes 4-8/9\r\n\r\nefghi\r\n--b--\r\n";
  const ContentRecorder told =
      told_of({client_says(kGet),
               server_says("HTTP/1.1 206 P\r\nContent-Type: multipart/byteranges; boundary=b\r\n"
                           "Content-Length: " +
                           std::to_string(body.size()) + "\r\n\r\n" + body)});
  ASSERT_EQ(told.contents.size(), 2U);
  EXPECT_EQ(told.contents[0].bytes, "abcd");
  EXPECT_EQ(told.contents[0].range_first, 0U);
  EXPECT_EQ(told.contents[1].bytes, "efghi");
  EXPECT_EQ(told.contents[1].range_first, 4U);
  EXPECT_EQ(told.contents[1].location, "/dir/f.bin?x=1");
}

std::string form_request(std::string_view body, std::string_view type = "multipart/form-data") {
  return "POST /up HTTP/1.1\r\nHost: h\r\nContent-Type: " + std::string{type} +
         "; boundary=b\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string{body};
}

TEST(HttpContents, GivesTheFilesOfAForm) {
  const ContentRecorder told = told_of(
      {client_says(form_request(
          "--b\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nfield\r\n"
          "--b\r\nContent-Disposition: form-data; name=\"u\"; filename=\"one.exe\"\r\n"
          "Content-Type: a/b\r\n\r\nMZ\r\n\r\n"
          "--b\r\nContent-Disposition: form-data; name=\"u\";\r\n filename=\"two\"\r\n\r\n2\r\n"
          "--b\r\n\r\nbare\r\n--b--\r\n"))},
      false);
  ASSERT_EQ(told.contents.size(), 3U);
  EXPECT_EQ(told.contents[0].name, "one.exe");
  EXPECT_EQ(told.contents[0].bytes, "MZ\r\n");
  EXPECT_EQ(told.contents[0].media_type, "a/b");
  EXPECT_EQ(told.contents[0].direction, Direction::ToServer);
  EXPECT_TRUE(told.contents[0].useless_before_end);
  EXPECT_EQ(told.contents[1].bytes, "2");  // named on a folded line
  EXPECT_EQ(told.contents[2].bytes, "bare");
  for (const auto& content : told.contents) EXPECT_EQ(content.end, ContentEnd::Whole);
}

TEST(HttpContents, LosesNothingOfAMalformedForm) {
  const std::string long_header(9000, 'h');
  EXPECT_EQ(told_of({client_says(form_request("no form at all"))}).contents.at(0).bytes,
            "no form at all");
  const ContentRecorder told = told_of({client_says(form_request(
      "before\r\n--b\r\n" + long_header +
      "tail\r\n--b\r\nContent-Disposition: form-data; filename=x\r\n\r\nunfinished"))});
  ASSERT_EQ(told.contents.size(), 3U);
  EXPECT_EQ(told.contents[0].bytes, "before\r\n");
  EXPECT_EQ(told.contents[1].bytes, long_header + "tail");
  EXPECT_EQ(told.contents[2].bytes, "unfinished");
  EXPECT_EQ(told.contents[2].end, ContentEnd::Whole);
  const ContentRecorder after = told_of({client_says(form_request("--b--\r\nhidden"))});
  ASSERT_EQ(after.contents.size(), 1U);
  EXPECT_EQ(after.contents[0].bytes, "hidden");
}

TEST(HttpContents, GivesBytesBeyondWhatRulesInspect) {
  ParserDemands demands;
  demands.body_limit = 1000;
  demands.bodies = false;
  const std::string text = varied_text(3U << 20U);
  const auto parser = make_http_parser(demands);
  ContentRecorder recorder;
  parser->set_content_receiver(&recorder);
  auto say = [&](Direction direction, std::string_view bytes) {
    (void)parser->on_data(direction, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()},
                          0);
  };
  say(Direction::ToServer, kGet);
  say(Direction::ToClient, response("Content-Encoding: gzip\r\n", deflate_text(text)));
  ASSERT_EQ(recorder.contents.size(), 1U);
  EXPECT_TRUE(recorder.contents[0].bytes == text);
  EXPECT_EQ(recorder.contents[0].end, ContentEnd::Whole);
}

TEST(HttpContents, BreaksAtALoss) {
  const ParserDemands demands;
  const auto parser = make_http_parser(demands);
  ContentRecorder recorder;
  parser->set_content_receiver(&recorder);
  auto say = [&](Direction direction, std::string_view bytes) {
    return parser->on_data(direction,
                           {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, 0);
  };
  say(Direction::ToServer, kGet);
  say(Direction::ToClient, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(parser->on_gap(Direction::ToClient, 2), ParseOutcome::Going);
  say(Direction::ToClient, "fghij");
  ASSERT_EQ(recorder.contents.size(), 1U);
  EXPECT_EQ(recorder.contents[0].bytes, "abc");
  EXPECT_EQ(recorder.contents[0].end, ContentEnd::Broken);
}

TEST(HttpContents, FailsRatherThanLoseContents) {
  std::string requests;
  for (int i = 0; i < 300; ++i) requests += kGet;
  std::string answers;
  for (int i = 0; i < 300; ++i) answers += response("", "ab");
  const ParserDemands demands;
  const auto parser = make_http_parser(demands);
  ContentRecorder recorder;
  parser->set_content_receiver(&recorder);
  auto say = [&](Direction direction, std::string_view bytes) {
    return parser->on_data(direction,
                           {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, 0);
  };
  EXPECT_EQ(say(Direction::ToServer, requests), ParseOutcome::Going);
  while (!parser->transactions().empty() && parser->transactions().front()->complete()) {
    parser->transactions().pop_front();
  }
  EXPECT_EQ(say(Direction::ToClient, answers), ParseOutcome::Failed);
  EXPECT_TRUE(recorder.all_ended());
}

TEST(HttpContents, WantsNothingWithoutAReceiver) {
  ContentRecorder recorder;
  recorder.refuses = true;
  ContentConversation{make_http_parser, {client_says(kGet), server_says(response("", "ab"))}}.run(
      recorder, 100);
  EXPECT_TRUE(recorder.contents.empty());
}

}  // namespace
}  // namespace masugata::ids
