// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/http_bodies.h"

#include <gtest/gtest.h>

#include "ids/protocols/http/coded_text.h"
#include "ids/protocols/http/http_test_flow.h"

namespace masugata::ids {
namespace {

constexpr std::string_view kRequest = "GET /dir/f.bin HTTP/1.1\r\nHost: a\r\n\r\n";

std::string response(std::string_view headers, std::string_view body) {
  return "HTTP/1.1 200 OK\r\n" + std::string{headers} +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

std::string pattern(size_t size) {
  std::string text(size, '\0');
  uint32_t state = 1;
  for (char& c : text) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>(state >> 24U);
  }
  return text;
}

std::string plain(std::string_view text) { return std::string{text}; }
std::string gzip(std::string_view text) { return deflate_text(text, kGzipWindow); }
std::string zlib(std::string_view text) { return deflate_text(text, kZlibWindow); }
std::string raw_deflate(std::string_view text) { return deflate_text(text, kRawWindow); }
std::string gzip_twice(std::string_view text) { return gzip(gzip(text)); }
std::string three_layers(std::string_view text) { return gzip(zlib(gzip(text))); }

struct EncodingCase {
  std::string_view header;
  std::string (*pack)(std::string_view);
};
class HttpEncoding : public testing::TestWithParam<EncodingCase> {};
TEST_P(HttpEncoding, IsUndone) {
  const std::string text = "needle in the hay " + std::string(5000, 'x') + "end";
  for (const size_t piece : {0U, 1U, 100U}) {
    HttpTestFlow flow;
    flow.up(kRequest);
    const std::string header = "Content-Encoding: " + std::string{GetParam().header} + "\r\n";
    flow.send(kDown, response(header, GetParam().pack(text)), piece);
    EXPECT_EQ(flow.text(BufferId::FileData, kDown), text) << GetParam().header << piece;
    EXPECT_EQ(flow.text(BufferId::HttpResponseBody, kDown), text);
    const bool broken = GetParam().header == "gzip" && GetParam().pack == plain;
    EXPECT_EQ(flow.has(HttpEvent::GzipDecompressionFailed), broken);
  }
}
INSTANTIATE_TEST_SUITE_P(Cases, HttpEncoding,
                         testing::Values(EncodingCase{"gzip", gzip}, EncodingCase{"x-gzip", gzip},
                                         EncodingCase{"deflate", zlib},
                                         EncodingCase{"deflate", raw_deflate},
                                         EncodingCase{"gzip, gzip", gzip_twice},
                                         EncodingCase{"gzip, deflate, gzip", three_layers},
                                         EncodingCase{"identity", plain},
                                         EncodingCase{"gzip", plain},
                                         EncodingCase{"BR", brotli_text}));

TEST(HttpBodies, InflateRequests) {
  HttpTestFlow flow;
  const std::string body = deflate_text("name=value", kGzipWindow);
  flow.up("POST /x HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: " +
          std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_EQ(flow.text(BufferId::HttpRequestBody), "name=value");
  EXPECT_EQ(flow.text(BufferId::FileData), "name=value");
}

TEST(HttpBodies, GrowOverTime) {
  HttpTestFlow flow;
  flow.up(kRequest);
  EXPECT_EQ(flow.state(BufferId::FileData, kDown), BufferState::NotYet);
  flow.down("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
  EXPECT_EQ(flow.state(BufferId::FileData, kDown), BufferState::Partial);
  EXPECT_EQ(flow.text(BufferId::FileData, kDown), "abc");
  flow.down("def");
  EXPECT_EQ(flow.state(BufferId::FileData, kDown), BufferState::Complete);
  EXPECT_EQ(flow.text(BufferId::FileData, kDown), "abcdef");
}

TEST(HttpBodies, KeepAWindowAndShowEveryByteOnce) {
  ParserDemands demands;
  demands.body_limit = 1000;
  HttpTestFlow flow(demands);
  flow.up(kRequest);
  const std::string body = pattern(20000);
  flow.down("HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n");
  uint64_t seen = 0;
  for (size_t at = 0; at < body.size(); at += 700) {
    flow.down(std::string_view{body}.substr(at, 700));
    const BufferBytes view = flow.transaction().buffer(BufferId::FileData, kDown, 0);
    ASSERT_LE(view.first, seen);
    ASSERT_LE(view.bytes.size(), 1700U);
    seen = view.first + view.bytes.size();
    ASSERT_EQ(std::string(view.bytes.begin(), view.bytes.end()),
              body.substr(view.first, view.bytes.size()));
  }
  EXPECT_EQ(seen, body.size());
}

TEST(HttpBodies, BoundWhatABombInflatesTo) {
  ParserDemands demands;
  demands.body_limit = 1000;
  for (const bool brotli : {false, true}) {
    HttpTestFlow flow(demands);
    flow.up(kRequest);
    const std::string zeros(8U << 20U, '\0');
    const std::string packed = brotli ? brotli_text(zeros) : deflate_text(zeros, kGzipWindow);
    flow.down(response(brotli ? "Content-Encoding: br\r\n" : "Content-Encoding: gzip\r\n", packed));
    EXPECT_TRUE(flow.has(HttpEvent::CompressionBomb));
    EXPECT_LE(flow.text(BufferId::FileData, kDown).size(), 1000 + kWindowBurstBytes);
  }
}

TEST(HttpBodies, ShowBrokenEncodingsAsTheyAre) {
  HttpTestFlow flow;
  flow.up(kRequest);
  flow.down(response("Content-Encoding: br\r\n", "plain text, not brotli"));
  EXPECT_TRUE(flow.has(HttpEvent::GzipDecompressionFailed));
  EXPECT_NE(flow.text(BufferId::FileData, kDown).find("plain text"), std::string::npos);
}

TEST(HttpBodies, AreNotKeptWhenNobodyAsks) {
  ParserDemands demands;
  demands.bodies = false;
  HttpTestFlow flow(demands);
  flow.up("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(flow.text(BufferId::HttpRequestBody), "");
  EXPECT_EQ(flow.transaction().files()[0].size, 3U);
}

TEST(HttpBodies, NameFilesByHeaderOrPath) {
  HttpTestFlow flow;
  flow.up(kRequest);
  flow.down(response("Content-Disposition: attachment; filename=\"eicar.txt\"\r\n", "x"));
  EXPECT_EQ(flow.text(BufferId::FileName, kDown), "eicar.txt");
  flow.up("PUT /up/load.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_EQ(flow.text(BufferId::FileName, kUp, 0, 1), "/up/load.txt");
  EXPECT_EQ(flow.text(BufferId::FileData, kUp, 0, 1), "hi");
}

TEST(HttpBodies, GiveDigestsAndMagicOnDemand) {
  ParserDemands demands;
  demands.md5 = true;
  demands.magic = true;
  HttpTestFlow flow(demands);
  flow.up(kRequest);
  flow.down(response("", "%PDF-1.4\n"));
  EXPECT_EQ(flow.transaction().files()[0].md5.size(), 16U);
  EXPECT_TRUE(flow.text(BufferId::FileMagic, kDown).starts_with("PDF document"));
}

std::string form(std::string_view body) {
  return "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=\"XX\"\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}
constexpr std::string_view kForm =
    "--XX\r\nContent-Disposition: form-data; name=\"field\"\r\n\r\nvalue\r\n"
    "--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"one.txt\"\r\n"
    "Content-Type: text/plain\r\n\r\nfirst\r\n-X file\r\n"
    "--XX\r\ncontent-disposition: form-data; name=\"g\"; filename=two.bin\r\n\r\nsecond\r\n"
    "--XX--\r\n";

TEST(HttpBodies, TakeFilesOutOfForms) {
  for (const size_t piece : {0U, 1U, 3U, 50U}) {
    HttpTestFlow flow;
    flow.send(kUp, form(kForm), piece);
    EXPECT_EQ(flow.text(BufferId::HttpRequestBody), kForm);
    ASSERT_EQ(flow.transaction().files().size(), 2U);
    EXPECT_EQ(flow.text(BufferId::FileName, kUp, 0), "one.txt");
    EXPECT_EQ(flow.text(BufferId::FileData, kUp, 0), "first\r\n-X file");
    EXPECT_EQ(flow.text(BufferId::FileName, kUp, 1), "two.bin");
    EXPECT_EQ(flow.text(BufferId::FileData, kUp, 1), "second");
    EXPECT_FALSE(flow.transaction().files()[1].truncated);
    EXPECT_FALSE(flow.has(HttpEvent::MultipartGenericError));
  }
}

TEST(HttpBodies, ReportMalformedForms) {
  HttpTestFlow flow;
  flow.up(form("this is no form at all"));
  EXPECT_TRUE(flow.has(HttpEvent::MultipartGenericError));
  HttpTestFlow cut;
  cut.up(form("--XX\r\nContent-Disposition: form-data; filename=\"a\"\r\n\r\ncut off"));
  EXPECT_TRUE(cut.has(HttpEvent::MultipartGenericError));
  EXPECT_EQ(cut.text(BufferId::FileData), "cut off");
  EXPECT_TRUE(cut.transaction().files()[0].truncated);
  HttpTestFlow empty;
  empty.up(form("--XX\r\nContent-Disposition: form-data; filename=\"a\"\r\n\r\n\r\n--XX--\r\n"));
  EXPECT_TRUE(empty.has(HttpEvent::MultipartNoFileData));
  HttpTestFlow header;
  header.up(form("--XX\r\n" + std::string(10000, 'h') + "\r\n\r\nx\r\n--XX--\r\n"));
  EXPECT_TRUE(header.has(HttpEvent::MultipartInvalidHeader));
}

TEST(HttpBodies, KeepAPlaceForTheResponseBesideManyUploads) {
  std::string body;
  for (size_t i = 0; i < 2 * kMaximumFiles; ++i) {
    body += "--XX\r\nContent-Disposition: form-data; filename=\"n\"\r\n\r\nx\r\n";
  }
  HttpTestFlow flow;
  flow.up(form(body + "--XX--\r\n"));
  flow.down(response("", "answer"));
  EXPECT_EQ(flow.transaction().files().size(), kMaximumFiles);
  EXPECT_EQ(flow.text(BufferId::FileData, kDown), "answer");
}

TEST(HttpBodies, CutLongFileNames) {
  HttpTestFlow flow;
  flow.up(kRequest);
  flow.down(response("Content-Disposition: attachment; filename=" + std::string(3000, 'n') + "\r\n",
                     "x"));
  EXPECT_EQ(flow.text(BufferId::FileName, kDown).size(), kMaximumFileNameBytes);
  EXPECT_TRUE(flow.has(HttpEvent::FileNameTooLong));
}

TEST(HttpBodies, CheckContentRanges) {
  HttpTestFlow flow;
  flow.up(kRequest);
  flow.down("HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-1/2\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_FALSE(flow.has(HttpEvent::RangeInvalid));
  flow.up(kRequest);
  flow.down("HTTP/1.1 206 Partial\r\nContent-Range: bytes 9-1/2\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_TRUE(flow.has(HttpEvent::RangeInvalid, 1));
}

}  // namespace
}  // namespace masugata::ids
