// SPDX-License-Identifier: GPL-2.0-or-later
// Without a gateway; tests/cli has one. What stands in an archive of a running one: tests/lab.
#include "mgmt-cli/support/support_archive.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "mgmt-cli/support/archive_file.h"
#include "mgmt-cli/support/local_facts.h"

namespace masugata::cli {
namespace {

class SupportArchiveTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "masugata-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path(const char* name) const { return (folder_ / name).string(); }

  std::filesystem::path folder_;
};

TEST_F(SupportArchiveTest, IsMadeWithoutAGatewayToo) {
  const auto made = make_support_archive(path("a.tar.gz"), path("no.sock"));
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->path, path("a.tar.gz"));
  EXPECT_EQ(made->bytes, std::filesystem::file_size(made->path));
  EXPECT_EQ(made->sha256.size(), 64U);
  EXPECT_GT(made->pieces, 5U);
  EXPECT_GT(made->left_out, 20U) << "what the gateway would have said";
  struct stat about {};
  ASSERT_EQ(stat(made->path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777U, 0600U);
}

TEST_F(SupportArchiveTest, NeverWritesOverAFile) {
  std::ofstream(path("a.tar.gz")) << "mine";
  EXPECT_FALSE(make_support_archive(path("a.tar.gz"), path("no.sock")));
  std::filesystem::create_symlink(path("elsewhere"), path("link"));
  EXPECT_FALSE(make_support_archive(path("link"), path("no.sock")));
  EXPECT_FALSE(std::filesystem::exists(path("elsewhere")));
  std::ifstream file(path("a.tar.gz"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "mine");
}

TEST_F(SupportArchiveTest, WhatIsNotFinishedIsDeleted) {
  {
    auto file = ArchiveFile::create(path("half"));
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->add("x/y.txt", "content"));
    EXPECT_TRUE(std::filesystem::exists(path("half")));
  }
  EXPECT_FALSE(std::filesystem::exists(path("half")));
}

TEST_F(SupportArchiveTest, TheDigestIsThatOfTheFile) {
  auto file = ArchiveFile::create(path("a"));
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->add("empty.txt", ""));
  const auto finished = file->finish();
  ASSERT_TRUE(finished);
  FILE* program = popen(("sha256sum " + path("a")).c_str(), "r");
  ASSERT_NE(program, nullptr);
  char digits[65] = {};
  EXPECT_EQ(fread(digits, 1, 64, program), 64U);
  pclose(program);
  EXPECT_EQ(finished->sha256, digits);
}

TEST_F(SupportArchiveTest, OfALogTheLastWholeLinesAreTaken) {
  std::ofstream(path("log")) << "first line\nsecond line\nthird line\n";
  EXPECT_EQ(end_of_file(path("log"), 1000).value(), "first line\nsecond line\nthird line\n");
  EXPECT_EQ(end_of_file(path("log"), 20).value(), "third line\n");
  EXPECT_EQ(beginning_of_file(path("log"), 5).value(), "first");
  EXPECT_FALSE(end_of_file(path("none"), 20));
  EXPECT_FALSE(beginning_of_file(folder_.string(), 20)) << "a folder is no file";
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_FALSE(end_of_file(path("pipe"), 20)) << "nor does a pipe hold it up";
}

TEST_F(SupportArchiveTest, KnowsAProcess) {
  const auto words = words_of_process(getpid());
  ASSERT_FALSE(words.empty());
  EXPECT_NE(words[0].find("mgmt_cli_test"), std::string::npos);
  const auto same = processes_named("mgmt_cli_test");
  EXPECT_NE(std::find(same.begin(), same.end(), getpid()), same.end());
}

}  // namespace
}  // namespace masugata::cli
