// SPDX-License-Identifier: GPL-2.0-or-later
// The tables beside the rules: reputation files and the geographic database.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "ids/matching/geo_database.h"
#include "ids/matching/ip_reputation.h"

namespace masugata::ids {
namespace {

net::IpAddress address(std::string_view text) { return *net::IpAddress::parse(text); }

TEST(IpReputation, TheLongestNetworkCounts) {
  IpReputationTable table;
  ASSERT_TRUE(
      table.add_categories("categories.txt", "# id,name,text\n1,BadHosts,Bad\n2,Google,G\n"));
  ASSERT_TRUE(table.add_scores("scores.txt",
                               "10.0.0.0/8,1,10\r\n10.1.0.0/16,1,20\n10.1.2.3,1,30\n"
                               "10.1.2.3,2,5\n\n2001:db8::/32, 1, 99\n0.0.0.0/0,2,1\n"));
  EXPECT_EQ(table.score_of(address("10.1.2.3"), 1), std::nullopt);  // not finished
  table.finish();
  EXPECT_EQ(table.size(), 6U);
  EXPECT_EQ(table.score_of(address("10.2.0.1"), 1), 10);
  EXPECT_EQ(table.score_of(address("10.1.0.1"), 1), 20);
  EXPECT_EQ(table.score_of(address("10.1.2.3"), 1), 30);
  EXPECT_EQ(table.score_of(address("10.1.2.3"), 2), 5);
  EXPECT_EQ(table.score_of(address("11.0.0.1"), 1), std::nullopt);
  EXPECT_EQ(table.score_of(address("11.0.0.1"), 2), 1);
  EXPECT_EQ(table.score_of(address("2001:db8::1"), 1), 99);
  // All of IPv4 is not all of IPv6.
  EXPECT_EQ(table.score_of(address("2001:db8::1"), 2), std::nullopt);
  EXPECT_EQ(table.find_category("BadHosts"), 1);
  EXPECT_EQ(table.find_category("badhosts"), std::nullopt);
}

TEST(IpReputation, TheLaterLineOfTheSameNetworkCounts) {
  IpReputationTable table;
  ASSERT_TRUE(table.add_scores("one", "10.0.0.1,1,10\n"));
  table.finish();
  ASSERT_TRUE(table.add_scores("two", "10.0.0.1,1,20\n"));
  table.finish();
  EXPECT_EQ(table.score_of(address("10.0.0.1"), 1), 20);
  EXPECT_EQ(table.size(), 1U);
}

TEST(IpReputation, AWrongLineIsNamedAndChangesNothing) {
  for (const char* text : {"10.0.0.1,1,10\nx,1,10\n", "10.0.0.1,60,10\n", "10.0.0.1,1,128\n",
                           "10.0.0.1,1\n", "10.0.0.1/33,1,1\n"}) {
    IpReputationTable table;
    const auto status = table.add_scores("scores.txt", text);
    ASSERT_FALSE(status.has_value()) << text;
    EXPECT_EQ(status.error().where.find("scores.txt:"), 0U);
    table.finish();
    EXPECT_EQ(table.size(), 0U);
  }
  IpReputationTable table;
  EXPECT_FALSE(table.add_categories("categories.txt", "1,ok,\nmany,bad,\n").has_value());
  EXPECT_EQ(table.find_category("ok"), std::nullopt);
  EXPECT_FALSE(table.add_categories("categories.txt", "1\n").has_value());
}

// The smallest database in MaxMind's format: one node, 0.0.0.0/1 is in Germany.
class DatabaseText {
 public:
  DatabaseText& control(uint8_t type, uint8_t size) {
    return byte(static_cast<uint8_t>(type << 5U | size));
  }
  DatabaseText& byte(uint8_t value) {
    text_ += static_cast<char>(value);
    return *this;
  }
  DatabaseText& string(const std::string& value) {
    control(2, static_cast<uint8_t>(value.size()));
    text_ += value;
    return *this;
  }
  DatabaseText& map(uint8_t size) { return control(7, size); }
  DatabaseText& number16(const std::string& name, uint8_t value) {
    return string(name).control(5, 1).byte(value);
  }
  DatabaseText& raw(const std::string& bytes) {
    text_ += bytes;
    return *this;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string small_database() {
  DatabaseText text;
  // Node 0: the left record points to the data, the right one (= the number of nodes) to nothing.
  text.raw(std::string("\x00\x00\x11\x00\x00\x01", 6)).raw(std::string(16, '\0'));
  text.map(1).string("country").map(1).string("iso_code").string("DE");
  text.raw("\xab\xcd\xefMaxMind.com").map(9);
  text.string("node_count").control(6, 1).byte(1);
  text.number16("record_size", 24).number16("ip_version", 4);
  text.string("database_type").string("Test");
  text.string("languages").control(0, 0).byte(4);  // an extended type: an empty array
  text.number16("binary_format_major_version", 2).number16("binary_format_minor_version", 0);
  text.string("build_epoch").control(0, 1).byte(2).byte(1);  // extended: 64 bits
  text.string("description").map(0);
  return text.text();
}

TEST(GeoDatabase, CountriesOfAddresses) {
  const auto path = std::filesystem::path(testing::TempDir()) / "countries.mmdb";
  std::ofstream(path, std::ios::binary) << small_database();
  const auto database = GeoDatabase::open(path.string());
  ASSERT_TRUE(database.has_value()) << database.error().message();
  EXPECT_EQ((*database)->country_of(address("10.0.0.1")).text(), "DE");
  EXPECT_FALSE((*database)->country_of(address("192.0.2.1")).known());
  EXPECT_EQ((*database)->country_of(address("192.0.2.1")).text(), "");
  EXPECT_FALSE((*database)->country_of(address("2001:db8::1")).known());
  std::filesystem::remove(path);
}

TEST(GeoDatabase, WhatIsNoDatabaseIsRefused) {
  EXPECT_FALSE(GeoDatabase::open("/nonexistent.mmdb").has_value());
  const auto path = std::filesystem::path(testing::TempDir()) / "no-database.mmdb";
  std::ofstream(path) << "text";
  EXPECT_FALSE(GeoDatabase::open(path.string()).has_value());
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace masugata::ids
