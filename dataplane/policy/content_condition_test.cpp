// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/policy/content_condition.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "dataplane/policy/policy.h"
#include "dataplane/policy/policy_compile.h"

namespace masugata::dataplane {
namespace {

using config::Action;
using config::ApplicationCategory;

constexpr config::ZoneIndex kLan = 1, kWan = 2;

config::ApplicationId named(const char* name) { return config::find_application(name).value(); }

class ContentPolicy : public testing::Test {
 protected:
  ContentPolicy() {
    for (const char* name : {"self", "lan", "wan"}) {
      config::Zone zone;
      zone.name = name;
      model_.zones.push_back(std::move(zone));
    }
    model_.policy.emplace_back();
    model_.policy.back().from = kLan;
    model_.policy.back().to = kWan;
  }
  config::PolicyRule& add(const char* name, Action action) {
    model_.policy[0].rules.emplace_back();
    model_.policy[0].rules.back().name = name;
    model_.policy[0].rules.back().action = action;
    return model_.policy[0].rules.back();
  }
  void compile(std::time_t now = 0) {
    auto tables = compile_policy(model_);
    ASSERT_TRUE(tables.has_value()) << tables.error().message();
    tables_ = std::move(*tables);
    masks_ = tables_.masks_at(now);
  }
  // What the destination is known by.
  struct Names final : NameSource {
    AddressNames known;
    [[nodiscard]] AddressNames names_of(const net::IpAddress&) const noexcept override {
      return known;
    }
  };
  void know(std::initializer_list<const char*> names, bool more = false) {
    names_.known = {};
    for (const char* name : names) names_.known.names[names_.known.count++] = name;
    names_.known.more = more;
  }
  [[nodiscard]] PolicyDecision decide(const ApplicationFacts& content, uint16_t port = 443) const {
    PacketFacts facts;
    facts.key = {*net::IpAddress::parse("10.0.0.1"), *net::IpAddress::parse("10.0.0.2"),
                 net::Be16::from_host(1025), net::Be16::from_host(port), net::Protocol::Tcp};
    facts.content = content;
    facts.names = &names_;
    return tables_.decide(kLan, kWan, facts, masks_);
  }
  [[nodiscard]] std::string rule(const ApplicationFacts& content, uint16_t port = 443) const {
    return tables_.rules()[decide(content, port).rule].name;
  }
  static ApplicationFacts known(const char* application, const char* carrier = "unknown",
                                const char* host = "") {
    return {true, named(application), named(carrier), host};
  }

  config::Model model_;
  PolicyTables tables_;
  PolicyMasks masks_;
  Names names_;
};

TEST_F(ContentPolicy, AddressWithForbiddenNamesAloneIsDeniedAtOnce) {
  add("no", Action::Deny).domains = {{"forbidden.example", false}};
  add("rest", Action::Permit);
  compile();
  EXPECT_TRUE(tables_.asks_domains());
  EXPECT_TRUE(tables_.mentions("www.forbidden.example"));
  EXPECT_FALSE(tables_.mentions("www.example"));
  EXPECT_EQ(rule({}), "rest");
  know({"www.forbidden.example", "forbidden.example"});
  EXPECT_EQ(rule({}), "no");
  // An address that others share waits for the name that the session shows.
  know({"www.forbidden.example", "harmless.example"});
  EXPECT_EQ(rule({}), "rest");
  EXPECT_TRUE(decide({}).depends_on_content);
  know({"www.forbidden.example"}, true);
  EXPECT_EQ(rule({}), "rest");
}

TEST_F(ContentPolicy, ShownNameCountsMoreThanThoseOfTheAddress) {
  add("no", Action::Deny).domains = {{"forbidden.example", false}};
  add("rest", Action::Permit);
  compile();
  know({"www.forbidden.example", "harmless.example"});
  EXPECT_EQ(rule(known("tls", "unknown", "harmless.example")), "rest");
  EXPECT_EQ(rule(known("tls", "unknown", "forbidden.example")), "no");
  // It shows none: any name of the address decides.
  EXPECT_EQ(rule(known("unknown")), "no");
  know({"harmless.example"});
  EXPECT_EQ(rule(known("unknown")), "rest");
}

TEST_F(ContentPolicy, AddressWithPermittedNamesIsPermittedByThatRuleAtOnce) {
  config::PolicyRule& partner = add("partner", Action::Permit);
  partner.domains = {{"partner.example", false}};
  partner.inspect.ips = "strict";
  compile();
  know({"vpn.partner.example"});
  const PolicyDecision decision = decide({}, 1194);
  EXPECT_EQ(tables_.rules()[decision.rule].name, "partner");
  EXPECT_FALSE(decision.provisional);
  // It may still show another name, and is asked again then.
  EXPECT_TRUE(decision.depends_on_content);
  EXPECT_EQ(rule(known("tls", "unknown", "other.example")), "default deny");
  EXPECT_EQ(rule(known("unknown")), "partner");
  know({});
  EXPECT_EQ(rule(known("unknown")), "default deny");
}

TEST_F(ContentPolicy, NamesOfAddressesDoNotDecideForApplications) {
  config::PolicyRule& no = add("no", Action::Deny);
  no.domains = {{"forbidden.example", false}};
  no.applications = {named("bittorrent")};
  add("rest", Action::Permit);
  compile();
  know({"forbidden.example"});
  EXPECT_EQ(rule({}), "rest");
  EXPECT_EQ(rule(known("bittorrent")), "no");
  EXPECT_EQ(rule(known("unknown")), "rest");
}

TEST_F(ContentPolicy, RuleThatSleepsDoesNotDecideByNames) {
  config::PolicyRule& no = add("no", Action::Deny);
  no.domains = {{"forbidden.example", false}};
  no.until = std::chrono::sys_seconds(std::chrono::seconds(10));
  add("rest", Action::Permit);
  compile(20);
  know({"forbidden.example"});
  EXPECT_EQ(rule({}), "rest");
}

TEST_F(ContentPolicy, DeniesWhatIsRecognised) {
  add("no-p2p", Action::Deny).categories = {ApplicationCategory::PeerToPeer};
  add("rest", Action::Permit);
  compile();
  EXPECT_TRUE(tables_.depends_on_content());
  const PolicyDecision before = decide({});
  EXPECT_EQ(tables_.rules()[before.rule].name, "rest");
  EXPECT_TRUE(before.depends_on_content);
  EXPECT_FALSE(before.provisional);
  EXPECT_EQ(rule(known("bittorrent")), "no-p2p");
  EXPECT_EQ(rule(known("tls")), "rest");
  EXPECT_EQ(rule(known("unknown")), "rest");
  // It may turn to something else.
  EXPECT_TRUE(decide(known("tls")).depends_on_content);
}

TEST_F(ContentPolicy, PermitsProvisionallyUntilItIsKnown) {
  add("video", Action::Permit).applications = {named("youtube")};
  compile();
  EXPECT_TRUE(decide({}).provisional);
  EXPECT_EQ(rule({}), "video");
  EXPECT_EQ(decide({}).action, Action::Permit);
  EXPECT_EQ(rule(known("youtube", "tls")), "video");
  EXPECT_FALSE(decide(known("youtube", "tls")).provisional);
  EXPECT_EQ(rule(known("tls")), "default deny");
}

TEST_F(ContentPolicy, NamesWhatCarriesAnApplicationToo) {
  add("tls", Action::Permit).applications = {named("tls")};
  compile();
  EXPECT_EQ(rule(known("youtube", "tls")), "tls");
  EXPECT_EQ(rule(known("http")), "default deny");
}

TEST_F(ContentPolicy, ADenialBeforeIsNotProvisional) {
  add("no", Action::Deny).services = {{net::Protocol::Tcp, {}, {25, 25}, {}, {}}};
  add("video", Action::Permit).applications = {named("youtube")};
  compile();
  EXPECT_EQ(rule({}, 25), "no");
  EXPECT_FALSE(decide({}, 25).provisional);
  EXPECT_EQ(rule({}, 443), "video");
}

TEST_F(ContentPolicy, AsksNothingWhereNoSuchRuleCanMatch) {
  config::PolicyRule& web = add("no-social", Action::Deny);
  web.categories = {ApplicationCategory::Social};
  web.services = {{net::Protocol::Tcp, {}, {443, 443}, {}, {}}};
  add("rest", Action::Permit);
  compile();
  EXPECT_TRUE(decide({}, 443).depends_on_content);
  EXPECT_FALSE(decide({}, 22).depends_on_content);
}

TEST_F(ContentPolicy, DomainsMatchBesidesApplications) {
  config::PolicyRule& both = add("both", Action::Deny);
  both.applications = {named("tls")};
  both.domains = {{"example.com", false}};
  add("rest", Action::Permit);
  compile();
  EXPECT_EQ(rule(known("tls", "unknown", "www.example.com")), "both");
  EXPECT_EQ(rule(known("http", "unknown", "www.example.com")), "rest");
  EXPECT_EQ(rule(known("tls", "unknown", "example.net")), "rest");
  EXPECT_EQ(rule(known("tls")), "rest");
}

TEST_F(ContentPolicy, SleepingRulesAskForContentsButDoNotDecide) {
  config::PolicyRule& later = add("later", Action::Deny);
  later.applications = {named("youtube")};
  later.until = std::chrono::sys_seconds(std::chrono::seconds(100));
  add("rest", Action::Permit);
  compile(50);
  EXPECT_EQ(rule(known("youtube")), "later");
  compile(100);
  EXPECT_EQ(rule(known("youtube")), "rest");
  EXPECT_TRUE(decide({}).depends_on_content);
}

TEST_F(ContentPolicy, InspectsFromTheFirstPacketWhatARuleAboutContentsWantsInspected) {
  config::PolicyRule& video = add("video", Action::Permit);
  video.applications = {named("youtube")};
  video.inspect.ips = "strict";
  add("rest", Action::Permit);
  compile();
  EXPECT_NE(decide({}).inspection, kNoInspection);
  EXPECT_EQ(decide(known("tls")).inspection, kNoInspection);
}

TEST_F(ContentPolicy, ReadsDomainFilesAndSaysWhatIsWrongInThem) {
  const std::string path = testing::TempDir() + "masugata-domains";
  std::ofstream(path) << "0.0.0.0 ads.example.net\n";
  config::DomainSet set;
  set.name = "ads";
  set.place.line = 7;
  set.file = path;
  model_.domain_sets = {set};
  add("ads", Action::Deny).domain_sets = {0};
  add("rest", Action::Permit);
  compile();
  EXPECT_EQ(rule(known("dns", "unknown", "x.ads.example.net")), "ads");
  std::ofstream(path) << "good.net\n\n||bad^\n";
  const auto refused = compile_policy(model_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().where, "line 7, domain-set ads");
  EXPECT_NE(refused.error().what.find("line 3: '||bad^'"), std::string::npos)
      << refused.error().what;
  std::remove(path.c_str());
  EXPECT_FALSE(compile_policy(model_).has_value());
}

TEST_F(ContentPolicy, RulesWithoutConditionsAreAsTheyWere) {
  add("all", Action::Permit);
  compile();
  EXPECT_FALSE(tables_.depends_on_content());
  EXPECT_FALSE(decide({}).depends_on_content);
}

}  // namespace
}  // namespace masugata::dataplane
