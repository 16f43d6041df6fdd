// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/reading/values.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace masugata::config::reading {
namespace {

TEST(ParsePorts, TakesOnePortOrARange) {
  EXPECT_EQ(parse_ports("443"), (PortRange{443, 443}));
  EXPECT_EQ(parse_ports("1-65535"), (PortRange{1, 65535}));
  for (const char* text : {"", "0", "65536", "9-5", "1-", "-1", "1-2-3", "80x", " 80", "0-5"}) {
    EXPECT_FALSE(parse_ports(text)) << text;
  }
}

TEST(ParseProtocol, TakesNamesAndNumbers) {
  EXPECT_EQ(parse_protocol("tcp"), net::Protocol::Tcp);
  EXPECT_EQ(parse_protocol("58"), net::Protocol::Icmpv6);
  EXPECT_FALSE(parse_protocol("256"));
  EXPECT_FALSE(parse_protocol("TCP"));
}

TEST(ParseIcmpType, KnowsBothFamilies) {
  EXPECT_EQ(parse_icmp_type("echo-request", net::Protocol::Icmp), 8);
  EXPECT_EQ(parse_icmp_type("echo-request", net::Protocol::Icmpv6), 128);
  EXPECT_EQ(parse_icmp_type("packet-too-big", net::Protocol::Icmpv6), 2);
  EXPECT_FALSE(parse_icmp_type("packet-too-big", net::Protocol::Icmp));
  EXPECT_EQ(parse_icmp_type("255", net::Protocol::Icmp), 255);
  EXPECT_FALSE(parse_icmp_type("256", net::Protocol::Icmp));
  EXPECT_FALSE(parse_icmp_type("echo", net::Protocol::Icmp));
}

TEST(ParseHours, TakesHoursOfTheDay) {
  Schedule schedule;
  EXPECT_TRUE(parse_hours("09:00-18:30", schedule));
  EXPECT_EQ(schedule.from_minute, 9 * 60);
  EXPECT_EQ(schedule.to_minute, 18 * 60 + 30);
  EXPECT_TRUE(parse_hours("00:00-24:00", schedule));
  EXPECT_TRUE(parse_hours("22:00-06:00", schedule));
  for (const char* text : {"", "9:00-18:00", "09:00", "24:00-06:00", "09:00-24:01", "09:60-10:00",
                           "09:00-09:00", "25:00-26:00", "0a:00-10:00"}) {
    EXPECT_FALSE(parse_hours(text, schedule)) << text;
  }
}

class ParseMoment : public ::testing::Test {
 protected:
  // Berlin has summer time; the rule is written out so that no time zone files are needed.
  void SetUp() override {
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
  }
  void TearDown() override {
    unsetenv("TZ");
    tzset();
  }
};

TEST_F(ParseMoment, IsLocalTime) {
  // 17:00 UTC in winter, 16:00 UTC in summer.
  EXPECT_EQ(parse_moment("2026-12-01 18:00")->time_since_epoch().count(), 1796144400);
  EXPECT_EQ(parse_moment("2026-07-01 18:00")->time_since_epoch().count(), 1782921600);
  EXPECT_EQ(parse_moment("2026-12-01")->time_since_epoch().count(), 1796144400 - 18 * 3600);
}

TEST_F(ParseMoment, RefusesDaysThatAreNotInTheCalendar) {
  EXPECT_TRUE(parse_moment("2028-02-29"));
  for (const char* text : {"2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31",
                           "2026-12-01 24:00", "2026-12-01 18:60", "2026-12-01T18:0", ""}) {
    EXPECT_FALSE(parse_moment(text)) << text;
  }
}

}  // namespace
}  // namespace masugata::config::reading
