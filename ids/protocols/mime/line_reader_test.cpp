// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/mime/line_reader.h"

#include <gtest/gtest.h>

#include "ids/protocols/mime/dot_decoder.h"

namespace masugata::ids::mime {
namespace {

TEST(LineReaderTest, LinesOverAnySegmentation) {
  const std::string text =
      "one\r\n\ntwo\n" + std::string(30, 'x') + std::string(70, 'y') + "\r\nthree\r\r\nrest";
  for (size_t piece = 1; piece < text.size(); ++piece) {
    LineReader reader{20};
    std::vector<std::string> lines;
    for (size_t at = 0; at < text.size(); at += piece) {
      auto bytes = as_bytes(std::string_view{text}.substr(at, piece));
      Line line;
      while (reader.next(bytes, line)) {
        lines.push_back(std::string{line.text} + "|" + std::to_string(line.length) + "|" +
                        std::to_string(line.ending_bytes) + "|" + std::string{line.tail});
      }
      EXPECT_TRUE(bytes.empty());
    }
    const std::vector<std::string> expected{"one|3|2|one", "|0|1|", "two|3|1|two",
                                            std::string(20, 'x') + "|100|2|" + std::string(64, 'y'),
                                            "three\r|6|2|three\r"};
    EXPECT_EQ(lines, expected) << piece;
    EXPECT_EQ(reader.unfinished(), "rest");
  }
}

TEST(DotDecoderTest, UndoesStuffingAndFindsTheEnd) {
  const std::string text = "..a\r\n.b\r\n.\rc\r\nd.\r\n.\r\nnext";
  for (size_t piece = 1; piece < text.size(); ++piece) {
    DotDecoder decoder;
    std::string data;
    std::string rest;
    for (size_t at = 0; at < text.size(); at += piece) {
      auto bytes = as_bytes(std::string_view{text}.substr(at, piece));
      while (!bytes.empty() && !decoder.ended()) {
        data += as_text(decoder.next(bytes));
      }
      rest += as_text(bytes);
    }
    EXPECT_EQ(data, ".a\r\nb\r\n\rc\r\nd.\r\n") << piece;
    EXPECT_EQ(rest, "next") << piece;
  }
}

}  // namespace
}  // namespace masugata::ids::mime
