// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/diagnosis/path_search.h"

#include <gtest/gtest.h>

#include <deque>

namespace masugata::ipsec {
namespace {

constexpr uint64_t kTick_ms = 100;

// A path on which packets of up to `passes` bytes come through, once `lost` of them are gone.
struct Path {
  uint16_t passes = 1446;
  uint64_t round_trip_ms = 20;
  uint16_t echoing = 0;  // reflector that answers; kNobody: none
  uint16_t beyond = kNobody;
  uint16_t lose_each = 0;  // every nth packet; 0: none
  uint16_t dies_after = 1000;
  static constexpr uint16_t kNobody = 99;
};

struct Walk {
  PathFinding finding;
  std::vector<uint16_t> sizes;
  uint64_t shortest_gap_ms = 1'000'000;  // between questions behind the first ones
};

Walk walk(const PathSearch::Limits& limits, const Path& path) {
  struct Pending {
    uint16_t sequence;
    PathAnswer kind;
    uint64_t at_ms;
  };
  Walk result;
  PathSearch search(limits, 1000);
  std::deque<Pending> pending;
  uint64_t last_ms = 0;
  uint16_t sent = 0;
  for (uint64_t now_ms = 1000; !search.done() && now_ms < 100'000; now_ms += kTick_ms) {
    while (!pending.empty() && pending.front().at_ms <= now_ms) {
      search.take(pending.front().sequence, pending.front().kind, now_ms);
      pending.pop_front();
    }
    for (const PathQuestion& question : search.next(now_ms)) {
      result.sizes.push_back(question.inner_bytes);
      ++sent;
      if (question.inner_bytes != limits.smallest) {
        if (last_ms != 0)
          result.shortest_gap_ms = std::min(result.shortest_gap_ms, now_ms - last_ms);
        last_ms = now_ms;
      }
      const bool lost = path.lose_each != 0 && sent % path.lose_each == 0;
      if (question.inner_bytes > path.passes || lost || sent > path.dies_after) continue;
      const bool echo = question.reflector == path.echoing;
      if (!echo && question.reflector != path.beyond) continue;
      pending.push_back({question.sequence, echo ? PathAnswer::Echo : PathAnswer::Beyond,
                         now_ms + path.round_trip_ms});
    }
  }
  EXPECT_TRUE(search.done());
  result.finding = search.finding();
  EXPECT_EQ(result.finding.packets, sent);
  EXPECT_LE(sent, PathSearch::kMaximumPackets);
  EXPECT_LE(result.finding.took_ms, PathSearch::kMaximumTime_ms + kTick_ms);
  return result;
}

constexpr PathSearch::Limits kUsual{84, 1446, 1446, 4, 2};

TEST(PathSearch, WhatIsUsualPassesAndNothingIsLarger) {
  const Walk walked = walk(kUsual, {});
  EXPECT_TRUE(walked.finding.answered);
  EXPECT_EQ(walked.finding.passes_bytes, 1446);
  EXPECT_EQ(walked.finding.fails_bytes, 0);
  EXPECT_EQ(walked.finding.packets, 3);  // both reflectors, then one large packet
}

TEST(PathSearch, FindsEachLimitToTheStep) {
  for (uint16_t passes = 84; passes < 1446; passes = static_cast<uint16_t>(passes + 7)) {
    Path path;
    path.passes = passes;
    const PathFinding found = walk(kUsual, path).finding;
    ASSERT_TRUE(found.answered);
    EXPECT_TRUE(found.steady);
    EXPECT_LE(found.passes_bytes, passes);
    EXPECT_GT(found.fails_bytes, passes);
    EXPECT_LT(found.fails_bytes - found.passes_bytes, 2 * kUsual.step) << passes;
    EXPECT_LT(found.took_ms, 15'000U) << passes;
  }
}

TEST(PathSearch, LooksAboveWhatIsUsual) {
  Path path;
  path.passes = 1438;
  const PathFinding found = walk({84, 1280, 1446, 4, 1}, path).finding;
  EXPECT_EQ(found.passes_bytes, 1438);
  EXPECT_EQ(found.fails_bytes, 1442);
}

TEST(PathSearch, ASingleLossIsNoLimit) {
  for (uint16_t each = 3; each <= 5; ++each) {
    Path path;
    path.passes = 1312;
    path.lose_each = each;
    const PathFinding found = walk(kUsual, path).finding;
    ASSERT_TRUE(found.answered);
    EXPECT_GT(found.passes_bytes, 1304) << each;
    EXPECT_LE(found.passes_bytes, 1312) << each;
  }
}

TEST(PathSearch, NobodyAnswers) {
  Path path;
  path.echoing = Path::kNobody;
  const PathFinding found = walk(kUsual, path).finding;
  EXPECT_FALSE(found.answered);
  EXPECT_EQ(found.packets, 2 * PathSearch::kTries);
  EXPECT_LT(found.took_ms, 4000U);
}

TEST(PathSearch, AnErrorFromBeyondDoesWhenThereIsNoEcho) {
  Path path;
  path.echoing = Path::kNobody;
  path.beyond = 1;
  path.passes = 1400;
  const Walk walked = walk(kUsual, path);
  EXPECT_EQ(walked.finding.kind, PathAnswer::Beyond);
  EXPECT_EQ(walked.finding.reflector, 1);
  EXPECT_GT(walked.finding.passes_bytes, 1396);
  // Whoever sends errors sends one in a second.
  EXPECT_GE(walked.shortest_gap_ms, 1000U);
}

TEST(PathSearch, AnEchoIsPreferred) {
  Path path;
  path.echoing = 1;
  path.beyond = 0;
  EXPECT_EQ(walk(kUsual, path).finding.kind, PathAnswer::Echo);
}

TEST(PathSearch, LateAnswersCount) {
  Path path;
  path.passes = 1312;
  path.round_trip_ms = 900;
  const PathFinding found = walk(kUsual, path).finding;
  EXPECT_LE(found.passes_bytes, 1312);
  EXPECT_GT(found.passes_bytes, 1304);
}

TEST(PathSearch, ATunnelThatGoesDownIsNoLimit) {
  Path path;
  path.passes = 1312;
  path.dies_after = 9;
  EXPECT_FALSE(walk(kUsual, path).finding.steady);
}

TEST(PathSearch, AnswersThatNobodyAskedForChangeNothing) {
  PathSearch search(kUsual, 0);
  search.take(1, PathAnswer::Echo, 0);
  EXPECT_FALSE(search.finding().answered);
  const auto questions = search.next(0);
  ASSERT_EQ(questions.size(), 2U);
  search.take(77, PathAnswer::Echo, 10);
  EXPECT_FALSE(search.finding().answered);
  search.take(questions[1].sequence, PathAnswer::Echo, 10);
  EXPECT_TRUE(search.finding().answered);
  search.take(questions[1].sequence, PathAnswer::Echo, 10);  // a copy
  EXPECT_EQ(search.finding().passes_bytes, 84);
}

TEST(PathSearch, WhatARouterSaysIsAskedAtOnce) {
  PathSearch search(kUsual, 0);
  search.take(search.next(0)[0].sequence, PathAnswer::Echo, 20);
  EXPECT_EQ(search.next(20)[0].inner_bytes, 1446);
  search.lower(1346, 60);
  const auto questions = search.next(60);
  ASSERT_EQ(questions.size(), 1U);
  EXPECT_EQ(questions[0].inner_bytes, 1346);
  search.take(questions[0].sequence, PathAnswer::Echo, 80);
  EXPECT_TRUE(search.done());
  EXPECT_EQ(search.finding().passes_bytes, 1346);
  EXPECT_EQ(search.finding().fails_bytes, 0);
}

TEST(PathSearch, BoundsHoldWithEverything) {
  Path path;
  path.passes = 4000;
  path.echoing = Path::kNobody;
  path.beyond = 5;
  path.round_trip_ms = 1400;
  const PathFinding found = walk({84, 8946, 8946, 4, 6}, path).finding;
  EXPECT_TRUE(found.answered);
  EXPECT_LE(found.passes_bytes, 4000);
}

}  // namespace
}  // namespace masugata::ipsec
