// SPDX-License-Identifier: GPL-2.0-or-later
// For tests that need a kernel of their own: an empty network namespace per test.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace masugata::dataplane {

// Every test starts in a new namespace with nothing but a loopback. Needs root.
class NetworkNamespaceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(unshare(CLONE_NEWNET), 0) << "tests of the kernel side run as root";
    run("ip link set lo up");
  }

  static void run(const std::string& command) {
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }

  static std::string output_of(const std::string& command) {
    std::string text;
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return text;
    std::array<char, 512> piece{};
    while (std::fgets(piece.data(), piece.size(), pipe) != nullptr) text += piece.data();
    pclose(pipe);
    return text;
  }
};

}  // namespace masugata::dataplane
