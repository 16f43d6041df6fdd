// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/objects/content_kind.h"

#include <gtest/gtest.h>

#include <string>

namespace masugata::av {
namespace {

ContentKind kind_of(const std::string& text) {
  return content_kind({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

TEST(ContentKindTest, TellsKindsByTheirFirstBytes) {
  EXPECT_EQ(kind_of("\xff\xd8\xff\xe0...."), ContentKind::Image);
  EXPECT_EQ(kind_of("GIF89a......"), ContentKind::Image);
  EXPECT_EQ(kind_of("RIFF1234WEBPVP8 "), ContentKind::Image);
  EXPECT_EQ(kind_of("RIFF1234WAVEfmt "), ContentKind::Audio);
  EXPECT_EQ(kind_of("OggS............"), ContentKind::Audio);
  EXPECT_EQ(kind_of(std::string("\0\0\0\x18", 4) + "ftypmp42...."), ContentKind::Video);
  EXPECT_EQ(kind_of("wOF2............"), ContentKind::Font);
}

TEST(ContentKindTest, TakesEverythingElseForSomethingToScan) {
  EXPECT_EQ(kind_of(""), ContentKind::Other);
  EXPECT_EQ(kind_of("MZ\x90"), ContentKind::Other);
  EXPECT_EQ(kind_of("<html>GIF89a"), ContentKind::Other);
  EXPECT_EQ(kind_of("JUNK1234WEBP"), ContentKind::Other) << "RIFF is missing";
  EXPECT_EQ(kind_of("RIFF1234"), ContentKind::Other) << "cut short";
}

}  // namespace
}  // namespace masugata::av
