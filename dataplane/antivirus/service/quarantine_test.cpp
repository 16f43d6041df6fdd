// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/quarantine.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <numeric>
#include <sstream>

namespace masugata::dataplane {
namespace {

using Bytes = std::vector<uint8_t>;

class QuarantineTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "masugata-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path() const { return (folder_ / "kept" / "here").string(); }
  [[nodiscard]] std::filesystem::path file(const std::string& name) const {
    return std::filesystem::path(path()) / name;
  }

  std::unique_ptr<Quarantine> open(const QuarantineLimits& limits = {}) {
    auto quarantine = std::make_unique<Quarantine>([this] { return now_; });
    const Status configured = quarantine->configure(path(), limits);
    EXPECT_TRUE(configured) << configured.error().message();
    return quarantine;
  }
  QuarantineEntry entry(uint64_t reference) {
    QuarantineEntry made;
    made.reference = reference;
    made.time_s = seconds_of(now_);
    made.signature = "Test.Thing";
    made.name = "../../etc/\"x\"\n";
    return made;
  }
  static Bytes object(size_t size) {
    Bytes bytes(size);
    std::iota(bytes.begin(), bytes.end(), uint8_t{1});
    return bytes;
  }
  static void settle(Quarantine& quarantine) {
    quarantine.wait_until_written();
    quarantine.tick();
  }
  static std::vector<uint64_t> references(const Quarantine& quarantine) {
    std::vector<uint64_t> found;
    for (const auto& each : quarantine.list()) found.push_back(each.reference);
    return found;
  }

  std::filesystem::path folder_;
  WallTime now_ = WallTime(std::chrono::seconds(1'700'000'000));
};

TEST_F(QuarantineTest, KeepsAnObjectSealedAndForRootAlone) {
  auto quarantine = open();
  const std::string text = "a thing that a scanner would find, long enough to be seen";
  ASSERT_TRUE(quarantine->add(entry(7), {text.begin(), text.end()}));
  settle(*quarantine);
  ASSERT_EQ(quarantine->objects(), 1U);
  EXPECT_EQ(quarantine->bytes(), text.size());
  EXPECT_EQ(quarantine->find(7)->name, entry(7).name);
  std::ostringstream raw;
  raw << std::ifstream(file("7.sealed"), std::ios::binary).rdbuf();
  EXPECT_EQ(raw.str().size(), text.size() + 24);
  for (size_t at = 0; at + 4 <= text.size(); at += 4) {
    EXPECT_EQ(raw.str().find(text.substr(at, 4)), std::string::npos);
  }
  for (const std::string& name : {std::string("7.sealed"), std::string("7.json")}) {
    struct stat status {};
    ASSERT_EQ(stat(file(name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
  }
  struct stat status {};
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(QuarantineTest, GivesBackAnyPartOfAnObject) {
  auto quarantine = open();
  const Bytes bytes = object(1000);
  ASSERT_TRUE(quarantine->add(entry(7), bytes));
  settle(*quarantine);
  EXPECT_EQ(*quarantine->read(7, 0, 2000), bytes);
  EXPECT_EQ(*quarantine->read(7, 13, 50), Bytes(bytes.begin() + 13, bytes.begin() + 63));
  EXPECT_EQ(*quarantine->read(7, 999, 50), Bytes(bytes.begin() + 999, bytes.end()));
  EXPECT_TRUE(quarantine->read(7, 1000, 50)->empty());
  EXPECT_FALSE(quarantine->read(8, 0, 50));
}

TEST_F(QuarantineTest, TheOldestGivesWayToSizeAndNumber) {
  auto quarantine = open({3000, 30, 4});
  for (uint64_t reference = 1; reference <= 4; ++reference) {
    now_ += std::chrono::seconds(1);
    ASSERT_TRUE(quarantine->add(entry(reference), object(1000)));
    settle(*quarantine);
  }
  EXPECT_EQ(references(*quarantine), (std::vector<uint64_t>{4, 3, 2}));
  EXPECT_FALSE(std::filesystem::exists(file("1.sealed")));
  EXPECT_FALSE(std::filesystem::exists(file("1.json")));
  EXPECT_FALSE(quarantine->add(entry(5), object(3001)));
  EXPECT_EQ(quarantine->not_kept(), 1U);
  ASSERT_TRUE(quarantine->configure(path(), {3000, 30, 1}));
  EXPECT_EQ(references(*quarantine), (std::vector<uint64_t>{4}));
}

TEST_F(QuarantineTest, WhatIsTooOldEnds) {
  auto quarantine = open({1 << 20, 2, 100});
  ASSERT_TRUE(quarantine->add(entry(1), object(10)));
  settle(*quarantine);
  now_ += std::chrono::hours(48);
  quarantine->tick();
  EXPECT_EQ(quarantine->objects(), 1U);
  now_ += std::chrono::seconds(1);
  quarantine->tick();
  EXPECT_EQ(quarantine->objects(), 0U);
  EXPECT_FALSE(std::filesystem::exists(file("1.sealed")));
}

TEST_F(QuarantineTest, IsThereAgainAfterARestart) {
  {
    auto quarantine = open();
    ASSERT_TRUE(quarantine->add(entry(1), object(10)));
    ASSERT_TRUE(quarantine->add(entry(2), object(20)));
  }
  auto quarantine = open();
  EXPECT_EQ(references(*quarantine), (std::vector<uint64_t>{2, 1}));
  EXPECT_EQ(quarantine->bytes(), 30U);
  EXPECT_EQ(*quarantine->read(2, 0, 100), object(20));
}

TEST_F(QuarantineTest, WhatACrashLeftHalfDoneIsRemoved) {
  {
    auto quarantine = open();
    ASSERT_TRUE(quarantine->add(entry(1), object(10)));
    ASSERT_TRUE(quarantine->add(entry(2), object(10)));
    ASSERT_TRUE(quarantine->add(entry(3), object(10)));
  }
  std::filesystem::resize_file(file("1.sealed"), 20);
  std::filesystem::remove(file("2.json"));
  std::ofstream(file("4.json.new")) << "{";
  std::ofstream(file("5.json")) << "{\"reference\": 6}";
  auto quarantine = open();
  EXPECT_EQ(references(*quarantine), (std::vector<uint64_t>{3}));
  size_t files = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator(path())) ++files;
  EXPECT_EQ(files, 2U);
}

TEST_F(QuarantineTest, RemovesAndReplaces) {
  auto quarantine = open();
  ASSERT_TRUE(quarantine->add(entry(1), object(10)));
  settle(*quarantine);
  ASSERT_TRUE(quarantine->add(entry(1), object(20)));
  settle(*quarantine);
  EXPECT_EQ(quarantine->bytes(), 20U);
  EXPECT_EQ(*quarantine->read(1, 0, 100), object(20));
  EXPECT_TRUE(quarantine->remove(1));
  EXPECT_FALSE(quarantine->remove(1));
  EXPECT_EQ(quarantine->bytes(), 0U);
  EXPECT_FALSE(std::filesystem::exists(file("1.sealed")));
}

TEST_F(QuarantineTest, AFolderThatOthersMayReadIsRefused) {
  std::filesystem::create_directories(path());
  std::filesystem::permissions(path(), std::filesystem::perms(0755));
  Quarantine quarantine([this] { return now_; });
  EXPECT_FALSE(quarantine.configure(path(), {}));
  EXPECT_FALSE(quarantine.add(entry(1), object(10)));
  EXPECT_EQ(quarantine.not_kept(), 1U);
}

}  // namespace
}  // namespace masugata::dataplane
