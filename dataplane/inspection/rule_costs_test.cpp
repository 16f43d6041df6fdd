// SPDX-License-Identifier: GPL-2.0-or-later
// Counts of rules across reloads: while workers count, while they have not adopted the new plan
// yet, and after.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "dataplane/inspection/inspection_manager.h"
#include "dataplane/session/mapped_memory.h"

namespace masugata::dataplane {
namespace {

class RuleCostsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "masugata-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    settings_.rule_files = {(folder_ / "*.rules").string()};
    settings_.cache_folder.clear();
    settings_.profiles.resize(1);
    settings_.profiles[0].name = "office";
    write_rules(
        "alert udp any any -> any any (content:\"a\"; sid:1;)\n"
        "alert udp any any -> any any (content:\"b\"; sid:2;)\n");
    InspectionTargets targets;
    targets.publication = &publication_;
    targets.memory = &memory_;
    targets.inspectors = {&first_, &second_};
    targets.limits.sessions = 64;
    targets.limits.inspected_sessions = 64;
    targets.limits.stream_bytes = 1U << 20U;
    manager_ = std::make_unique<InspectionManager>(std::move(targets));
    ASSERT_TRUE(manager_->configure(settings_, false));
    manager_->finish_loading();
    adopt_all();
  }
  void TearDown() override {
    manager_.reset();
    std::filesystem::remove_all(folder_);
  }
  void write_rules(const std::string& text) { std::ofstream(folder_ / "test.rules") << text; }
  void adopt(Inspector& inspector) { inspector.adopt(publication_.load()); }
  void adopt_all() {
    adopt(first_);
    adopt(second_);
  }
  void reload() {
    ASSERT_TRUE(manager_->reread_rules());
    manager_->finish_loading();
  }
  void tick() {
    std::string ended;
    manager_->tick(ended);
  }
  // As an engine of that worker would, under `set`.
  static void count(const InspectionSet& set, size_t worker, uint32_t sid, uint64_t matches) {
    const InspectionSlot& slot = set.slots[0];
    for (size_t number = 0; number < ids::number_of_rules(*slot.plan); ++number) {
      if (ids::rule_of(*slot.plan, number).sid != sid) continue;
      ids::RuleCost& cost = slot.costs->of_worker(worker)[number];
      cost.matches.add(matches);
      cost.alerts.add(matches);
      cost.checks.add(2 * matches);
      cost.cycles.add(100 * matches);
      cost.last_match_us.set(1000 * matches);
    }
  }
  [[nodiscard]] RuleCount count_of(uint32_t sid) const {
    const RuleCounts counts = manager_->rule_counts(0);
    const auto found = counts.find(sid);
    return found == counts.end() ? RuleCount{} : found->second;
  }

  std::filesystem::path folder_;
  config::IpsSettings settings_;
  std::atomic<const InspectionSet*> publication_{nullptr};
  MappedMemory memory_;
  Inspector first_;
  Inspector second_;
  std::unique_ptr<InspectionManager> manager_;
};

TEST_F(RuleCostsTest, WorkersAddUp) {
  EXPECT_TRUE(manager_->rule_counts(0).empty());
  count(*manager_->running(), 0, 1, 3);
  count(*manager_->running(), 1, 1, 4);
  EXPECT_EQ(count_of(1).matches, 7U);
  EXPECT_EQ(count_of(1).last_match_us, 4000U);
  EXPECT_EQ(count_of(2).matches, 0U);
}

TEST_F(RuleCostsTest, ARuleThatIsLoadedAgainGoesOnCounting) {
  const InspectionSet* before = manager_->running();
  count(*before, 0, 2, 5);
  write_rules("alert udp any any -> any any (content:\"b\"; sid:2; rev:2;)\n");
  reload();
  ASSERT_NE(manager_->running()->slots[0].plan, before->slots[0].plan);
  adopt(first_);
  tick();
  // The second worker has not adopted: the old plan still counts.
  count(*before, 1, 2, 1);
  count(*manager_->running(), 0, 2, 10);
  EXPECT_EQ(count_of(2).matches, 16U);
  adopt(second_);
  tick();
  EXPECT_EQ(count_of(2).matches, 16U);
  count(*manager_->running(), 1, 2, 1);
  EXPECT_EQ(count_of(2).matches, 17U);
  EXPECT_EQ(count_of(2).cycles, 1700U);
}

TEST_F(RuleCostsTest, OtherChoicesWithTheSameRulesCountOnce) {
  count(*manager_->running(), 0, 1, 5);
  settings_.profiles[0].overload = config::InspectionFailure::Pass;
  ASSERT_TRUE(manager_->configure(settings_, false));
  EXPECT_EQ(count_of(1).matches, 5U);
  adopt_all();
  tick();
  EXPECT_EQ(count_of(1).matches, 5U);
  reload();
  adopt_all();
  tick();
  EXPECT_EQ(count_of(1).matches, 5U);
}

TEST_F(RuleCostsTest, ClearedHitsStartAgainWhateverPlanHoldsThem) {
  const InspectionSet* before = manager_->running();
  count(*before, 0, 1, 5);
  reload();
  count(*before, 1, 1, 2);
  manager_->clear_rule_hits();
  EXPECT_EQ(count_of(1).matches, 0U);
  EXPECT_EQ(count_of(1).checks, 14U);
  count(*before, 1, 1, 3);
  EXPECT_EQ(count_of(1).matches, 3U);
  adopt_all();
  tick();
  EXPECT_EQ(count_of(1).matches, 3U);
  EXPECT_EQ(count_of(1).alerts, 3U);
}

TEST_F(RuleCostsTest, ProfilingStartsAgainEachTimeItIsSwitchedOn) {
  count(*manager_->running(), 0, 1, 5);
  manager_->set_profiling(true);
  EXPECT_TRUE(manager_->is_profiling());
  EXPECT_EQ(count_of(1).checks, 0U);
  EXPECT_EQ(count_of(1).matches, 5U);
  count(*manager_->running(), 0, 1, 1);
  manager_->set_profiling(true);
  EXPECT_EQ(count_of(1).checks, 2U);
  manager_->set_profiling(false);
  EXPECT_EQ(count_of(1).checks, 2U);
}

TEST_F(RuleCostsTest, NothingIsLostOrCountedTwiceWhileAWorkerRuns) {
  constexpr uint64_t kTurns = 200'000;
  std::atomic<bool> done{false};
  adopt(second_);
  std::thread worker([&] {
    for (uint64_t turn = 0; turn < kTurns; ++turn) {
      const InspectionSet* set = publication_.load(std::memory_order_acquire);
      first_.adopt(set);
      count(*set, 0, 1, 1);
    }
    done = true;
  });
  uint64_t seen = 0;
  while (!done) {
    reload();
    adopt(second_);
    tick();
    const uint64_t now = count_of(1).matches;
    EXPECT_GE(now, seen);
    seen = now;
  }
  worker.join();
  adopt_all();
  tick();
  EXPECT_EQ(count_of(1).matches, kTurns);
}

TEST_F(RuleCostsTest, RereadingNeedsSomethingToRead) {
  std::filesystem::remove(folder_ / "test.rules");
  EXPECT_FALSE(manager_->reread_rules());
  EXPECT_EQ(manager_->report().state, RuleLoadState::Ready);
  EXPECT_EQ(manager_->report().loaded.files.size(), 1U);
}

}  // namespace
}  // namespace masugata::dataplane
