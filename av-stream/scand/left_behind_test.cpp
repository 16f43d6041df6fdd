// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/left_behind.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "av-stream/scand/test_bench.h"

namespace masugata::av {
namespace {

TEST(LeftBehind, SeesFoldersOfScans) {
  const TestDirectory directory;
  const LeftBehind left(directory.path());
  EXPECT_FALSE(left.too_much());
  const std::string folder = directory.path() + "/scan";
  ASSERT_EQ(mkdir(folder.c_str(), 0700), 0);
  EXPECT_TRUE(left.too_much());
  ASSERT_EQ(rmdir(folder.c_str()), 0);
  EXPECT_FALSE(left.too_much());
}

TEST(LeftBehind, SeesOpenDescriptors) {
  const TestDirectory directory;
  const LeftBehind left(directory.path());
  std::vector<Descriptor> open;
  for (int count = 0; count < LeftBehind::kDescriptors / 2; ++count) {
    open.emplace_back(dup(STDIN_FILENO));
  }
  EXPECT_FALSE(left.too_much());
  for (int count = 0; count < LeftBehind::kDescriptors; ++count) {
    open.emplace_back(dup(STDIN_FILENO));
  }
  EXPECT_TRUE(left.too_much());
  open.clear();
  EXPECT_FALSE(left.too_much());
}

TEST(LeftBehind, SaysSoWhereItCannotSee) {
  const LeftBehind left("/there/is/no/such/folder");
  EXPECT_TRUE(left.too_much());
}

}  // namespace
}  // namespace masugata::av
