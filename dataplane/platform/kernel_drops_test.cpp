// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/platform/kernel_drops.h"

#include <gtest/gtest.h>

#include <sstream>

namespace masugata::dataplane {
namespace {

constexpr const char* kTable =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop\n"
    "    lo:    1200      10    0    0    0     0          0         0     1200      10    0    0\n"
    " gwwan: 345850830  339202    3 61768    0     0          0         0 259804702  282834 0 7\n"
    "gwwan2:20 2 0 5 0 0 0 0 10 1 0 0\n";

TEST(KernelDrops, AreTheReceivedFramesThatNobodyTook) {
  std::istringstream table(kTable);
  EXPECT_EQ(received_drops(table, "gwwan"), 61768U);
}

TEST(KernelDrops, NeedNoSpaceBehindTheName) {
  std::istringstream table(kTable);
  EXPECT_EQ(received_drops(table, "gwwan2"), 5U);
}

TEST(KernelDrops, AreUnknownForWhatIsNotThere) {
  std::istringstream table(kTable);
  EXPECT_EQ(received_drops(table, "wan"), std::nullopt);
  std::istringstream cut("gwwan: 12 1\n");
  EXPECT_EQ(received_drops(cut, "gwwan"), std::nullopt);
}

TEST(KernelDrops, AreReadFromTheKernel) { EXPECT_EQ(received_drops("no-such-interface"), 0U); }

}  // namespace
}  // namespace masugata::dataplane
