// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/eve/json_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>

namespace masugata::ids {
namespace {

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

class JsonWriterTest : public testing::Test {
 protected:
  std::array<char, 512> buffer_{};
  JsonWriter json_{buffer_};
};

TEST_F(JsonWriterTest, WritesNestedObjectsWithCommasWhereTheyBelong) {
  json_.open_object();
  json_.member("a", uint64_t{1});
  json_.member_flag("b", true);
  json_.open_object("c");
  json_.close_object();
  json_.open_array("d");
  json_.value(uint64_t{2});
  json_.value("x");
  json_.open_object();
  json_.member_flag("e", false);
  json_.close_object();
  json_.close_array();
  json_.member("f", "g");
  json_.close_object();
  EXPECT_EQ(json_.text(), R"({"a":1,"b":true,"c":{},"d":[2,"x",{"e":false}],"f":"g"})");
  EXPECT_FALSE(json_.overflowed());
}

TEST_F(JsonWriterTest, EscapesWhatJsonDoesNotAllow) {
  json_.open_object();
  json_.member("k", std::string_view("q\" b\\ n\n t\t e\x1b"));
  json_.close_object();
  EXPECT_EQ(json_.text(), R"({"k":"q\" b\\ n\n t\t e\u001b"})");
}

TEST_F(JsonWriterTest, KeepsUtf8AndNamesOtherBytes) {
  json_.open_object();
  json_.member_bytes("good", bytes_of("\xe6\xa0\xaa"));
  json_.member_bytes("bad", bytes_of("a\xff\\"));
  json_.close_object();
  const auto read = nlohmann::json::parse(json_.text());
  EXPECT_EQ(read["good"], "\xe6\xa0\xaa");
  EXPECT_EQ(read["bad"], "a\\xff\\");
}

TEST_F(JsonWriterTest, TellsUtf8FromWhatOnlyLooksLikeIt) {
  EXPECT_TRUE(is_utf8(bytes_of("\xf0\x9f\x98\x80")));
  EXPECT_FALSE(is_utf8(bytes_of("\xc0\xaf")));          // overlong
  EXPECT_FALSE(is_utf8(bytes_of("\xed\xa0\x80")));      // surrogate
  EXPECT_FALSE(is_utf8(bytes_of("\xf4\x90\x80\x80")));  // beyond U+10FFFF
  EXPECT_FALSE(is_utf8(bytes_of("\xe6\xa0")));          // cut short
}

TEST_F(JsonWriterTest, WritesBytesInBase64HexAndPrintable) {
  json_.open_object();
  json_.member_base64("0", bytes_of(""));
  json_.member_base64("1", bytes_of("f"));
  json_.member_base64("2", bytes_of("fo"));
  json_.member_base64("3", bytes_of("foo"));
  json_.member_hex("h", bytes_of("\x01\xfe"), ':');
  json_.member_printable("p", bytes_of("a\x01\r\n"));
  json_.close_object();
  EXPECT_EQ(json_.text(), R"({"0":"","1":"Zg==","2":"Zm8=","3":"Zm9v","h":"01:fe","p":"a.\r\n"})");
}

TEST_F(JsonWriterTest, WritesTimesWithMicroseconds) {
  json_.open_object();
  json_.member_time("t", 1283342400'000001ULL);
  json_.close_object();
  EXPECT_EQ(json_.text(), R"({"t":"2010-09-01T12:00:00.000001+0000"})");
}

TEST_F(JsonWriterTest, SaysWhenTheBufferIsFull) {
  json_.open_object();
  const std::string text(600, 'x');
  json_.member("k", std::string_view(text));
  json_.close_object();
  EXPECT_TRUE(json_.overflowed());
  json_.reset();
  EXPECT_FALSE(json_.overflowed());
}

}  // namespace
}  // namespace masugata::ids
