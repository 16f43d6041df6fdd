// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/show_inspection.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "dataplane/session/mapped_memory.h"

namespace masugata::dataplane {
namespace {

constexpr int64_t kNow_s = 1'900'000'000;

class ShowInspectionTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "masugata-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    file_ = (folder_ / "test.rules").string();
    settings_.rule_files = {file_};
    settings_.cache_folder.clear();
    settings_.profiles.resize(2);
    settings_.profiles[0].name = "office";
    settings_.profiles[0].overload = config::InspectionFailure::Pass;
    settings_.profiles[0].overrides.resize(1);
    settings_.profiles[0].overrides[0].sids = {2, 2};
    settings_.profiles[0].overrides[0].action = config::IpsAction::Drop;
    settings_.profiles[1].name = "guests";
    settings_.profiles[1].prevent = false;
    settings_.profiles[1].selection.sids = {{1, 1}};
    std::ofstream(file_) << "alert udp any any -> any any (msg:\"first\"; content:\"a\"; "
                            "classtype:trojan-activity; sid:1; rev:3;)\n"
                            "alert udp any any -> any any (msg:\"second\"; content:\"b\"; "
                            "reference:cve,2021-44228; sid:2;)\n"
                            "alert udp any any -> any any (content:\"c\"; nonsense:1; sid:3;)\n"
                            "# alert udp any any -> any any (content:\"d\"; sid:4;)\n";
    InspectionTargets targets;
    targets.publication = &publication_;
    targets.memory = &memory_;
    targets.inspectors = {&inspector_};
    targets.wall_clock = [this] { return WallTime(std::chrono::seconds(wall_s_)); };
    targets.limits.sessions = 64;
    targets.limits.inspected_sessions = 64;
    targets.limits.stream_bytes = 1U << 20U;
    manager_ = std::make_unique<InspectionManager>(std::move(targets));
  }
  void TearDown() override {
    manager_.reset();
    std::filesystem::remove_all(folder_);
  }
  void load() {
    ASSERT_TRUE(manager_->configure(settings_, false));
    manager_->finish_loading();
    inspector_.adopt(publication_.load());
  }
  // As the worker would in a profile.
  void count(size_t slot, uint32_t sid, uint64_t matches, uint64_t cycles) {
    const InspectionSlot& place = manager_->running()->slots[slot];
    for (size_t number = 0; number < ids::number_of_rules(*place.plan); ++number) {
      if (ids::rule_of(*place.plan, number).sid != sid) continue;
      ids::RuleCost& cost = place.costs->of_worker(0)[number];
      cost.matches.add(matches);
      cost.alerts.add(matches);
      cost.last_match_us.set((kNow_s - 10) * 1'000'000);
      cost.checks.add(2 * matches);
      cost.checks_matched.add(matches);
      cost.cycles.add(cycles);
    }
  }

  int64_t wall_s_ = kNow_s;
  std::filesystem::path folder_;
  std::string file_;
  config::IpsSettings settings_;
  std::atomic<const InspectionSet*> publication_{nullptr};
  MappedMemory memory_;
  Inspector inspector_;
  std::unique_ptr<InspectionManager> manager_;
  EventLog log_;
};

TEST_F(ShowInspectionTest, NothingConfiguredIsNothingSaid) {
  const control::IpsStatus status = ips_status(*manager_, log_, {}, kNow_s);
  EXPECT_EQ(status.load.state, control::IpsLoadState::None);
  EXPECT_FALSE(status.load.ready_seconds_ago);
  EXPECT_TRUE(status.profiles.empty());
  EXPECT_TRUE(ips_hit_list(*manager_, 10, kNow_s).rules.empty());
  EXPECT_FALSE(ips_rule_detail(*manager_, 1, kNow_s));
}

TEST_F(ShowInspectionTest, SaysWhatRunsInEachProfile) {
  load();
  const control::IpsStatus status = ips_status(*manager_, log_, {}, kNow_s);
  EXPECT_EQ(status.load.state, control::IpsLoadState::Ready);
  EXPECT_TRUE(status.load.ready_seconds_ago);
  EXPECT_EQ(status.load.rules, 2U);
  EXPECT_EQ(status.load.disabled, 1U);
  EXPECT_EQ(status.load.unsupported + status.load.wrong, 1U);
  ASSERT_EQ(status.profiles.size(), 2U);
  EXPECT_TRUE(status.profiles[0].ready);
  EXPECT_EQ(status.profiles[0].rules, 2U);
  EXPECT_EQ(status.profiles[0].overridden, 1U);
  EXPECT_EQ(status.profiles[0].choices[2],
            (std::pair<std::string, std::string>("overload", "pass")));
  EXPECT_GT(status.profiles[0].memory_bound, 0U);
  EXPECT_FALSE(status.profiles[1].prevent);
  EXPECT_EQ(status.profiles[1].rules, 1U);
  EXPECT_EQ(status.profiles[1].left_out, 1U);
}

TEST_F(ShowInspectionTest, AFailedLoadKeepsWhatRuns) {
  load();
  std::filesystem::remove(file_);
  ASSERT_TRUE(manager_->configure(settings_, true));
  manager_->finish_loading();
  const control::IpsStatus status = ips_status(*manager_, log_, {}, kNow_s);
  EXPECT_EQ(status.load.state, control::IpsLoadState::Failed);
  EXPECT_NE(status.load.failure.find(file_), std::string::npos) << status.load.failure;
  EXPECT_TRUE(status.load.ready_seconds_ago);
  EXPECT_EQ(status.profiles[0].rules, 2U);
}

TEST_F(ShowInspectionTest, ListsFilesAndProblems) {
  load();
  const control::IpsRuleFiles rules = ips_rule_files(*manager_, 10, kNow_s);
  EXPECT_EQ(rules.files, std::vector<std::string>{file_});
  ASSERT_EQ(rules.problems.size(), 1U);
  EXPECT_EQ(rules.problems[0].line, 3U);
  EXPECT_EQ(rules.problems[0].sid, 3U);
  EXPECT_EQ(rules.problems[0].keyword, "nonsense");
  EXPECT_EQ(rules.total_problems, 1U);
}

TEST_F(ShowInspectionTest, HitsAddUpOverProfilesMostAlertsFirst) {
  load();
  count(0, 1, 5, 500);
  count(1, 1, 2, 100);
  count(0, 2, 9, 400);
  control::IpsHitList hits = ips_hit_list(*manager_, 10, kNow_s);
  ASSERT_EQ(hits.rules.size(), 2U);
  EXPECT_EQ(hits.rules[0].sid, 2U);
  EXPECT_EQ(hits.rules[1].hits, 7U);
  EXPECT_EQ(hits.rules[1].message, "first");
  EXPECT_EQ(hits.rules[1].classtype, "trojan-activity");
  EXPECT_EQ(hits.rules[1].priority, 1U);
  EXPECT_EQ(hits.rules[1].last_seconds_ago, 10U);
  EXPECT_EQ(ips_hit_list(*manager_, 1, kNow_s).rules.size(), 1U);
  EXPECT_EQ(ips_hit_list(*manager_, 1, kNow_s).total, 2U);
  manager_->clear_rule_hits();
  EXPECT_TRUE(ips_hit_list(*manager_, 10, kNow_s).rules.empty());

  const control::IpsCostList costs = ips_cost_list(*manager_, 10);
  EXPECT_FALSE(costs.profiling);
  ASSERT_EQ(costs.rules.size(), 2U);
  EXPECT_EQ(costs.rules[0].sid, 1U);
  EXPECT_EQ(costs.rules[0].checks, 14U);
  EXPECT_DOUBLE_EQ(costs.rules[0].share_percent, 60);
  EXPECT_DOUBLE_EQ(costs.rules[1].cycles_per_check, 400.0 / 18);
}

TEST_F(ShowInspectionTest, ExceptionsEndByTheClockOfTheGateway) {
  using std::chrono::seconds;
  settings_.profiles[0].exceptions.resize(2);
  settings_.profiles[0].exceptions[0].name = "always";
  settings_.profiles[0].exceptions[0].sids = {{1, 1}};
  settings_.profiles[0].exceptions[1].name = "for-a-while";
  settings_.profiles[0].exceptions[1].sids = {{2, 2}};
  settings_.profiles[0].exceptions[1].until = std::chrono::sys_seconds(seconds(kNow_s + 90));
  wall_s_ = kNow_s;
  load();
  control::IpsExceptionList list = ips_exception_list(*manager_, 10, wall_s_);
  ASSERT_EQ(list.total, 2U);
  EXPECT_EQ(list.exceptions[0].name, "always");
  EXPECT_TRUE(list.exceptions[0].holds);
  EXPECT_EQ(list.exceptions[0].until, "");
  EXPECT_FALSE(list.exceptions[0].ends_in_seconds);
  EXPECT_TRUE(list.exceptions[1].holds);
  EXPECT_EQ(list.exceptions[1].ends_in_seconds, 90U);
  EXPECT_EQ(ips_exception_list(*manager_, 1, wall_s_).exceptions.size(), 1U);
  EXPECT_EQ(ips_exception_list(*manager_, 1, wall_s_).total, 2U);

  // Nothing is reloaded while it lasts; when it is over, the rules are loaded without it.
  std::string ended;
  wall_s_ += 89;
  EXPECT_FALSE(manager_->tick(ended));
  EXPECT_EQ(manager_->report().state, RuleLoadState::Ready);
  wall_s_ += 1;
  (void)manager_->tick(ended);
  manager_->finish_loading();
  inspector_.adopt(publication_.load());
  list = ips_exception_list(*manager_, 10, wall_s_);
  EXPECT_TRUE(list.exceptions[0].holds);
  EXPECT_FALSE(list.exceptions[1].holds);
  EXPECT_EQ(list.exceptions[1].ends_in_seconds, 0U);
}

TEST_F(ShowInspectionTest, OneRuleInEachProfile) {
  load();
  count(0, 2, 4, 100);
  const auto rule = ips_rule_detail(*manager_, 2, kNow_s);
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->message, "second");
  EXPECT_EQ(rule->file, file_);
  EXPECT_EQ(rule->line, 2U);
  EXPECT_NE(rule->text.find("sid:2;"), std::string::npos);
  EXPECT_EQ(rule->references, std::vector<std::string>{"cve,2021-44228"});
  ASSERT_EQ(rule->profiles.size(), 2U);
  EXPECT_EQ(rule->profiles[0].action, "drop");
  EXPECT_EQ(rule->profiles[0].hits, 4U);
  EXPECT_EQ(rule->profiles[1].action, "");
  EXPECT_FALSE(ips_rule_detail(*manager_, 3, kNow_s));
}

}  // namespace
}  // namespace masugata::dataplane
