// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/json_rpc.h"

#include <gtest/gtest.h>

namespace masugata::dataplane::control {
namespace {

RpcErrorCode refusal_of(std::string_view line) {
  const auto decoded = decode_request(line);
  EXPECT_FALSE(decoded) << line;
  return decoded ? RpcErrorCode::Failed : decoded.error().error.code;
}

TEST(DecodeRequest, ReadsARequestWithNamedParameters) {
  const auto request =
      decode_request(R"({"jsonrpc":"2.0","id":7,"method":"show.drops","params":{"limit":3}})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->id, 7);
  EXPECT_FALSE(request->is_notification);
  EXPECT_EQ(request->method, "show.drops");
  EXPECT_EQ(request->parameters.at("limit"), 3);
}

TEST(DecodeRequest, ARequestWithoutAnIdIsANotification) {
  const auto request = decode_request(R"({"jsonrpc":"2.0","method":"version"})");
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->is_notification);
  EXPECT_TRUE(request->parameters.is_object());
}

TEST(DecodeRequest, RefusesWhatIsNotARequest) {
  EXPECT_EQ(refusal_of(""), RpcErrorCode::ParseError);
  EXPECT_EQ(refusal_of("{"), RpcErrorCode::ParseError);
  EXPECT_EQ(refusal_of("{} {}"), RpcErrorCode::ParseError);
  EXPECT_EQ(refusal_of("{\"jsonrpc\":\"\xff\"}"), RpcErrorCode::ParseError);
  EXPECT_EQ(refusal_of("3"), RpcErrorCode::InvalidRequest);
  EXPECT_EQ(refusal_of("[]"), RpcErrorCode::InvalidRequest);
  EXPECT_EQ(refusal_of("{}"), RpcErrorCode::InvalidRequest);
  EXPECT_EQ(refusal_of(R"({"jsonrpc":"1.0","id":1,"method":"a"})"), RpcErrorCode::InvalidRequest);
  EXPECT_EQ(refusal_of(R"({"jsonrpc":"2.0","id":1})"), RpcErrorCode::InvalidRequest);
  EXPECT_EQ(refusal_of(R"({"jsonrpc":"2.0","id":{},"method":"a"})"), RpcErrorCode::InvalidRequest);
  EXPECT_EQ(refusal_of(R"({"jsonrpc":"2.0","id":1,"method":"a","params":[1]})"),
            RpcErrorCode::InvalidParameters);
}

TEST(DecodeRequest, KeepsTheIdOfARefusedRequest) {
  const auto decoded = decode_request(R"({"jsonrpc":"2.0","id":"x","method":5})");
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().id, "x");
}

TEST(DecodeRequest, RefusesDeepNesting) {
  const std::string deep(100000, '[');
  EXPECT_EQ(refusal_of(R"({"jsonrpc":"2.0","id":1,"method":"a","params":{"x":)" + deep),
            RpcErrorCode::InvalidRequest);
}

TEST(Encode, WritesOneLineWhateverTheTextHolds) {
  const std::string line = encode_result(1, {{"text", "two\nlines \xff"}});
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(Json::parse(line).at("result").at("text"), "two\nlines \xEF\xBF\xBD");
}

TEST(Encode, ErrorsCarryTheirDataOnlyWhenThereIsSome) {
  const Json bare = Json::parse(encode_error(nullptr, {RpcErrorCode::Failed, "no", nullptr}));
  EXPECT_EQ(bare, Json::parse(R"({"jsonrpc":"2.0","id":null,
                                  "error":{"code":-32000,"message":"no"}})"));
  const Json rich = Json::parse(encode_error(1, {RpcErrorCode::Failed, "no", {{"line", 3}}}));
  EXPECT_EQ(rich.at("error").at("data").at("line"), 3);
}

TEST(LineReader, CutsTheStreamIntoLines) {
  LineReader reader;
  std::string_view line;
  EXPECT_EQ(reader.next(line), LineReader::Next::NeedMore);
  reader.append("on");
  EXPECT_EQ(reader.next(line), LineReader::Next::NeedMore);
  reader.append("e\r\ntwo\nthr");
  ASSERT_EQ(reader.next(line), LineReader::Next::Line);
  EXPECT_EQ(line, "one");
  ASSERT_EQ(reader.next(line), LineReader::Next::Line);
  EXPECT_EQ(line, "two");
  EXPECT_EQ(reader.next(line), LineReader::Next::NeedMore);
  EXPECT_EQ(reader.buffered_bytes(), 3U);
}

TEST(LineReader, RefusesALineBeyondItsBound) {
  LineReader reader;
  std::string_view line;
  reader.append(std::string(kMaximumRequestBytes - 1, 'a'));
  EXPECT_EQ(reader.next(line), LineReader::Next::NeedMore);
  reader.append("\n");
  EXPECT_EQ(reader.next(line), LineReader::Next::Line);
  EXPECT_EQ(line.size(), kMaximumRequestBytes - 1);
  reader.append(std::string(kMaximumRequestBytes, 'a') + "\n");
  EXPECT_EQ(reader.next(line), LineReader::Next::TooLong);
}

TEST(LineReader, FollowsManyLinesWithoutKeepingThem) {
  LineReader reader;
  std::string_view line;
  const std::string text(1000, 'x');
  for (int round = 0; round < 1000; ++round) {
    reader.append(text + "\nrest");
    ASSERT_EQ(reader.next(line), LineReader::Next::Line);
    EXPECT_EQ(line.size(), round == 0 ? 1000U : 1004U);
  }
  EXPECT_EQ(reader.buffered_bytes(), 4U);
}

}  // namespace
}  // namespace masugata::dataplane::control
