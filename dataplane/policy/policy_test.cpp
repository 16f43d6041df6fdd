// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/policy/policy.h"

#include <gtest/gtest.h>

#include "dataplane/policy/policy_compile.h"

namespace masugata::dataplane {
namespace {

using config::Action;
using config::kAnyZone;
using config::kSelfZone;

constexpr config::ZoneIndex kLan = 1, kWan = 2, kDmz = 3;

class PolicyTest : public testing::Test {
 protected:
  PolicyTest() {
    for (const char* name : {"self", "lan", "wan", "dmz"}) {
      config::Zone zone;
      zone.name = name;
      model_.zones.push_back(std::move(zone));
    }
  }
  config::PolicyRule& add(config::ZoneIndex from, config::ZoneIndex to, const char* name,
                          Action action) {
    config::PolicySection section;
    section.from = from;
    section.to = to;
    section.rules.emplace_back();
    section.rules.back().name = name;
    section.rules.back().action = action;
    model_.policy.push_back(std::move(section));
    return model_.policy.back().rules.back();
  }
  void compile(std::time_t now = 0) {
    auto tables = compile_policy(model_);
    ASSERT_TRUE(tables.has_value());
    tables_ = std::move(*tables);
    masks_ = tables_.masks_at(now);
  }
  [[nodiscard]] std::string decide(config::ZoneIndex from, config::ZoneIndex to,
                                   uint16_t port = 80) const {
    PacketFacts facts;
    facts.key = {*net::IpAddress::parse("10.0.0.1"), *net::IpAddress::parse("10.0.0.2"),
                 net::Be16::from_host(1025), net::Be16::from_host(port), net::Protocol::Tcp};
    return tables_.rules()[tables_.decide(from, to, facts, masks_).rule].name;
  }

  config::Model model_;
  PolicyTables tables_;
  PolicyMasks masks_;
};

TEST_F(PolicyTest, WithoutSectionsOnlySelfMaySpeak) {
  compile();
  EXPECT_EQ(decide(kLan, kWan), "default deny");
  EXPECT_EQ(decide(kLan, kSelfZone), "default deny");
  EXPECT_EQ(decide(kSelfZone, kWan), "default permit from self");
}

TEST_F(PolicyTest, AnyIsEveryZoneButSelf) {
  add(kAnyZone, kAnyZone, "all", Action::Permit);
  compile();
  EXPECT_EQ(decide(kLan, kWan), "all");
  EXPECT_EQ(decide(kDmz, kDmz), "all");
  EXPECT_EQ(decide(kLan, kSelfZone), "default deny");
  EXPECT_EQ(decide(kSelfZone, kLan), "default permit from self");
}

TEST_F(PolicyTest, SectionFromSelfEndsItsDefault) {
  add(kSelfZone, kWan, "updates", Action::Permit).services = {
      {net::Protocol::Tcp, {}, {443, 443}, {}, {}}};
  compile();
  EXPECT_EQ(decide(kSelfZone, kWan, 443), "updates");
  EXPECT_EQ(decide(kSelfZone, kWan, 80), "default deny");
  EXPECT_EQ(decide(kSelfZone, kLan, 80), "default permit from self");
}

TEST_F(PolicyTest, AnyToSelfIsNamed) {
  add(kAnyZone, kSelfZone, "ping", Action::Permit);
  compile();
  EXPECT_EQ(decide(kWan, kSelfZone), "ping");
  EXPECT_EQ(decide(kWan, kLan), "default deny");
}

TEST_F(PolicyTest, SectionsApplyInTheOrderWritten) {
  add(kAnyZone, kWan, "first", Action::Deny).services = {
      {net::Protocol::Tcp, {}, {25, 25}, {}, {}}};
  add(kLan, kWan, "second", Action::Permit);
  add(kLan, kAnyZone, "third", Action::Reject);
  compile();
  EXPECT_EQ(decide(kLan, kWan, 25), "first");
  EXPECT_EQ(decide(kLan, kWan, 80), "second");
  EXPECT_EQ(decide(kLan, kDmz, 80), "third");
  EXPECT_EQ(decide(kDmz, kWan, 25), "first");
  EXPECT_EQ(decide(kDmz, kWan, 80), "default deny");
}

TEST_F(PolicyTest, DecisionCarriesWhatTheRuleSays) {
  config::PolicyRule& rule = add(kLan, kWan, "web", Action::Permit);
  rule.log = true;
  rule.session_limit_per_source = 50;
  rule.inspect = {"standard", "strict"};
  add(kLan, kDmz, "plain", Action::Reject);
  compile();
  PacketFacts facts;
  facts.key.source = facts.key.destination = *net::IpAddress::parse("10.0.0.1");
  const PolicyDecision web = tables_.decide(kLan, kWan, facts, masks_);
  EXPECT_EQ(web.rule, kFirstConfiguredRule);
  EXPECT_EQ(web.action, Action::Permit);
  EXPECT_TRUE(web.log);
  EXPECT_EQ(web.session_limit_per_source, 50U);
  EXPECT_EQ(tables_.inspection_profiles()[web.inspection].av, "strict");
  const PolicyDecision plain = tables_.decide(kLan, kDmz, facts, masks_);
  EXPECT_EQ(plain.action, Action::Reject);
  EXPECT_EQ(plain.inspection, kNoInspection);
  EXPECT_EQ(plain.section, 1);
}

TEST_F(PolicyTest, UnknownZonesAreDenied) {
  add(kAnyZone, kAnyZone, "all", Action::Permit);
  compile();
  EXPECT_EQ(decide(kLan, 0xffff), "default deny");
  EXPECT_EQ(decide(77, kWan), "default deny");
}

TEST_F(PolicyTest, ExpiredRuleGivesWayToTheNext) {
  add(kLan, kWan, "guest", Action::Permit).until =
      std::chrono::sys_seconds(std::chrono::seconds(1000));
  add(kLan, kWan, "rest", Action::Reject);
  compile(999);
  EXPECT_EQ(decide(kLan, kWan), "guest");
  EXPECT_EQ(tables_.next_change(999), 1000);
  masks_ = tables_.masks_at(1000);
  EXPECT_EQ(decide(kLan, kWan), "rest");
  EXPECT_EQ(tables_.next_change(1000), std::nullopt);
}

TEST_F(PolicyTest, ZonePairsWithTheSameSectionsShareTheirRules) {
  config::PolicyRule& rule = add(kAnyZone, kAnyZone, "all", Action::Permit);
  for (uint32_t index = 0; index < 3000; ++index) {
    const auto address = net::IpAddress::from_v4(net::Be32::from_host(0x0a000000 + index * 2));
    rule.source.push_back({address, address});
  }
  compile();
  const size_t four_zones = tables_.memory_bytes();
  for (int extra = 0; extra < 12; ++extra) model_.zones.push_back(model_.zones.back());
  compile();
  EXPECT_LT(tables_.memory_bytes(), four_zones + 4096);
}

TEST_F(PolicyTest, TooManyRulesNameTheSection) {
  add(kLan, kWan, "many", Action::Permit);
  model_.policy[0].place.line = 12;
  model_.policy[0].rules.resize(Classifier::kMaximumRules + 1);
  const auto tables = compile_policy(model_);
  ASSERT_FALSE(tables.has_value());
  EXPECT_EQ(tables.error().where, "line 12, policy from lan to wan");
}

TEST_F(PolicyTest, TenThousandRulesCompile) {
  add(kLan, kWan, "first", Action::Permit);
  auto& rules = model_.policy[0].rules;
  rules.clear();
  for (uint32_t index = 0; index < 10000; ++index) {
    config::PolicyRule rule;
    rule.name = "rule-" + std::to_string(index);
    const auto address = net::IpAddress::from_v4(net::Be32::from_host(0x0b000000 + index * 256));
    rule.source.push_back({address, address});
    rule.services = {{net::Protocol::Tcp, {}, {80, 80}, {}, {}}};
    rules.push_back(std::move(rule));
  }
  rules.push_back({});
  rules.back().name = "last";
  compile();
  EXPECT_EQ(tables_.rules().size(), 10001 + kFirstConfiguredRule);
  EXPECT_EQ(decide(kLan, kWan), "last");
}

}  // namespace
}  // namespace masugata::dataplane
