// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/names/name_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace masugata::dataplane {
namespace {

net::IpAddress address(uint32_t number) {
  return net::IpAddress::from_v4(net::Be32::from_host(0x0a000000U + number));
}

NameLesson lesson(uint32_t number, std::string_view name, uint32_t life_s = 600,
                  bool mentioned = false) {
  NameLesson made;
  made.address = address(number);
  made.lifetime_s = life_s;
  made.mentioned = mentioned;
  made.set_name(name);
  return made;
}

class Table : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(table_.allocate(memory_, 8, {})); }
  [[nodiscard]] std::vector<std::string> names(uint32_t number, uint32_t now_s,
                                               bool also_expired = false) const {
    const AddressNames found = table_.find(address(number), now_s, also_expired);
    std::vector<std::string> list(found.names.begin(), found.names.begin() + found.count);
    std::sort(list.begin(), list.end());
    return list;
  }
  using Names = std::vector<std::string>;
  HeapMemory memory_;
  NameTable table_;
};

TEST_F(Table, KnowsNamesUntilTheyExpire) {
  EXPECT_EQ(table_.learn(lesson(1, "a.example", 100), 1000), Learnt::Added);
  EXPECT_EQ(table_.learn(lesson(1, "b.example", 200), 1000), Learnt::Added);
  EXPECT_EQ(names(1, 1099), (Names{"a.example", "b.example"}));
  EXPECT_EQ(names(1, 1100), (Names{"b.example"}));
  EXPECT_EQ(names(1, 1200), Names{});
  EXPECT_EQ(names(1, 1200, true), (Names{"a.example", "b.example"}));
  EXPECT_EQ(names(2, 1000), Names{});
  EXPECT_EQ(table_.size(), 1U);
}

TEST_F(Table, RenewingNeverShortens) {
  (void)table_.learn(lesson(1, "a.example", 1000), 0);
  EXPECT_EQ(table_.learn(lesson(1, "a.example", 10), 100), Learnt::Renewed);
  EXPECT_EQ(names(1, 999), (Names{"a.example"}));
  EXPECT_EQ(table_.learn(lesson(1, "a.example", 1000), 100), Learnt::Renewed);
  EXPECT_EQ(names(1, 1099), (Names{"a.example"}));
}

TEST_F(Table, FifthNameTakesThePlaceOfTheLeastWorthAndIsSaid) {
  (void)table_.learn(lesson(1, "a.example", 100, true), 0);
  for (const char* name : {"b.example", "c.example", "d.example"}) {
    (void)table_.learn(lesson(1, name, name[0] == 'c' ? 50 : 500), 0);
  }
  EXPECT_FALSE(table_.find(address(1), 0, false).more);
  EXPECT_EQ(table_.learn(lesson(1, "e.example"), 0), Learnt::Replaced);
  EXPECT_EQ(names(1, 0), (Names{"a.example", "b.example", "d.example", "e.example"}));
  EXPECT_TRUE(table_.find(address(1), 49, false).more);
  EXPECT_FALSE(table_.find(address(1), 50, false).more);
}

TEST_F(Table, ExpiredNamesGiveWayFirst) {
  for (const char* name : {"a.example", "b.example", "c.example"}) {
    (void)table_.learn(lesson(1, name, 500), 0);
  }
  (void)table_.learn(lesson(1, "d.example", 10, true), 0);
  EXPECT_EQ(table_.learn(lesson(1, "e.example", 500), 20), Learnt::Added);
  EXPECT_EQ(names(1, 20), (Names{"a.example", "b.example", "c.example", "e.example"}));
  EXPECT_FALSE(table_.find(address(1), 20, false).more);
}

TEST_F(Table, FullBucketLosesWhatNoRuleSpeaksOf) {
  // One bucket of eight.
  for (uint32_t i = 0; i < 8; ++i) {
    (void)table_.learn(lesson(i, "a.example", i == 5 ? 9000 : 100 + i, i != 5), 0);
  }
  EXPECT_EQ(table_.learn(lesson(100, "b.example", 300, false), 0), Learnt::Replaced);
  EXPECT_EQ(names(5, 0), Names{});
  EXPECT_EQ(names(100, 0), (Names{"b.example"}));
  EXPECT_EQ(table_.learn(lesson(101, "b.example", 300, true), 0), Learnt::Replaced);
  EXPECT_EQ(names(100, 0), Names{});
  // Only names that rules speak of are left: the one that expires first goes.
  EXPECT_EQ(table_.learn(lesson(102, "b.example", 300, true), 0), Learnt::Replaced);
  EXPECT_EQ(names(0, 0), Names{});
  EXPECT_EQ(table_.size(), 8U);
}

TEST_F(Table, LongNamesAreKnownByTheirEnd) {
  const std::string host = std::string(60, 'x') + "." + std::string(60, 'y') + ".example.com";
  (void)table_.learn(lesson(1, host), 0);
  EXPECT_EQ(names(1, 0), (Names{host.substr(host.size() - kKnownNameBytes)}));
}

}  // namespace
}  // namespace masugata::dataplane
