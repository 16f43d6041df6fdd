// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/inspection/event_log.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace masugata::dataplane {
namespace {

class EventLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = ::testing::TempDir() + "event-log-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] std::string content(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(path(name)).rdbuf();
    return text.str();
  }

  std::filesystem::path folder_;
  EventLog log_;
};

TEST_F(EventLogTest, BeginsANewFileAtItsQuota) {
  ASSERT_TRUE(log_.open(path("eve.json"), 8));
  log_.write("one");
  log_.write("two");
  log_.write("three");
  EXPECT_EQ(content("eve.json.1"), "one\ntwo\n");
  EXPECT_EQ(content("eve.json"), "three\n");
  EXPECT_EQ(log_.lines(), 3U);
}

TEST_F(EventLogTest, GoesOnInTheFileThatTheConfigurationNamesNow) {
  ASSERT_TRUE(log_.open(path("a"), 1000));
  log_.write("one");
  ASSERT_TRUE(log_.open(path("a"), 1000));
  log_.write("two");
  ASSERT_TRUE(log_.open(path("b"), 1000));
  log_.write("three");
  EXPECT_EQ(content("a"), "one\ntwo\n");
  EXPECT_EQ(content("b"), "three\n");
}

TEST_F(EventLogTest, TriesAgainWhileItsFileCannotBeWritten) {
  // A file stands where the folder should be.
  std::ofstream(path("folder")) << "";
  EXPECT_FALSE(log_.open(path("folder/eve.json"), 1000));
  log_.write("lost");
  EXPECT_EQ(log_.failed(), 1U);

  std::filesystem::remove(path("folder"));
  LineRing ring(1U << 16U);
  ring.line("kept");
  log_.write_waiting({&ring});
  EXPECT_EQ(content("folder/eve.json"), "kept\n");
  EXPECT_EQ(log_.failed(), 1U);
}

}  // namespace
}  // namespace masugata::dataplane
