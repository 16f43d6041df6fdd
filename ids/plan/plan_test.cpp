// SPDX-License-Identifier: GPL-2.0-or-later
// Where rules are placed, in which order, by which pattern; the cache of databases.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "ids/plan/compiled_rules.h"
#include "ids/plan/fast_pattern.h"

namespace masugata::ids {
namespace {

std::shared_ptr<const DetectionPlan> plan_of(const std::string& text,
                                             const PlanOptions& options = {}) {
  auto plan =
      compile_plan(read_rules({{"test.rules", text}}, RuleEnvironment::defaults()), options);
  EXPECT_TRUE(plan) << (plan ? "" : plan.error().message());
  EXPECT_TRUE((*plan)->set.problems.empty());
  return *plan;
}

std::string order_of(const std::string& text) {
  std::string sids;
  const auto plan = plan_of(text);
  for (const CompiledRule& rule : plan->rules) {
    sids += (sids.empty() ? "" : " ") + std::to_string(rule.rule->sid);
  }
  return sids;
}

TEST(Order, IsByActionThenPriorityThenSid) {
  EXPECT_EQ(order_of("alert ip any any -> any any (sid:9; priority:1;)\n"
                     "drop ip any any -> any any (sid:3;)\n"
                     "reject ip any any -> any any (sid:2;)\n"
                     "pass ip any any -> any any (sid:5;)\n"
                     "alert ip any any -> any any (sid:1;)\n"
                     "alert ip any any -> any any (sid:8; priority:1;)\n"),
            "5 3 2 8 9 1");
}

TEST(Order, OfActionsIsAChoice) {
  const std::string rules =
      "alert ip any any -> any any (sid:1;)\ndrop ip any any -> any any (sid:2;)\n"
      "rejectsrc ip any any -> any any (sid:3;)\npass ip any any -> any any (sid:4;)\n"
      "rejectdst ip any any -> any any (sid:5;)\n";
  PlanOptions options;
  options.action_order = {RuleAction::Drop, RuleAction::RejectBoth, RuleAction::Alert,
                          RuleAction::Pass};
  std::string sids;
  const auto plan = plan_of(rules, options);
  for (const CompiledRule& rule : plan->rules) {
    sids += std::to_string(rule.rule->sid);
  }
  EXPECT_EQ(sids, "23514");
}

TEST(Order, SetsBitsBeforeItAsksForThem) {
  EXPECT_EQ(order_of("alert ip any any -> any any (flowbits:isset,c; sid:1;)\n"
                     "alert ip any any -> any any (flowbits:isset,b; flowbits:set,c; sid:2;)\n"
                     "alert ip any any -> any any (flowbits:isset,a; flowbits:set,b; sid:3;)\n"
                     "alert ip any any -> any any (flowbits:set,a; sid:4;)\n"
                     "alert ip any any -> any any (sid:5; priority:1;)\n"),
            "4 3 2 1 5");
}

TEST(Order, EndsWhenRulesDependOnEachOther) {
  EXPECT_EQ(order_of("alert ip any any -> any any (flowbits:isset,a; flowbits:set,b; sid:1;)\n"
                     "alert ip any any -> any any (flowbits:isset,b; flowbits:set,a; sid:2;)\n")
                .size(),
            3U);
}

RuleKind kind_of(const std::string& rule) { return plan_of(rule)->rules.at(0).kind; }

TEST(Kinds, FollowWhatARuleAsksFor) {
  EXPECT_EQ(kind_of("alert ip 10.0.0.1 any -> any any (sid:1;)"), RuleKind::Address);
  EXPECT_EQ(kind_of("alert tcp any any -> any 80 (sid:1;)"), RuleKind::Packet);
  EXPECT_EQ(kind_of("alert tcp any any -> any any (flags:S; sid:1;)"), RuleKind::Packet);
  EXPECT_EQ(kind_of("alert tcp any any -> any any (content:\"a\"; sid:1;)"), RuleKind::Stream);
  EXPECT_EQ(kind_of("alert tcp any any -> any any (content:\"a\"; dsize:1; sid:1;)"),
            RuleKind::Packet);
  EXPECT_EQ(kind_of("alert udp any any -> any any (content:\"a\"; sid:1;)"), RuleKind::Packet);
  EXPECT_EQ(kind_of("alert tcp any any -> any any (app-layer-protocol:http; sid:1;)"),
            RuleKind::ProtocolKnown);
  EXPECT_EQ(kind_of("alert http any any -> any any (http.uri; content:\"a\"; sid:1;)"),
            RuleKind::Transaction);
  EXPECT_EQ(kind_of("alert http any any -> any any (sid:1;)"), RuleKind::Packet);
}

std::string pattern_of(const std::string& matches) {
  const RuleSet set =
      read_rules({{"test.rules", "alert http any any -> any any (" + matches + " sid:1;)"}},
                 RuleEnvironment::defaults());
  EXPECT_EQ(set.rules.size(), 1U);
  const auto pattern = choose_fast_pattern(set.rules.at(0));
  return pattern ? std::string(pattern->bytes) : "none";
}

TEST(FastPattern, IsTheOneThatTellsMost) {
  EXPECT_EQ(pattern_of("http.uri; content:\"/a\"; content:\"/longer-and-rare\";"),
            "/longer-and-rare");
  EXPECT_EQ(pattern_of("http.method; content:\"GET\"; http.uri; content:\"/page.php\";"),
            "/page.php");
  EXPECT_EQ(pattern_of("http.uri; content:!\"/absent-page\"; content:\"/p\";"), "/p");
  EXPECT_EQ(pattern_of("http.uri; content:\"/longer-and-rare\"; content:\"/x\"; fast_pattern;"),
            "/x");
  EXPECT_EQ(pattern_of("http.uri; content:\"abcdefgh\"; fast_pattern:2,4;"), "cdef");
  EXPECT_EQ(pattern_of("http.uri; pcre:\"/a+/\";"), "none");
}

class Cache : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::shared_ptr<const DetectionPlan> compile(const char* content) {
    PlanOptions options;
    options.cache_folder = folder_;
    return plan_of(
        "alert udp any any -> any any (content:\"" + std::string(content) + "\"; sid:1;)", options);
  }
  std::string folder_ = std::filesystem::temp_directory_path().string() + "/masugata-plan-cache-" +
                        std::to_string(getpid());
};

TEST_F(Cache, GivesBackWhatWasCompiled) {
  EXPECT_FALSE(compile("one")->facts.from_cache);
  EXPECT_TRUE(compile("one")->facts.from_cache);
  EXPECT_FALSE(compile("two")->facts.from_cache);
}

TEST_F(Cache, DamagedFilesAreCompiledAnew) {
  EXPECT_FALSE(compile("one")->facts.from_cache);
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(200);
    file.put('\x55');
    file.put('\x56');
  }
  EXPECT_FALSE(compile("one")->facts.from_cache);
  EXPECT_TRUE(compile("one")->facts.from_cache) << "and kept again";
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    std::filesystem::resize_file(entry.path(), 100);
  }
  EXPECT_FALSE(compile("one")->facts.from_cache);
}

TEST(PatternGroup, FindsAllRulesOfALiteral) {
  PatternGroup group;
  group.add("Evil", false, 1);
  group.add("EVIL", true, 2);
  group.add("evil", true, 3);
  group.add("other", false, 4);
  bool from_cache = true;
  ASSERT_TRUE(group.compile("", from_cache));
  EXPECT_FALSE(from_cache);
  EXPECT_EQ(group.longest(), 5U);
  EXPECT_NE(group.database(), nullptr);
}

}  // namespace
}  // namespace masugata::ids
