// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/hidden_words.h"

#include <gtest/gtest.h>

#include <string>

namespace masugata::dataplane {
namespace {

std::span<uint8_t> bytes(std::string& text) {
  return {reinterpret_cast<uint8_t*>(text.data()), text.size()};
}

TEST(HideRangeTest, ChangesTheNameOfTheHeaderOnly) {
  std::string text = "GET /a HTTP/1.1\r\nHost: h\r\nRANGE: bytes=1-\r\nIf-Range: x\r\n\r\n";
  EXPECT_TRUE(hide_range(bytes(text), "/a"));
  EXPECT_EQ(text, "GET /a HTTP/1.1\r\nHost: h\r\nxANGE: bytes=1-\r\nIf-Range: x\r\n\r\n");
}

TEST(HideRangeTest, ChangesEachOfSeveral) {
  std::string text = "GET /a HTTP/1.1\nrange : bytes=1-\nRange:bytes=2-\n\n";
  EXPECT_TRUE(hide_range(bytes(text), "/a"));
  EXPECT_EQ(text, "GET /a HTTP/1.1\nxange : bytes=1-\nxange:bytes=2-\n\n");
}

TEST(HideRangeTest, LeavesBodiesAlone) {
  const std::string before =
      "POST /a HTTP/1.1\r\nContent-Length: 18\r\nRangeless: 1\r\n\r\n\r\nRange: bytes=1-";
  std::string text = before;
  EXPECT_FALSE(hide_range(bytes(text), "/a"));
  EXPECT_EQ(text, before);
}

TEST(HideRangeTest, LeavesSegmentsAloneThatBeginWithSomethingElse) {
  const std::string before = "the body's end GET /b HTTP/1.1\r\nRange: bytes=1-\r\n\r\n";
  std::string text = before;
  EXPECT_FALSE(hide_range(bytes(text), "/a"));
  EXPECT_FALSE(hide_range(bytes(text), ""));
  EXPECT_EQ(text, before);
  EXPECT_FALSE(hide_range({}, "/a"));
}

TEST(HideCommandTest, ChangesTheCommandOfTheLastLine) {
  std::string text = "EHLO a\r\nStartTLS\r\n";
  EXPECT_TRUE(hide_command(bytes(text), "starttls"));
  EXPECT_EQ(text, "EHLO a\r\nxtartTLS\r\n");
  text = "a1 STARTTLS\r\n";
  EXPECT_TRUE(hide_command(bytes(text), "starttls"));
  EXPECT_EQ(text, "a1 xTARTTLS\r\n");
  text = "AUTH TLS\r\n";
  EXPECT_TRUE(hide_command(bytes(text), "auth"));
  EXPECT_EQ(text, "xUTH TLS\r\n");
}

TEST(HideCommandTest, ChangesNothingElse) {
  for (const char* before : {"we use starttls here\r\n", "STARTTLS\r\nNOOP\r\n", "TLS\r\n", "",
                             "STARTTLSX\r\n", "\r\n", "RTTLS\r\n"}) {
    std::string text = before;
    EXPECT_FALSE(hide_command(bytes(text), "starttls")) << before;
    EXPECT_EQ(text, before);
  }
}

}  // namespace
}  // namespace masugata::dataplane
