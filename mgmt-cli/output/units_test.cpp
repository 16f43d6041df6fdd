// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/output/units.h"

#include <gtest/gtest.h>

namespace masugata::cli {
namespace {

TEST(Units, Counts) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(Units, Bytes) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1 KiB");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes(16777216), "16 MiB");
  EXPECT_EQ(format_bytes(1048575), "1 MiB");
  EXPECT_EQ(format_bytes(UINT64_MAX), "16777216 TiB");
}

TEST(Units, Durations) {
  EXPECT_EQ(format_duration(0), "0s");
  EXPECT_EQ(format_duration(59), "59s");
  EXPECT_EQ(format_duration(60), "1m");
  EXPECT_EQ(format_duration(75), "1m 15s");
  EXPECT_EQ(format_duration(7440), "2h 4m");
  EXPECT_EQ(format_duration(93784), "1d 2h");
}

TEST(Units, Rates) {
  EXPECT_EQ(format_rate(0), "0");
  EXPECT_EQ(format_rate(0.01), "<0.1");
  EXPECT_EQ(format_rate(2.5), "2.5");
  EXPECT_EQ(format_rate(3), "3");
  EXPECT_EQ(format_rate(1234.4), "1,234");
}

TEST(Units, SpeedsSharesAndPlurals) {
  EXPECT_EQ(format_speed(0), "");
  EXPECT_EQ(format_speed(100), "100 Mbit/s");
  EXPECT_EQ(format_speed(2500), "2.5 Gbit/s");
  EXPECT_EQ(format_percent(12.34), "12.3 %");
  EXPECT_EQ(format_number_of(1, "rule"), "1 rule");
  EXPECT_EQ(format_number_of(0, "rule"), "0 rules");
  EXPECT_EQ(format_usage(1234, 65536), "1,234 of 65,536 (2 %)");
  EXPECT_EQ(format_usage(1, 65536), "1 of 65,536 (<1 %)");
  EXPECT_EQ(format_usage(0, 65536), "0 of 65,536 (0 %)");
  EXPECT_EQ(format_usage(5, 0), "5");
}

}  // namespace
}  // namespace masugata::cli
