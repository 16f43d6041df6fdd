// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/charon/daemon_settings.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <regex>

namespace masugata::ipsec {
namespace {

TEST(DaemonSettings, LogsNoKeys) {
  DaemonSettings settings;
  settings.log_file = "/run/log";
  const auto text = daemon_configuration(settings);
  ASSERT_TRUE(text);
  // Every level that is set anywhere.
  const std::regex level("(default|ike|cfg|asn|enc|knl|net|lib|chd|mgr|dmn|job|esp) = ([0-9]+)");
  size_t found = 0;
  for (std::sregex_iterator each(text->begin(), text->end(), level), end; each != end; ++each) {
    ++found;
    EXPECT_LT(std::stoi((*each)[2]), 2) << (*each)[0];
  }
  EXPECT_EQ(found, 2U);
}

TEST(DaemonSettings, ADeadPeerIsNoticedInHalfAMinute) {
  EXPECT_NEAR(give_up_after_seconds(), 26.4, 0.1);
  const auto text = daemon_configuration({});
  EXPECT_NE(text->find("kernel-masugata!"), std::string::npos) << "without it nothing must start";
  EXPECT_NE(text->find("make_before_break = yes"), std::string::npos);
  EXPECT_NE(text->find("socket = unix:///run/masugata/charon.vici"), std::string::npos);
}

TEST(DaemonSettings, RefusesWordsThatAreMore) {
  for (const char* word : {"a b", "x}\ncharon { y", "", "a\"b"}) {
    DaemonSettings settings;
    settings.vici_socket = word;
    EXPECT_FALSE(daemon_configuration(settings)) << word;
  }
}

TEST(DaemonSettings, WritesOnlyWhatChanged) {
  const std::string path = testing::TempDir() + "masugata-strongswan-" + std::to_string(::getpid());
  EXPECT_EQ(*write_daemon_configuration(path, {}), true);
  EXPECT_EQ(*write_daemon_configuration(path, {}), false);
  struct stat about {};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777U, 0600U);
  DaemonSettings settings;
  settings.nat_keep_alive_seconds = 30;
  EXPECT_EQ(*write_daemon_configuration(path, settings), true);
  ::unlink(path.c_str());
  EXPECT_FALSE(write_daemon_configuration("/nonexistent/x", {}));
}

}  // namespace
}  // namespace masugata::ipsec
