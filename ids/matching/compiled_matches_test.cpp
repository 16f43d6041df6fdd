// SPDX-License-Identifier: GPL-2.0-or-later
// Contents and where they stand: offsets, distances, ends, negation, and trying again.
#include "ids/matching/compiled_matches.h"

#include <gtest/gtest.h>

#include "ids/matching/matching_test_support.h"

namespace masugata::ids {
namespace {

class ContentMatches : public testing::Test {
 protected:
  bool matches(std::vector<PayloadMatch> list, std::string_view bytes) {
    return matcher_.matches(std::move(list), bytes);
  }
  Matcher matcher_;
};

TEST_F(ContentMatches, AllContentsMustBeThereInAnyOrder) {
  EXPECT_TRUE(matches({content("two"), content("one")}, "one two"));
  EXPECT_FALSE(matches({content("two"), content("three")}, "one two"));
  EXPECT_TRUE(matches({}, "anything"));
}

TEST_F(ContentMatches, OffsetAndDepthBoundTheWholeOccurrence) {
  EXPECT_TRUE(matches({content("abc").offset(2)}, "..abc"));
  EXPECT_FALSE(matches({content("abc").offset(3)}, "..abc"));
  EXPECT_TRUE(matches({content("abc").depth(5)}, "..abc"));
  EXPECT_FALSE(matches({content("abc").depth(4)}, "..abc"));
  // Depth counts from the offset.
  EXPECT_TRUE(matches({content("abc").offset(2).depth(3)}, "..abc"));
  EXPECT_FALSE(matches({content("abc").offset(2).depth(3)}, "...abc"));
}

TEST_F(ContentMatches, StartAndEndAnchors) {
  EXPECT_TRUE(matches({content("GET").startswith()}, "GET /"));
  EXPECT_FALSE(matches({content("GET").startswith()}, " GET /"));
  EXPECT_TRUE(matches({content(".exe").endswith()}, "a.exe.exe"));
  EXPECT_FALSE(matches({content(".exe").endswith()}, "a.exe?"));
  EXPECT_TRUE(matches({content("all").startswith().endswith()}, "all"));
  EXPECT_FALSE(matches({content("all").startswith().endswith()}, "allall"));
}

TEST_F(ContentMatches, AnEndThatTheDepthDoesNotReachIsNone) {
  EXPECT_FALSE(matches({content("c").depth(2).endswith()}, "abc"));
  EXPECT_TRUE(matches({content("c").depth(3).endswith()}, "abc"));
}

TEST_F(ContentMatches, ANegatedEndRegardsOnlyTheEnd) {
  const std::vector<PayloadMatch> rule = {content(".google.com").negated().endswith()};
  EXPECT_TRUE(matches(rule, "www.example.com"));
  EXPECT_FALSE(matches(rule, "www.google.com"));
  EXPECT_TRUE(matches(rule, "www.google.com.example.com"));
  // Found twice, the second time at the end.
  EXPECT_FALSE(matches(rule, "a.google.com.google.com"));
  EXPECT_TRUE(matches({content(".google.com").negated().endswith(), content("example.com")},
                      "www.google.com.example.com"));
}

TEST_F(ContentMatches, DistanceAndWithinCountFromTheEndOfTheMatchBefore) {
  EXPECT_TRUE(matches({content("ab"), content("cd").distance(1)}, "ab-cd"));
  EXPECT_FALSE(matches({content("ab"), content("cd").distance(2)}, "ab-cd"));
  EXPECT_TRUE(matches({content("ab"), content("cd").within(3)}, "ab-cd"));
  EXPECT_FALSE(matches({content("ab"), content("cd").within(2)}, "ab-cd"));
  // With both, within begins where distance leads.
  EXPECT_TRUE(matches({content("ab"), content("cd").distance(1).within(2)}, "ab-cd"));
  EXPECT_FALSE(matches({content("ab"), content("cd").distance(1).within(2)}, "ab--cd"));
}

TEST_F(ContentMatches, ANegativeDistanceLooksBack) {
  EXPECT_TRUE(matches({content("cd"), content("ab").distance(-4)}, "abcd"));
  EXPECT_FALSE(matches({content("cd"), content("ab").distance(-3)}, "abcd"));
  // Before the start is the start; within still counts from where the distance pointed.
  EXPECT_TRUE(matches({content("cd"), content("ab").distance(-10)}, "abcd"));
  EXPECT_TRUE(matches({content("cd"), content("ab").distance(-6).within(4)}, "abcd"));
  EXPECT_FALSE(matches({content("cd"), content("ab").distance(-6).within(3)}, "abcd"));
}

TEST_F(ContentMatches, RelativeWithoutAMatchBeforeCountsFromTheStart) {
  EXPECT_TRUE(matches({content("cd").distance(2)}, "abcd"));
  EXPECT_FALSE(matches({content("cd").within(3)}, "abcd"));
}

TEST_F(ContentMatches, AnotherOccurrenceIsTriedForWhatFollows) {
  // The first "ab" has no "cd" near it, the second has.
  EXPECT_TRUE(matches({content("ab"), content("cd").within(2)}, "ab....abcd"));
  EXPECT_TRUE(matches({content("ab"), is_data_at(3, true, true)}, "ab.....ab."));
  EXPECT_TRUE(matches({content("a"), content("b").within(1), content("c").within(1)}, "ab.ac.abc"));
}

TEST_F(ContentMatches, OverlappingOccurrencesAreTried) {
  EXPECT_TRUE(matches({content("aa"), content("b").within(1)}, "aaab"));
}

TEST_F(ContentMatches, ChoicesNestThroughSeveralLevels) {
  // Only the third "a", the second "b" after it and the "c" after that fit.
  const std::vector<PayloadMatch> rule = {content("a"), content("b").within(3),
                                          content("c").within(1)};
  EXPECT_TRUE(matches(rule, "a.b.a.b.a.bbc"));
  EXPECT_FALSE(matches(rule, "a.b.a.b.a.bb.c"));
}

TEST_F(ContentMatches, ANegatedContentHasItsWindow) {
  EXPECT_FALSE(matches({content("bad").negated()}, "so bad"));
  EXPECT_TRUE(matches({content("bad").negated().depth(4)}, "so bad"));
  EXPECT_TRUE(matches({content("ab"), content("cd").negated().within(2)}, "ab.cd"));
  EXPECT_FALSE(matches({content("ab"), content("cd").negated().within(3)}, "ab.cd"));
  // A window that is empty or beyond the end holds nothing.
  EXPECT_TRUE(matches({content("x").negated().offset(10)}, "xxx"));
}

TEST_F(ContentMatches, ANegatedContentDoesNotMoveTheEndOfTheLastMatch) {
  EXPECT_TRUE(
      matches({content("ab"), content("zz").negated().within(5), content("cd").within(2)}, "abcd"));
}

TEST_F(ContentMatches, AnOccurrenceWithoutWhatIsForbiddenNearItIsFound) {
  const std::vector<PayloadMatch> rule = {content("ab"), content("no").negated().within(2)};
  EXPECT_TRUE(matches(rule, "abno abok"));
  EXPECT_FALSE(matches(rule, "abno abno"));
}

TEST_F(ContentMatches, AForbiddenContentAnywhereBehindIsJudgedFromTheFirstOccurrence) {
  EXPECT_FALSE(matches({content("ab"), content("no").negated().distance(0)}, "ab no ab"));
}

TEST_F(ContentMatches, ExcludesTheMatchItself) {
  EXPECT_FALSE(matches({content("aa"), content("aa").distance(0)}, "aaa"));
  EXPECT_TRUE(matches({content("aa"), content("aa").distance(0)}, "aaaa"));
}

TEST_F(ContentMatches, DataAtIsAbsoluteFromZeroAndRelativeAsACount) {
  const std::string bytes = "a" + std::string(31, 'x');
  EXPECT_TRUE(matches({is_data_at(31)}, bytes));
  EXPECT_FALSE(matches({is_data_at(32)}, bytes));
  EXPECT_TRUE(matches({is_data_at(32, true)}, bytes));
  EXPECT_FALSE(matches({is_data_at(33, true)}, bytes));
  EXPECT_TRUE(matches({content("a").depth(1), is_data_at(31, true)}, bytes));
  EXPECT_FALSE(matches({content("a").depth(1), is_data_at(32, true)}, bytes));
  EXPECT_TRUE(matches({is_data_at(32, false, true)}, bytes));
  EXPECT_FALSE(matches({is_data_at(31, false, true)}, bytes));
}

TEST_F(ContentMatches, BufferSizes) {
  EXPECT_TRUE(matches({BufferSize{Comparison::Equal, 3, 0}}, "abc"));
  EXPECT_TRUE(matches({BufferSize{Comparison::Equal, 0, 0}}, ""));
  EXPECT_FALSE(matches({BufferSize{Comparison::Greater, 3, 0}}, "abc"));
  EXPECT_TRUE(matches({BufferSize{Comparison::Between, 2, 4}}, "abc"));
  EXPECT_FALSE(matches({BufferSize{Comparison::Between, 3, 5}}, "abc"));
}

TEST_F(ContentMatches, AWindowCountsFromTheStartOfTheBuffer) {
  auto window = [this](std::vector<PayloadMatch> list, std::string_view bytes, uint64_t first) {
    return matcher_.matches_window(std::move(list), bytes, first, true);
  };
  EXPECT_TRUE(window({content("cd").offset(2).depth(2)}, "bcde", 1));
  EXPECT_FALSE(window({content("cd").depth(3)}, "bcde", 1));
  EXPECT_TRUE(window({content("b"), content("d").distance(1).within(1)}, "bcde", 1));
  // The start has passed: nothing can stand there any more.
  EXPECT_FALSE(window({content("b").startswith()}, "bcde", 1));
  EXPECT_TRUE(window({BufferSize{Comparison::Equal, 5, 0}}, "bcde", 1));
  EXPECT_TRUE(window({is_data_at(4)}, "bcde", 1));
}

TEST_F(ContentMatches, WhatDependsOnBytesToComeWaitsForThem) {
  auto partial = [this](std::vector<PayloadMatch> list, std::string_view bytes) {
    return matcher_.matches_window(std::move(list), bytes, 0, false);
  };
  EXPECT_TRUE(partial({content("ab")}, "ab"));
  EXPECT_FALSE(partial({content("ab").endswith()}, "ab"));
  EXPECT_FALSE(partial({content("zz").negated()}, "ab"));
  EXPECT_TRUE(partial({content("zz").negated().depth(2)}, "ab"));
  EXPECT_FALSE(partial({content("zz").negated().depth(3)}, "ab"));
  EXPECT_TRUE(partial({content("a"), content("zz").negated().within(2)}, "abc"));
  EXPECT_FALSE(partial({is_data_at(5, false, true)}, "ab"));
  EXPECT_FALSE(partial({BufferSize{Comparison::Equal, 2, 0}}, "ab"));
  EXPECT_FALSE(partial({BufferSize{Comparison::Less, 5, 0}}, "ab"));
  EXPECT_TRUE(partial({BufferSize{Comparison::Greater, 1, 0}}, "ab"));
}

TEST_F(ContentMatches, StepsAreBoundedAndCounted) {
  MatchLimits limits;
  limits.steps = 100;
  Matcher bounded(limits);
  std::string bytes;
  for (int index = 0; index < 200; ++index) bytes += "ab";
  EXPECT_FALSE(bounded.matches({content("a"), content("x").within(1)}, bytes + "ax"));
  EXPECT_EQ(bounded.scratch().counters().step_limit, 1U);
  EXPECT_TRUE(matches({content("a"), content("x").within(1)}, bytes + "ax"));
  EXPECT_EQ(matcher_.scratch().counters().step_limit, 0U);
}

TEST_F(ContentMatches, AbsentBuffers) {
  EXPECT_FALSE(match_absent_buffer(matcher_.compile({content("a")})));
  EXPECT_TRUE(match_absent_buffer(matcher_.compile({BufferAbsent{}})));
  EXPECT_TRUE(match_absent_buffer(matcher_.compile({BufferAbsent{true}, content("a")})));
  EXPECT_FALSE(matches({BufferAbsent{}}, "there"));
  EXPECT_TRUE(matches({BufferAbsent{true}, content("here")}, "here"));
  EXPECT_FALSE(matches({BufferAbsent{true}, content("here")}, "gone"));
}

TEST_F(ContentMatches, ReplacementsTellWhere) {
  EXPECT_TRUE(
      matches({content("ab").replace("AB"), content("cd").within(2).replace("CD")}, "ab.abcd"));
  const auto found = matcher_.scratch().replacements();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].position, 3U);
  EXPECT_EQ(found[0].bytes.size(), 2U);
  EXPECT_EQ(found[1].position, 5U);
  EXPECT_FALSE(matches({content("ab").replace("AB"), content("zz")}, "ab.abcd"));
  EXPECT_TRUE(matcher_.scratch().replacements().empty());
}

TEST_F(ContentMatches, Base64DataIsMatchedByItself) {
  auto run = [this](Base64Decode decode, std::vector<PayloadMatch> inner, std::string_view bytes) {
    Rule rule;
    rule.buffers = {buffer({content("arg="), decode}, BufferId::HttpUri),
                    buffer(std::move(inner), BufferId::Base64Data)};
    auto compiled = compile_rule_matches(rule, matcher_.context());
    EXPECT_TRUE(compiled.has_value());
    EXPECT_EQ(compiled->size(), 1U);
    matcher_.scratch().begin_rule();
    return match_buffer(compiled->front(), {bytes_of(bytes), 0, true}, matcher_.scratch());
  };
  const std::string_view uri = "/?arg=dGhpc2lzYXRlc3QK";
  EXPECT_TRUE(run({17, 0, true}, {content("thisisatest")}, uri));
  EXPECT_FALSE(run({10, 0, true}, {content("test")}, uri));  // the end is not decoded
  EXPECT_TRUE(run({10, 0, true}, {content("thisisa"), content("this").offset(0).depth(4)}, uri));
  EXPECT_FALSE(run({0, 0, true}, {content("toast")}, uri));
  EXPECT_TRUE(run({0, 6, false}, {content("this").startswith()}, uri));
  EXPECT_FALSE(run({0, 100, true}, {content("this")}, uri));
  // Nothing of the alphabet at the start: nothing is decoded.
  EXPECT_FALSE(run({0, 0, false}, {content("a").negated()}, "?arg=dGhpcw=="));
}

TEST_F(ContentMatches, RulesThatCannotBeAreRefused) {
  Rule rule;
  rule.buffers = {buffer({content("a")}, BufferId::Base64Data)};
  EXPECT_FALSE(compile_rule_matches(rule, matcher_.context()).has_value());
  rule.buffers = {buffer({content("")})};
  EXPECT_FALSE(compile_rule_matches(rule, matcher_.context()).has_value());
  rule.buffers = {buffer(std::vector<PayloadMatch>(kMaximumMatchSteps + 1, content("a")))};
  EXPECT_FALSE(compile_rule_matches(rule, matcher_.context()).has_value());
  rule.buffers = {buffer(std::vector<PayloadMatch>(kMaximumMatchSteps, content("a")))};
  EXPECT_TRUE(compile_rule_matches(rule, matcher_.context()).has_value());
}

// The deepest trail: every content may be tried elsewhere.
TEST_F(ContentMatches, AsManyChoicesAsSteps) {
  std::vector<PayloadMatch> list = {content("a")};
  while (list.size() < kMaximumMatchSteps) list.emplace_back(content("a").within(1));
  EXPECT_TRUE(matches(list, std::string(kMaximumMatchSteps, 'a')));
  EXPECT_FALSE(matches(list, std::string(kMaximumMatchSteps - 1, 'a')));
}

}  // namespace
}  // namespace masugata::ids
