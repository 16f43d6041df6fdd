// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/chunk_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace masugata::ids {
namespace {

bool is_read(std::string_view text, size_t piece) {
  ChunkReader reader;
  for (size_t at = 0; at < text.size(); at += piece) {
    const std::string part{text.substr(at, piece)};
    if (!reader.read({reinterpret_cast<const uint8_t*>(part.data()), part.size()})) return false;
  }
  return true;
}

void expect_read(std::string_view text, bool expected) {
  for (const size_t piece : {size_t{1}, size_t{3}, size_t{1000}}) {
    EXPECT_EQ(is_read(text, piece), expected) << text << " by " << piece;
  }
}

TEST(ChunkReader, ReadsWhatEverybodyReads) {
  for (const std::string_view text :
       {"2\r\nab\r\n0\r\n\r\n", "2;x=y\r\nab\r\n0;z\r\n\r\n",
        "2  \r\nab\r\n0\r\nA: b\r\nC: d\r\n\r\n", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
        "2\nab\n0\n\n", "0002\r\nab\r\n000\r\n\r\n", "00000000000000002\r\nab\r\n0\r\n\r\n",
        "0\r\n\r\nHTTP/1.1 200 OK", "7fffffff\r\nab"}) {
    expect_read(text, true);
  }
}

TEST(ChunkReader, RefusesWhatSomeReadOtherwise) {
  for (const std::string_view text : {"0x2\r\nab\r\n0\r\n\r\n",
                                      "+2\r\nab\r\n",
                                      " 2\r\nab\r\n",
                                      "-2\r\nab\r\n",
                                      "\r\n2\r\nab\r\n",
                                      "\r\nab",
                                      ";x\r\nab",
                                      "2 3\r\nab\r\n",
                                      "2\rab\r\n",
                                      "2;x\ry\r\nab\r\n",
                                      "2g\r\nab\r\n",
                                      "2\r\nabc\r\n",
                                      "2\r\nab0\r\n\r\n",
                                      "2\r\nab\rX\n0\r\n\r\n",
                                      "100000002\r\nab\r\n",
                                      "80000000\r\nab",
                                      "10000000000000002\r\nab\r\n",
                                      "0\r\n\rX",
                                      "0\r\nA: b\rC: d\r\n\r\n",
                                      "0\r\nA: b\r\n c\r\n\r\n",
                                      "0\r\n\tA: b\r\n\r\n",
                                      "0,\r\n\r\n",
                                      "\v2\r\nab\r\n"}) {
    expect_read(text, false);
  }
}

TEST(ChunkReader, KnowsDataAndTheEnd) {
  const auto read = [](ChunkReader& reader, std::string_view text) {
    return reader.read({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  };
  ChunkReader reader;
  EXPECT_FALSE(reader.is_data(1));
  EXPECT_TRUE(read(reader, "5;x\n"));
  EXPECT_TRUE(reader.is_data(5));
  EXPECT_FALSE(reader.is_data(6));
  EXPECT_TRUE(read(reader, "abcde"));
  EXPECT_FALSE(reader.is_data(1));
  EXPECT_TRUE(read(reader, "\r\n0\r\n\r"));
  EXPECT_FALSE(reader.is_over());
  EXPECT_TRUE(read(reader, "\n"));
  EXPECT_TRUE(reader.is_over());
}

TEST(ChunkReader, LosesBytesOfAChunkOnly) {
  const auto read = [](ChunkReader& reader, std::string_view text) {
    return reader.read({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  };
  ChunkReader reader;
  EXPECT_TRUE(read(reader, "5\r\na"));
  EXPECT_TRUE(reader.skip(4));
  EXPECT_TRUE(read(reader, "\r\n5\r\na"));
  EXPECT_FALSE(reader.skip(5));
  EXPECT_FALSE(read(reader, "\r\n"));
  ChunkReader over;
  EXPECT_TRUE(read(over, "0\r\n\r\n"));
  EXPECT_TRUE(over.skip(5));
}

}  // namespace
}  // namespace masugata::ids
