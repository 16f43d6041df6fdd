// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/listening_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "dataplane/control/peer_role.h"

namespace masugata::dataplane::control {
namespace {

class ListeningSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "masugata-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path() const { return (folder_ / "control.sock").string(); }

  std::filesystem::path folder_;
};

TEST_F(ListeningSocketTest, CreatesAndRemovesItsFile) {
  {
    const auto socket = ListeningSocket::create(path(), 0660, std::nullopt);
    ASSERT_TRUE(socket) << socket.error().message();
    struct stat status {};
    ASSERT_EQ(stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0660U);
  }
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(ListeningSocketTest, RefusesASecondListenerAndReplacesADeadOne) {
  {
    const auto first = ListeningSocket::create(path(), 0600, std::nullopt);
    ASSERT_TRUE(first);
    const auto second = ListeningSocket::create(path(), 0600, std::nullopt);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().what.find("another masugatad"), std::string::npos);
    EXPECT_TRUE(std::filesystem::exists(path()));
    // A second name of the socket survives its listener, as after a crash.
    std::filesystem::create_hard_link(path(), folder_ / "dead.sock");
  }
  EXPECT_TRUE(ListeningSocket::create((folder_ / "dead.sock").string(), 0600, std::nullopt));
}

TEST_F(ListeningSocketTest, RefusesOtherFilesAndBadPaths) {
  std::ofstream(path()) << "precious";
  EXPECT_FALSE(ListeningSocket::create(path(), 0600, std::nullopt));
  EXPECT_TRUE(std::filesystem::exists(path()));
  EXPECT_FALSE(ListeningSocket::create("", 0600, std::nullopt));
  EXPECT_FALSE(ListeningSocket::create(std::string(108, 'x'), 0600, std::nullopt));
  const auto missing = ListeningSocket::create((folder_ / "a/b").string(), 0600, std::nullopt);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().what.find("directory"), std::string::npos);
}

TEST(RolesByGroup, DecidesByUserAndGroups) {
  const auto roles = roles_by_group(700, false);
  EXPECT_EQ(roles({0, 5, 1, {}}), Role::Administrator);
  EXPECT_EQ(roles({geteuid(), 5, 1, {}}), Role::Administrator);
  EXPECT_EQ(roles({4000000, 700, 1, {}}), Role::Administrator);
  EXPECT_EQ(roles({4000000, 5, 1, {6, 700}}), Role::Administrator);
  EXPECT_EQ(roles({4000000, 5, 1, {6}}), std::nullopt);
  EXPECT_EQ(roles_by_group(std::nullopt, true)({4000000, 5, 1, {}}), Role::Observer);
}

TEST(PeerCredentials, AreThoseOfTheOtherEnd) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const auto peer = peer_credentials(ends[0]);
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->user, geteuid());
  EXPECT_EQ(peer->process, getpid());
  close(ends[0]);
  close(ends[1]);
  EXPECT_FALSE(peer_credentials(ends[0]));
}

}  // namespace
}  // namespace masugata::dataplane::control
