// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/domain_set.h"

#include <gtest/gtest.h>

namespace masugata::net {
namespace {

DomainSet set_of(std::initializer_list<const char*> names) {
  DomainSet set;
  for (const char* name : names) set.add(parse_domain_pattern(name).value());
  return set;
}

TEST(DomainPattern, TakesNamesAsPeopleWriteThem) {
  EXPECT_EQ(parse_domain_pattern("Example.COM."), (DomainPattern{"example.com", false}));
  EXPECT_EQ(parse_domain_pattern("*.example.com"), (DomainPattern{"example.com", true}));
  EXPECT_EQ(parse_domain_pattern("_dmarc.a-b.org"), (DomainPattern{"_dmarc.a-b.org", false}));
}

TEST(DomainPattern, RefusesWhatIsNoName) {
  for (const char* wrong : {"", ".", "*", "*.", "a..b", ".a", "a.*.b", "a b", "a/b", "exa\xe9.fr",
                            "http://example.com"}) {
    EXPECT_EQ(parse_domain_pattern(wrong), std::nullopt) << wrong;
  }
  EXPECT_TRUE(parse_domain_pattern(std::string(63, 'a')));
  EXPECT_FALSE(parse_domain_pattern(std::string(64, 'a')));
  std::string longest;
  for (int label = 0; label < 126; ++label) longest += "a.";
  EXPECT_TRUE(parse_domain_pattern(longest + "b"));
  EXPECT_FALSE(parse_domain_pattern(longest + "bb"));
}

TEST(DomainSet, MatchesOnLabelBoundaries) {
  const DomainSet set = set_of({"example.com", "*.example.org"});
  EXPECT_TRUE(set.matches("example.com"));
  EXPECT_TRUE(set.matches("a.b.example.com"));
  EXPECT_FALSE(set.matches("notexample.com"));
  EXPECT_FALSE(set.matches("example.com.evil.net"));
  EXPECT_FALSE(set.matches("com"));
  EXPECT_TRUE(set.matches("www.example.org"));
  EXPECT_FALSE(set.matches("example.org"));
  EXPECT_FALSE(set.matches(""));
}

TEST(DomainSet, HoldsANameThatIsGivenBothWays) {
  EXPECT_TRUE(set_of({"*.a.net", "a.net"}).matches("a.net"));
  EXPECT_TRUE(set_of({"a.net", "*.a.net"}).matches("a.net"));
}

TEST(DomainList, ReadsListsAndHostsFiles) {
  DomainSet set;
  const auto report = read_domain_list(
      "# a list\nexample.com\r\n\n0.0.0.0 ads.example.net track.example.net # two\n"
      "  *.example.org  \n::1 localhost",
      100, set);
  EXPECT_EQ(report.names, 5U);
  EXPECT_EQ(report.first_wrong, 0U);
  EXPECT_TRUE(set.matches("track.example.net"));
  EXPECT_TRUE(set.matches("x.example.org"));
  EXPECT_FALSE(set.matches("0.0.0.0"));
}

TEST(DomainList, ReportsTheFirstWrongLineAndGoesOn) {
  DomainSet set;
  const auto report = read_domain_list("a.net\n||ads^\nb..c\nd.net\n", 100, set);
  EXPECT_EQ(report.names, 2U);
  EXPECT_EQ(report.first_wrong, 2U);
  EXPECT_EQ(report.wrong, "||ads^");
  EXPECT_TRUE(set.matches("d.net"));
}

TEST(DomainList, EndsAtItsBound) {
  DomainSet set;
  const auto report = read_domain_list("a.net\nb.net\nc.net\n", 2, set);
  EXPECT_TRUE(report.too_many);
  EXPECT_EQ(set.size(), 2U);
}

}  // namespace
}  // namespace masugata::net
