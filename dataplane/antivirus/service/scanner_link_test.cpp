// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/scanner_link.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace masugata::dataplane {
namespace {

using Json = nlohmann::json;

// The other side is played by the test.
class ScannerLinkTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "masugata-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    auto loop = control::EventLoop::create([this] { return now_ms_; });
    ASSERT_TRUE(loop);
    loop_ = std::move(*loop);
    link_ = std::make_unique<ScannerLink>(
        *loop_, [this](bool, const std::string& text) { said_.push_back(text); });
    ASSERT_TRUE(link_->listen(path()));
  }
  void TearDown() override {
    link_.reset();
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] std::string path() const { return (folder_ / "run" / "scand.sock").string(); }

  void serve() {
    while (loop_->run_once(0) > 0) {
    }
  }
  av::MessageSocket connect() {
    auto socket = av::MessageSocket::connect(path());
    EXPECT_TRUE(socket) << socket.error().message();
    EXPECT_TRUE(socket->send({{"type", "hello"}, {"link_version", 1}}));
    serve();
    return std::move(*socket);
  }
  static std::vector<av::Message> all(av::MessageSocket& socket) {
    std::vector<av::Message> messages;
    for (auto next = socket.receive(); next && *next; next = socket.receive()) {
      messages.push_back(std::move(**next));
    }
    return messages;
  }
  [[nodiscard]] bool was_said(const std::string& text) const {
    for (const std::string& line : said_) {
      if (line.find(text) != std::string::npos) return true;
    }
    return false;
  }

  std::filesystem::path folder_;
  uint64_t now_ms_ = 1000;
  std::unique_ptr<control::EventLoop> loop_;
  std::unique_ptr<ScannerLink> link_;
  std::vector<std::string> said_;
};

TEST_F(ScannerLinkTest, OnlyItsOwnUserCanConnect) {
  struct stat status {};
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(ScannerLinkTest, WhoConnectsIsGivenSettingsAndRegions) {
  av::ScandSettings settings;
  settings.signature_directories = {"/somewhere"};
  settings.scanners = 3;
  link_->configure(settings);
  auto region = memfd_create("region", MFD_CLOEXEC);
  link_->give_regions({region, region});
  auto socket = connect();
  EXPECT_TRUE(link_->connected());
  const auto messages = all(socket);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].type(), "settings");
  EXPECT_EQ(*av::read_settings(messages[0].body), settings);
  EXPECT_EQ(messages[1].type(), "regions");
  EXPECT_EQ(messages[1].descriptors.size(), 2U);
  close(region);
}

TEST_F(ScannerLinkTest, WhatChangesIsSentAndWhatDoesNotIsNot) {
  auto socket = connect();
  av::ScandSettings settings;
  settings.scanners = 4;
  link_->configure(settings);
  link_->configure(settings);
  const auto region = memfd_create("region", MFD_CLOEXEC);
  link_->give_regions({region});
  link_->give_regions({region});
  EXPECT_TRUE(link_->reload());
  std::vector<std::string> types;
  for (const auto& message : all(socket)) types.push_back(message.type());
  EXPECT_EQ(types, (std::vector<std::string>{"settings", "regions", "reload"}));
  close(region);
}

TEST_F(ScannerLinkTest, StatusIsRemembered) {
  auto socket = connect();
  ASSERT_TRUE(socket.send({{"type", "status"},
                           {"engine", "ready"},
                           {"version", "00000000000000ab"},
                           {"signatures", 12},
                           {"built", 1'000'000},
                           {"files", {{{"path", "/a.cvd"}, {"version", 7}, {"built", 1'000'000}}}},
                           {"scanners", {{{"process", 41}, {"busy_ms", 5}, {"objects", 6}}}},
                           {"counters", {{"crashes", 2}}}}));
  serve();
  ASSERT_TRUE(link_->status());
  const ScannerStatus& status = *link_->status();
  EXPECT_EQ(status.engine, "ready");
  EXPECT_EQ(status.signatures, 12U);
  EXPECT_EQ(status.crashes, 2U);
  ASSERT_EQ(status.files.size(), 1U);
  EXPECT_EQ(status.files[0].version, 7U);
  ASSERT_EQ(status.scanners.size(), 1U);
  EXPECT_EQ(status.scanners[0].process, 41U);
  EXPECT_TRUE(was_said("12 signatures are in use"));
  EXPECT_EQ(signature_age_days(status, 1'000'000 + 3 * 86'400 + 5), 3U);
  EXPECT_EQ(signature_age_days(status, 5), 0U);
}

TEST_F(ScannerLinkTest, RefusalsAndReplacedScannersAreToldOnce) {
  auto socket = connect();
  const Json status = {{"type", "status"}, {"engine", "ready"}, {"refusal", "own.ndb:3 malformed"}};
  ASSERT_TRUE(socket.send(status));
  ASSERT_TRUE(socket.send(status));
  Json later = status;
  later["counters"] = {{"crashes", 1}};
  ASSERT_TRUE(socket.send(later));
  serve();
  int refusals = 0;
  for (const std::string& line : said_) refusals += line.find("own.ndb:3") != std::string::npos;
  EXPECT_EQ(refusals, 1);
  EXPECT_TRUE(was_said("1 scanners were replaced"));
}

TEST_F(ScannerLinkTest, HostileStatusIsHarmless) {
  auto socket = connect();
  ASSERT_TRUE(socket.send({{"type", "status"},
                           {"engine", 7},
                           {"version", Json::array()},
                           {"signatures", -1},
                           {"files", "x"},
                           {"scanners", {1, Json::object(), {{"process", -5}}}},
                           {"counters", 3}}));
  serve();
  ASSERT_TRUE(link_->status());
  EXPECT_EQ(link_->status()->engine, "none");
  EXPECT_EQ(link_->status()->signatures, 0U);
  EXPECT_EQ(link_->status()->scanners.size(), 2U);
  EXPECT_TRUE(link_->connected());
}

TEST_F(ScannerLinkTest, AfterItsEndTheNextOneIsGreetedAnew) {
  link_->configure({});
  {
    auto first = connect();
    EXPECT_EQ(all(first).size(), 1U);
  }
  serve();
  EXPECT_FALSE(link_->connected());
  EXPECT_FALSE(link_->status());
  EXPECT_FALSE(link_->reload());
  auto second = connect();
  EXPECT_EQ(all(second).size(), 1U);
  EXPECT_EQ(link_->connections(), 2U);
}

TEST_F(ScannerLinkTest, ASecondOneIsTurnedAwayWhileTheFirstIsHeardOf) {
  auto first = connect();
  auto second = connect();
  EXPECT_FALSE(second.receive());
  EXPECT_TRUE(link_->connected());
  now_ms_ += ScannerLink::kSilenceMs;
  serve();
  EXPECT_FALSE(link_->connected());
  auto third = connect();
  EXPECT_TRUE(link_->connected());
}

TEST_F(ScannerLinkTest, AnotherVersionIsNotTalkedTo) {
  auto socket = av::MessageSocket::connect(path());
  ASSERT_TRUE(socket);
  ASSERT_TRUE(socket->send({{"type", "hello"}, {"link_version", 2}}));
  serve();
  EXPECT_FALSE(link_->connected());
}

}  // namespace
}  // namespace masugata::dataplane
