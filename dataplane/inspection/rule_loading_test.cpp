// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/inspection/rule_loading.h"

#include <gtest/gtest.h>

namespace masugata::dataplane {
namespace {

using namespace std::chrono_literals;

ids::RuleSet some_rules() {
  return ids::read_rules(
      {{"t.rules", R"(alert udp any any -> any any (content:"a"; classtype:trojan-activity; sid:1;)
drop udp any any -> any any (content:"b"; sid:2;)
pass udp any any -> any any (content:"c"; sid:3;))"}},
      ids::RuleEnvironment::defaults());
}

const std::chrono::system_clock::time_point kNow(std::chrono::seconds(1'800'000'000));

config::IpsException exception(const char* range) {
  config::IpsException made;
  made.source = {*net::AddressRange::parse(range)};
  return made;
}

TEST(ApplyProfile, OverridesAndLeavesOut) {
  config::IpsProfile profile;
  profile.overrides.resize(2);
  profile.overrides[0].classtype = "trojan-activity";
  profile.overrides[0].action = config::IpsAction::Drop;
  profile.overrides[1].sids = {2, 2};
  profile.overrides[1].action = config::IpsAction::Disable;
  ids::RuleSet rules = some_rules();
  LoadedProfile loaded;
  apply_profile(profile, kNow, rules, loaded);
  ASSERT_EQ(rules.rules.size(), 2U);
  EXPECT_EQ(rules.rules[0].action, ids::RuleAction::Drop);
  EXPECT_EQ(loaded.disabled, 1U);
  EXPECT_EQ(loaded.overridden, 1U);
}

TEST(ApplyProfile, DetectionOnlyReports) {
  config::IpsProfile profile;
  profile.prevent = false;
  ids::RuleSet rules = some_rules();
  LoadedProfile loaded;
  apply_profile(profile, kNow, rules, loaded);
  EXPECT_EQ(rules.rules[1].action, ids::RuleAction::Alert);
  EXPECT_EQ(rules.rules[2].action, ids::RuleAction::Pass);
}

TEST(ApplyProfile, ExceptionsCountUntilTheyEnd) {
  config::IpsProfile profile;
  profile.exceptions = {exception("10.0.1.0/24"), exception("10.0.2.9"), exception("10.0.3.9")};
  profile.exceptions[0].source.push_back(*net::AddressRange::parse("10.0.1.7"));
  profile.exceptions[0].source.push_back(*net::AddressRange::parse("10.0.0.1"));
  profile.exceptions[1].until = std::chrono::time_point_cast<std::chrono::seconds>(kNow);
  profile.exceptions[2].until = std::chrono::time_point_cast<std::chrono::seconds>(kNow + 1h);
  profile.exceptions[2].sids = {{5, 7}};
  ids::RuleSet rules = some_rules();
  LoadedProfile loaded;
  apply_profile(profile, kNow, rules, loaded);
  ASSERT_EQ(rules.exceptions.size(), 2U);
  const ids::AddressSet& merged = rules.exceptions[0].source;
  EXPECT_FALSE(merged.any);
  ASSERT_EQ(merged.ranges.size(), 2U) << "sorted and disjoint";
  EXPECT_EQ(merged.ranges[1].second.to_string(), "10.0.1.255");
  EXPECT_TRUE(rules.exceptions[0].destination.any);
  EXPECT_EQ(rules.exceptions[1].sids[0].second, 7U);

  config::IpsSettings settings;
  settings.profiles = {profile};
  EXPECT_EQ(next_expiry(settings, kNow), kNow + 1h);
  EXPECT_EQ(next_expiry(settings, kNow + 1h), std::nullopt);
}

}  // namespace
}  // namespace masugata::dataplane
