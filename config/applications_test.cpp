// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/applications.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace masugata::config {
namespace {

std::string with_rule(const std::string& statements, const std::string& sets = "") {
  return "interfaces { interface lan0 { device net_null0; address 10.0.0.1/24; } "
         "interface wan0 { device net_null1; address 192.0.2.1/24; } }\n"
         "zones { zone lan { interface lan0; } zone wan { interface wan0; } }\n"
         "sets {" +
         sets +
         "}\n"
         "policy { from lan to wan { rule r {" +
         statements +
         " action deny; } "
         "rule rest { action permit; } } }\n";
}

Loaded load(const std::string& text) { return load_text(text, "test"); }

std::string problems_of(const Loaded& loaded) {
  std::string text;
  for (const Problem& problem : loaded.problems)
    text += problem.what + " | " + problem.accepted + "\n";
  return text;
}

TEST(Applications, HaveNamesInOrder) {
  ASSERT_GT(application_count(), 200U);
  EXPECT_EQ(application_name(kUnknownApplication), "unknown");
  for (ApplicationId id = 0; id < application_count(); ++id) {
    EXPECT_EQ(find_application(application_name(id)), id);
  }
  EXPECT_EQ(find_application("BitTorrent"), find_application("bittorrent"));
  EXPECT_EQ(find_application("no-such-thing"), std::nullopt);
  EXPECT_EQ(category_of(find_application("bittorrent").value()), ApplicationCategory::PeerToPeer);
  EXPECT_EQ(find_category("p2p"), ApplicationCategory::PeerToPeer);
}

TEST(Applications, SuggestNearNames) {
  EXPECT_EQ(applications_like("bittorent", 3), std::vector<std::string>{"bittorrent"});
  EXPECT_EQ(applications_like("youtub", 3).front(), "youtube");
  EXPECT_TRUE(applications_like("quarterly-report", 3).empty());
}

TEST(Applications, AreReadInRules) {
  const Loaded loaded = load(
      with_rule("application [ BitTorrent youtube ]; application-category games; "
                "domain [ social *.example.org ];",
                "domain-set social { domain [ example.com Facebook.com. ]; file /tmp/list; }"));
  ASSERT_TRUE(loaded.model) << problems_of(loaded);
  const PolicyRule& rule = loaded.model->policy.at(0).rules.at(0);
  EXPECT_TRUE(rule.depends_on_application());
  ASSERT_EQ(rule.applications.size(), 2U);
  EXPECT_EQ(application_name(rule.applications[0]), "bittorrent");
  EXPECT_EQ(rule.categories, std::vector{ApplicationCategory::Games});
  EXPECT_EQ(rule.domains, (std::vector<net::DomainPattern>{{"example.org", true}}));
  ASSERT_EQ(rule.domain_sets.size(), 1U);
  const DomainSet& set = loaded.model->domain_sets.at(rule.domain_sets[0]);
  EXPECT_EQ(set.domains.at(1).name, "facebook.com");
  EXPECT_EQ(set.file, "/tmp/list");
  EXPECT_TRUE(loaded.problems.empty()) << problems_of(loaded);
}

TEST(Applications, RefusesUnknownNamesAndSaysWhichAreNear) {
  EXPECT_NE(problems_of(load(with_rule("application bittorent;")))
                .find("no application 'bittorent' is recognised | bittorrent"),
            std::string::npos);
  EXPECT_FALSE(load(with_rule("application-category gmaes;")).model);
  EXPECT_NE(problems_of(load(with_rule("domain blocked;", "domain-set blockd { domain a.net; }")))
                .find("no domain set 'blocked' is defined | blockd"),
            std::string::npos);
  EXPECT_FALSE(load(with_rule("domain a..net;")).model);
  EXPECT_FALSE(load(with_rule("", "domain-set empty { description x; }")).model);
}

TEST(Applications, DoNotShadowLaterRules) {
  const Loaded loaded = load(with_rule("application-category games;"));
  ASSERT_TRUE(loaded.model) << problems_of(loaded);
  EXPECT_TRUE(loaded.problems.empty()) << problems_of(loaded);
}

}  // namespace
}  // namespace masugata::config
