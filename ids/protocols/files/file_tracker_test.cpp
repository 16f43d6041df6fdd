// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/files/file_tracker.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "ids/protocols/files/file_collection.h"

namespace masugata::ids {
namespace {

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
std::string hex(std::string_view raw) {
  std::string text;
  for (const char c : raw) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[static_cast<uint8_t>(c) >> 4U];
    text += kDigits[static_cast<uint8_t>(c) & 15U];
  }
  return text;
}
std::string text_of(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

TEST(FileTracker, ComputesOnlyTheDigestsThatAreAskedFor) {
  ParserDemands demands;
  demands.md5 = true;
  demands.sha256 = true;
  FileTracker tracker(demands);
  TransferredFile file;
  tracker.append(file, bytes_of("ab"));
  tracker.append(file, bytes_of("c"));
  EXPECT_TRUE(file.md5.empty());
  tracker.close(file, false);
  EXPECT_EQ(hex(file.md5), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex(file.sha256), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(file.sha1.empty());
  EXPECT_TRUE(file.magic.empty());
  EXPECT_TRUE(file.complete);
  EXPECT_EQ(file.size, 3U);
}

TEST(FileTracker, GivesNoDigestOfATruncatedFile) {
  ParserDemands demands;
  demands.sha1 = true;
  FileTracker tracker(demands);
  TransferredFile file;
  tracker.append(file, bytes_of("abc"));
  tracker.skip(file, 5);
  tracker.append(file, bytes_of("def"));
  tracker.close(file, false);
  EXPECT_TRUE(file.truncated);
  EXPECT_TRUE(file.sha1.empty());
  EXPECT_EQ(file.size, 11U);
  EXPECT_EQ(file.window_first, 8U);
  EXPECT_EQ(text_of(file.window), "def");
}

TEST(FileTracker, TakesNoMoreAfterTheEnd) {
  const ParserDemands demands;
  FileTracker tracker(demands);
  TransferredFile file;
  tracker.append(file, bytes_of("abc"));
  tracker.close(file, false);
  tracker.append(file, bytes_of("def"));
  tracker.close(file, true);
  EXPECT_EQ(file.size, 3U);
  EXPECT_FALSE(file.truncated);
}

TEST(FileTracker, DescribesTheFirstBytesOnce) {
  ParserDemands demands;
  demands.magic = true;
  FileTracker tracker(demands);
  TransferredFile file;
  tracker.append(file, bytes_of("%PDF-1.4\n"));
  EXPECT_TRUE(file.magic.empty());
  tracker.append(file, bytes_of(std::string(kMagicBytes, ' ')));
  EXPECT_TRUE(file.magic.starts_with("PDF document")) << file.magic;
}

TEST(FileTracker, DescribesASmallFileAtItsEnd) {
  ParserDemands demands;
  demands.magic = true;
  demands.bodies = false;
  FileTracker tracker(demands);
  TransferredFile file;
  tracker.append(file, bytes_of("%PDF-1.4\n"));
  tracker.close(file, false);
  EXPECT_TRUE(file.magic.starts_with("PDF document")) << file.magic;
}

TEST(FileTracker, KeepsNoBytesWhenNobodyLooksAtBodies) {
  ParserDemands demands;
  demands.bodies = false;
  FileTracker tracker(demands);
  TransferredFile file;
  tracker.append(file, bytes_of("abc"));
  EXPECT_TRUE(file.window.empty());
  EXPECT_EQ(file.window_first, 3U);
  EXPECT_EQ(file.size, 3U);
}

TEST(ByteWindow, KeepsWhatOnePacketBringsAndTrimsLater) {
  std::vector<uint8_t> bytes;
  uint64_t first = 0;
  ByteWindow window{bytes, first};
  EXPECT_TRUE(window.append(bytes_of("0123456789"), 8));
  EXPECT_EQ(text_of(bytes), "0123456789");
  window.trim(8);
  EXPECT_EQ(text_of(bytes), "6789");
  EXPECT_EQ(first, 6U);
  window.trim(8);
  EXPECT_EQ(first, 6U);
}

TEST(ByteWindow, NeverGrowsBeyondLimitAndBurst) {
  std::vector<uint8_t> bytes;
  uint64_t first = 0;
  ByteWindow window{bytes, first};
  const std::string much(kWindowBurstBytes, 'x');
  EXPECT_TRUE(window.append(bytes_of(much), 4));
  EXPECT_FALSE(window.append(bytes_of("abcdef"), 4));
  EXPECT_EQ(bytes.size(), kWindowBurstBytes + 4);
  EXPECT_EQ(first, 2U);
  EXPECT_FALSE(window.append(bytes_of(much + "123456"), 4));
  EXPECT_EQ(bytes.size(), kWindowBurstBytes + 4);
  EXPECT_EQ(first, kWindowBurstBytes + 6 + 2);
}

TEST(FileCollection, IsBoundedInFiles) {
  const ParserDemands demands;
  FileCollection files(demands);
  for (size_t i = 0; i < kMaximumFiles; ++i) {
    EXPECT_EQ(files.open(Direction::ToServer, "a"), i);
  }
  EXPECT_FALSE(files.open(Direction::ToServer, "b"));
  EXPECT_EQ(files.files().size(), kMaximumFiles);
}

TEST(FileCollection, EmptiesWindowsOfFinishedFilesAtTheBound) {
  ParserDemands demands;
  demands.body_limit = 1024;
  FileCollection files(demands);
  const std::string much(kWindowBurstBytes, 'x');
  for (size_t i = 0; i < 4; ++i) {
    const size_t file = *files.open(Direction::ToServer, "a");
    files.append(file, bytes_of(much));
    files.close(file, false);
  }
  EXPECT_TRUE(files.files()[0].window.empty());
  EXPECT_TRUE(files.files()[1].window.empty());
  EXPECT_EQ(files.files()[3].window.size(), kWindowBurstBytes);
  EXPECT_EQ(files.files()[0].window_first, kWindowBurstBytes);
}

TEST(FileCollection, FindsFilesByDirection) {
  const ParserDemands demands;
  FileCollection files(demands);
  (void)files.open(Direction::ToServer, "up");
  (void)files.open(Direction::ToClient, "down");
  ASSERT_NE(files.find(Direction::ToClient, 0), nullptr);
  EXPECT_EQ(files.find(Direction::ToClient, 0)->name, "down");
  EXPECT_EQ(files.find(Direction::ToClient, 1), nullptr);
  files.close_all(Direction::ToClient);
  EXPECT_TRUE(files.files()[1].complete);
  EXPECT_TRUE(files.files()[1].truncated);
  EXPECT_FALSE(files.files()[0].complete);
}

}  // namespace
}  // namespace masugata::ids
