// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/scan_state.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "av-stream/scand/test_bench.h"

namespace masugata::av {
namespace {

std::string content_of(const std::string& file) {
  std::ifstream input(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(input), std::istreambuf_iterator<char>()};
}

bool knows(const std::string& file, const std::string& path, const FileStamp& stamp) {
  return ScanState::load(file, "key")->was_clean(path, stamp);
}

TEST(ScanState, RemembersFilesAsTheyWere) {
  const TestDirectory directory;
  const std::string file = directory.path() + "/state";
  auto state = ScanState::load(file, "key").value();
  state.remember_clean("/a", {1, 2, 3});
  state.remember_clean("/b\n", {4, 5, 6});
  ASSERT_TRUE(state.save(file));
  EXPECT_TRUE(knows(file, "/a", {1, 2, 3}));
  EXPECT_TRUE(knows(file, "/b\n", {4, 5, 6}));
  EXPECT_FALSE(knows(file, "/a", {2, 2, 3}));
  EXPECT_FALSE(knows(file, "/a", {1, 3, 3}));
  EXPECT_FALSE(knows(file, "/a", {1, 2, 4}));
  EXPECT_FALSE(knows(file, "/b", {4, 5, 6}));
  EXPECT_FALSE(ScanState::load(file, "other")->was_clean("/a", {1, 2, 3}));
}

TEST(ScanState, ForgetsWhatIsGoneButNotWhenItWasInterrupted) {
  const TestDirectory directory;
  const std::string file = directory.path() + "/state";
  auto first = ScanState::load(file, "key").value();
  first.remember_clean("/a", {1, 2, 3});
  ASSERT_TRUE(first.save(file));
  auto interrupted = ScanState::load(file, "key").value();
  interrupted.remember_clean("/b", {1, 2, 3});
  ASSERT_TRUE(interrupted.save(file, true));
  EXPECT_TRUE(knows(file, "/a", {1, 2, 3}));
  EXPECT_TRUE(knows(file, "/b", {1, 2, 3}));
  auto whole = ScanState::load(file, "key").value();
  whole.remember_clean("/b", {1, 2, 3});
  ASSERT_TRUE(whole.save(file));
  EXPECT_FALSE(knows(file, "/a", {1, 2, 3}));
  EXPECT_TRUE(knows(file, "/b", {1, 2, 3}));
}

// Whatever a crash, a full disk or somebody left there: everything is scanned again.
TEST(ScanState, BelievesNothingThatIsDamaged) {
  const TestDirectory directory;
  const std::string file = directory.path() + "/state";
  auto state = ScanState::load(file, "key").value();
  state.remember_clean("/a", {1, 2, 3});
  ASSERT_TRUE(state.save(file));
  const std::string whole = content_of(file);
  ASSERT_TRUE(knows(file, "/a", {1, 2, 3}));
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    directory.write("state", whole.substr(0, bytes));
    EXPECT_FALSE(knows(file, "/a", {1, 2, 3})) << bytes;
    std::string flipped = whole;
    flipped[bytes] = static_cast<char>(flipped[bytes] ^ 1);
    directory.write("state", flipped);
    EXPECT_FALSE(knows(file, "/a", {1, 2, 3})) << bytes;
  }
}

TEST(ScanState, SaysWhatItCannotUse) {
  const TestDirectory directory;
  auto state = ScanState::load(directory.path() + "/none", "key").value();
  EXPECT_FALSE(state.save("/proc/none/state"));
  EXPECT_FALSE(ScanState::load(directory.path(), "key"));
}

}  // namespace
}  // namespace masugata::av
