// SPDX-License-Identifier: GPL-2.0-or-later
// Regular expressions among the other matches.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <gtest/gtest.h>
#include <pcre2.h>

#include "ids/matching/matching_test_support.h"

namespace masugata::ids {
namespace {

class PcreMatches : public testing::Test {
 protected:
  bool matches(std::vector<PayloadMatch> list, std::string_view bytes) {
    return matcher_.matches(std::move(list), bytes);
  }
  Matcher matcher_;
};

TEST_F(PcreMatches, AnywhereInTheBuffer) {
  EXPECT_TRUE(matches({pcre("b+c")}, "abbbc"));
  EXPECT_FALSE(matches({pcre("^b")}, "abbbc"));
  EXPECT_TRUE(matches({pcre("^$")}, ""));
}

TEST_F(PcreMatches, OptionsAreObeyed) {
  PcreMatch match = pcre("ABC.D");
  EXPECT_FALSE(matches({match}, "abc\nd"));
  match.options = PCRE2_CASELESS | PCRE2_DOTALL;
  EXPECT_TRUE(matches({match}, "abc\nd"));
}

TEST_F(PcreMatches, NegatedHoldsWithoutAMatch) {
  EXPECT_TRUE(matches({pcre("x", false, true)}, "abc"));
  EXPECT_FALSE(matches({pcre("b", false, true)}, "abc"));
  EXPECT_FALSE(matcher_.matches_window({pcre("x", false, true)}, "abc", 0, false));
}

TEST_F(PcreMatches, RelativeBeginsAtTheEndOfTheMatchBefore) {
  EXPECT_TRUE(matches({content("id="), pcre("^[0-9]+$", true)}, "x id=123"));
  EXPECT_FALSE(matches({content("id="), pcre("^[0-9]+$", true)}, "x id=a123"));
  EXPECT_TRUE(matches({content("ab"), pcre("^$", true)}, "ab"));
  // Negated and relative: not right behind.
  EXPECT_TRUE(matches({content("id="), pcre("^[0-9]", true, true)}, "id=x"));
  EXPECT_FALSE(matches({content("id="), pcre("^[0-9]", true, true)}, "id=1"));
}

TEST_F(PcreMatches, AnotherOccurrenceOfTheContentIsTried) {
  EXPECT_TRUE(matches({content("id="), pcre("^[0-9]", true)}, "id=x id=1"));
}

TEST_F(PcreMatches, AnotherMatchOfTheExpressionIsTried) {
  EXPECT_TRUE(matches({pcre("a[0-9]"), content("x").within(1)}, "a1.a2.a3x"));
  EXPECT_TRUE(matches({pcre("a[0-9]"), pcre("^x", true)}, "a1.a2.a3x"));
  EXPECT_FALSE(matches({pcre("a[0-9]"), content("x").within(1)}, "a1.a2.a3.x"));
}

TEST_F(PcreMatches, EmptyMatchesGoOnAndEnd) {
  EXPECT_TRUE(matches({pcre("b*"), content("c").within(1)}, "aac"));
  EXPECT_FALSE(matches({pcre("b*"), content("d").within(1)}, "aac"));
}

TEST_F(PcreMatches, ALimitIsCountedAndDoesNotMatchEitherWay) {
  MatchLimits limits;
  limits.pcre_matches = 50;
  Matcher bounded(limits);
  const std::string bytes = std::string(60, 'a') + "!";
  EXPECT_FALSE(bounded.matches({pcre("^(a+)+$")}, bytes));
  EXPECT_FALSE(bounded.matches({pcre("^(a+)+$", false, true)}, bytes));
  EXPECT_EQ(bounded.scratch().counters().pcre_limit, 2U);
  EXPECT_FALSE(matches({pcre("^(a+)+$")}, bytes));
}

TEST_F(PcreMatches, TheInterpreterMatchesTheSameAndIsBounded) {
  // (*NO_JIT) is PCRE2's own way to ask for the interpreter.
  EXPECT_TRUE(matches({pcre("(*NO_JIT)(?:(a)|b)*c")}, std::string(2000, 'b') + "c"));
  EXPECT_FALSE(matches({pcre("(*NO_JIT)^(?:(a)|(b))*+d")}, std::string(100'000, 'b') + "c"));
  EXPECT_EQ(matcher_.scratch().counters().pcre_error, 0U);
  // Still of use after the frames have grown to their bound.
  EXPECT_TRUE(matches({pcre("(*NO_JIT)b+c")}, "abbc"));
}

TEST_F(PcreMatches, CapturesAreKeptForTheRule) {
  PcreMatch match = pcre("user=(\\w+).*pass=(\\w+)");
  match.captures = {{PcreCapture::Scope::Flow, "user"}, {PcreCapture::Scope::Packet, "pass"}};
  const CompiledBufferMatches compiled = matcher_.compile({match});
  auto& scratch = matcher_.scratch();
  scratch.begin_rule();
  ASSERT_TRUE(match_buffer(compiled, {bytes_of("user=anna&pass=secret1"), 0, true}, scratch));
  const auto captured = scratch.captures();
  ASSERT_EQ(captured.size(), 2U);
  EXPECT_EQ(captured[0].capture->name, "user");
  EXPECT_EQ(text_of(std::span(captured[0].bytes).first(captured[0].size)), "anna");
  EXPECT_EQ(captured[1].capture->scope, PcreCapture::Scope::Packet);
  EXPECT_EQ(text_of(std::span(captured[1].bytes).first(captured[1].size)), "secret1");
  scratch.begin_rule();
  EXPECT_TRUE(scratch.captures().empty());
}

TEST_F(PcreMatches, LongCapturesAreCutAndCounted) {
  PcreMatch match = pcre("(a+)");
  match.captures = {{PcreCapture::Scope::Flow, "a"}};
  const CompiledBufferMatches compiled = matcher_.compile({match});
  auto& scratch = matcher_.scratch();
  scratch.begin_rule();
  ASSERT_TRUE(match_buffer(compiled, {bytes_of(std::string(1000, 'a')), 0, true}, scratch));
  ASSERT_EQ(scratch.captures().size(), 1U);
  EXPECT_EQ(scratch.captures()[0].size, PcreCapturedValue::kMaximumBytes);
  EXPECT_EQ(scratch.counters().captures_lost, 1U);
}

TEST_F(PcreMatches, AnExpressionThatIsNoneIsRefusedWithItsPlace) {
  const auto compiled = compile_matches(buffer({pcre("a(b")}), matcher_.context());
  ASSERT_FALSE(compiled.has_value());
  EXPECT_NE(compiled.error().what.find("character 3"), std::string::npos) << compiled.error().what;
}

TEST_F(PcreMatches, TheSameExpressionIsCompiledOnce) {
  const auto one = matcher_.library().find_or_compile("a+", 0);
  const auto other = matcher_.library().find_or_compile("a+", 0);
  const auto caseless = matcher_.library().find_or_compile("a+", PCRE2_CASELESS);
  ASSERT_TRUE(one && other && caseless);
  EXPECT_EQ(*one, *other);
  EXPECT_NE(*one, *caseless);
  EXPECT_TRUE((*one)->jit());
  EXPECT_GT((*one)->memory_bytes(), 0U);
}

}  // namespace
}  // namespace masugata::ids
