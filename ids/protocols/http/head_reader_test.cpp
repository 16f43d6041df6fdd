// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/head_reader.h"

#include <gtest/gtest.h>

#include <string_view>

namespace masugata::ids {
namespace {

bool read(HeadReader& reader, std::string_view text) {
  return reader.read({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

TEST(HeadReader, KnowsWhereAHeadIsOver) {
  HeadReader reader;
  EXPECT_TRUE(read(reader, "\r\n\nHTTP/1.1 200 OK\r"));
  EXPECT_FALSE(reader.is_behind_line());
  EXPECT_TRUE(read(reader, "\n"));
  EXPECT_TRUE(reader.is_behind_line());
  EXPECT_TRUE(read(reader, "A: b\nC: d\r\r\n e\r\n\r"));
  EXPECT_FALSE(reader.is_behind_line());
  EXPECT_FALSE(reader.is_behind_head());
  EXPECT_TRUE(read(reader, "\n"));
  EXPECT_TRUE(reader.is_behind_head());
  // Behind an interim response.
  EXPECT_TRUE(read(reader, "HTTP/1.1 200 OK\n"));
  EXPECT_TRUE(reader.is_behind_line());
  EXPECT_TRUE(read(reader, "\n"));
  EXPECT_TRUE(reader.is_behind_head());
}

TEST(HeadReader, RefusesLinesThatSomeEndElsewhere) {
  for (const std::string_view text :
       {std::string_view{"HTTP/1.1 200\rOK\r\n"}, std::string_view{"\r\r\nHTTP/1.1 200 OK\r\n"},
        std::string_view{"HTTP/1.1 200 OK\r\nA: b\rC: d\r\n"},
        std::string_view{"HTTP/1.1 200 OK\r\n\rA: b\r\n"},
        std::string_view{"HTTP/1.1 200 OK\n\r\r\n"}, std::string_view{"\rHTTP/1.1 200 OK\r\n"},
        std::string_view{"HTTP/1.1 200 OK\0\r\n", 18}}) {
    HeadReader whole;
    EXPECT_FALSE(read(whole, text)) << text;
    EXPECT_FALSE(read(whole, "A"));
    HeadReader reader;
    bool good = true;
    for (const char& byte : text) good = read(reader, {&byte, 1});
    EXPECT_FALSE(good) << text;
  }
}

}  // namespace
}  // namespace masugata::ids
