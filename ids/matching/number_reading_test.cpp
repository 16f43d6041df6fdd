// SPDX-License-Identifier: GPL-2.0-or-later
// byte_test, byte_jump, byte_extract and byte_math.
#include "ids/matching/number_reading.h"

#include <gtest/gtest.h>

#include "ids/matching/matching_test_support.h"

namespace masugata::ids {
namespace {

NumberReading reading(int64_t count, int64_t offset, bool relative = false) {
  NumberReading result;
  result.byte_count = number(count);
  result.offset = number(offset);
  result.relative = relative;
  return result;
}

ByteTest test(NumberReading from, Comparison comparison, int64_t value, bool negated = false) {
  ByteTest match;
  match.reading = from;
  match.comparison = comparison;
  match.value = number(value);
  match.negated = negated;
  return match;
}

ByteJump jump(NumberReading from) {
  ByteJump match;
  match.reading = from;
  return match;
}

ByteExtract extract(NumberReading from, VariableIndex into) {
  ByteExtract match;
  match.reading = from;
  match.variable = into;
  return match;
}

ByteMath math(NumberReading from, MathOperator operation, int64_t right, VariableIndex into) {
  ByteMath match;
  match.reading = from;
  match.operation = operation;
  match.right = number(right);
  match.variable = into;
  return match;
}

class Numbers : public testing::Test {
 protected:
  bool matches(std::vector<PayloadMatch> list, std::string_view bytes) {
    return matcher_.matches(std::move(list), bytes);
  }
  // The variable after matching; nullopt when the match does not hold.
  std::optional<uint64_t> result_of(const PayloadMatch& match, std::string_view bytes) {
    if (!matches({match}, bytes)) return std::nullopt;
    return matcher_.scratch().variables()[0];
  }
  std::optional<uint64_t> read(const NumberReading& from, std::string_view bytes) {
    return result_of(extract(from, 0), bytes);
  }
  Matcher matcher_;
};

constexpr std::string_view kCounting("\x01\x02\x03\x04\x05\x06\x07\x08\x09", 9);

TEST_F(Numbers, RawBytesInBothOrders) {
  EXPECT_EQ(read(reading(1, 0), kCounting), 1U);
  EXPECT_EQ(read(reading(2, 1), kCounting), 0x0203U);
  EXPECT_EQ(read(reading(8, 1), kCounting), 0x0203040506070809U);
  NumberReading little = reading(3, 0);
  little.little_endian = true;
  EXPECT_EQ(read(little, kCounting), 0x030201U);
  EXPECT_EQ(read(reading(9, 0), kCounting), std::nullopt);
}

TEST_F(Numbers, OnlyInsideTheBytes) {
  EXPECT_EQ(read(reading(2, 7), kCounting), 0x0809U);
  EXPECT_EQ(read(reading(2, 8), kCounting), std::nullopt);
  EXPECT_EQ(read(reading(1, -1), kCounting), std::nullopt);
  EXPECT_EQ(read(reading(1, 0), ""), std::nullopt);
  EXPECT_EQ(read(reading(1, INT32_MAX), kCounting), std::nullopt);
}

TEST_F(Numbers, TextOfEachBase) {
  NumberReading text = reading(6, 0);
  text.base = NumberBase::Decimal;
  EXPECT_EQ(read(text, "123456"), 123456U);
  EXPECT_EQ(read(text, "  12xx"), 12U);
  EXPECT_EQ(read(text, "+00007"), 7U);
  EXPECT_EQ(read(text, "xx1234"), std::nullopt);
  text.base = NumberBase::Hexadecimal;
  EXPECT_EQ(read(text, "0x1F-1"), 0x1fU);
  EXPECT_EQ(read(text, "ffFFzz"), 0xffffU);
  EXPECT_EQ(read(text, "0xzz11"), 0U);
  text.base = NumberBase::Octal;
  EXPECT_EQ(read(text, "017889"), 15U);
  text.byte_count = number(21);
  text.base = NumberBase::Decimal;
  EXPECT_EQ(read(text, "018446744073709551615"), UINT64_MAX);
  EXPECT_EQ(read(text, "018446744073709551616"), std::nullopt);
  text.byte_count = number(24);
  EXPECT_EQ(read(text, std::string(24, '1')), std::nullopt);
}

TEST_F(Numbers, ANegativeTextWraps) {
  NumberReading text = reading(2, 0);
  text.base = NumberBase::Decimal;
  EXPECT_EQ(read(text, "-1"), UINT64_MAX);
}

TEST_F(Numbers, ByteTestCompares) {
  const std::string_view bytes("\x00\x10", 2);
  EXPECT_TRUE(matches({test(reading(2, 0), Comparison::Equal, 16)}, bytes));
  EXPECT_TRUE(matches({test(reading(2, 0), Comparison::Less, 17)}, bytes));
  EXPECT_FALSE(matches({test(reading(2, 0), Comparison::Greater, 16)}, bytes));
  EXPECT_TRUE(matches({test(reading(2, 0), Comparison::GreaterOrEqual, 16)}, bytes));
  EXPECT_TRUE(matches({test(reading(2, 0), Comparison::BitAnd, 0x18)}, bytes));
  EXPECT_FALSE(matches({test(reading(2, 0), Comparison::BitAnd, 0x10, true)}, bytes));
  EXPECT_TRUE(matches({test(reading(2, 0), Comparison::BitAnd, 0x08, true)}, bytes));
  EXPECT_FALSE(matches({test(reading(2, 0), Comparison::BitOr, 0x10)}, bytes));
  EXPECT_TRUE(matches({test(reading(2, 0), Comparison::BitOr, 0x11)}, bytes));
}

TEST_F(Numbers, ByteTestWithoutBytesDoesNotHoldNegatedEither) {
  EXPECT_FALSE(matches({test(reading(2, 5), Comparison::Equal, 1, true)}, "ab"));
}

TEST_F(Numbers, ByteTestIsRelativeToTheMatchBefore) {
  EXPECT_TRUE(matches({content("ab"), test(reading(1, 1, true), Comparison::Equal, '2')}, "ab12"));
  EXPECT_TRUE(matches({content("ab"), test(reading(1, -3, true), Comparison::Equal, 'x')},
                      "xab"
                      "1"));
  // The first "ab" has no '2' behind it.
  EXPECT_TRUE(
      matches({content("ab"), test(reading(1, 0, true), Comparison::Equal, '2')}, "ab1ab2"));
  EXPECT_FALSE(matches({content("ab"), test(reading(1, 0, true), Comparison::Equal, 0)}, "ab"));
}

TEST_F(Numbers, ABitmaskIsShiftedToItsLowestBit) {
  NumberReading masked = reading(2, 0);
  masked.bitmask = 0x0ff0;
  EXPECT_TRUE(matches({test(masked, Comparison::Equal, 0x23)}, "\x12\x34"));
  EXPECT_EQ(apply_bitmask(0xf0, 0x80), 1U);
  EXPECT_EQ(apply_bitmask(0xf0, 0), 0xf0U);
}

TEST_F(Numbers, ByteJumpMovesBehindWhatItRead) {
  // Two bytes of length, so many bytes, then "end".
  const std::string bytes = std::string("\x00\x03", 2) + "abcend";
  EXPECT_TRUE(matches({jump(reading(2, 0)), content("end").within(3)}, bytes));
  EXPECT_FALSE(matches({jump(reading(2, 0)), content("nd").within(2)}, bytes));
}

TEST_F(Numbers, ByteJumpOfNoBytesMovesBackFromTheEnd) {
  NumberReading nothing;
  nothing.byte_count = number(0);
  nothing.relative = true;
  ByteJump back = jump(nothing);
  back.post_offset = -2;
  const std::array<uint8_t, 4> data{1, 2, 3, 4};
  uint64_t last = 4;
  EXPECT_TRUE(match_byte_jump(back, {data, 0, true}, last, {}));
  EXPECT_EQ(last, 2U);
}

TEST_F(Numbers, ByteJumpOptions) {
  const std::string bytes = std::string("\x03", 1) + "abcdefgh";
  ByteJump aligned = jump(reading(1, 0));
  aligned.align = true;
  EXPECT_TRUE(matches({aligned, content("e").within(1)}, bytes));
  ByteJump multiplied = jump(reading(1, 0));
  multiplied.multiplier = number(2);
  EXPECT_TRUE(matches({multiplied, content("g").within(1)}, bytes));
  ByteJump after = jump(reading(1, 0));
  after.post_offset = -1;
  EXPECT_TRUE(matches({after, content("c").within(1)}, bytes));
  ByteJump beginning = jump(reading(1, 0));
  beginning.from_beginning = true;
  EXPECT_TRUE(matches({beginning, content("c").within(1)}, bytes));
  ByteJump ending = jump(reading(0, 0));
  ending.from_end = true;
  ending.post_offset = -2;
  EXPECT_TRUE(matches({ending, content("gh").within(2)}, bytes));
}

TEST_F(Numbers, ByteJumpStaysInside) {
  EXPECT_FALSE(matches({jump(reading(1, 0))},
                       "\x03"
                       "abc"));
  EXPECT_TRUE(matches({jump(reading(1, 0))},
                      "\x02"
                      "abc"));
  ByteJump before = jump(reading(1, 0));
  before.post_offset = -100;
  // Before the start is the start.
  EXPECT_TRUE(matches({before, content("\x02").within(1)},
                      "\x02"
                      "abc"));
  EXPECT_FALSE(matches({jump(reading(8, 0)), content("a").distance(0)},
                       std::string("\x7f\xff\xff\xff\xff\xff\xff\xff", 8) + "aaaa"));
}

TEST_F(Numbers, TextJumpsCountOnlyTheDigits) {
  ByteJump text = jump(reading(4, 0));
  text.reading.base = NumberBase::Decimal;
  // "2 " is read: one digit, then two bytes on.
  EXPECT_TRUE(matches({text, content("b").within(1)}, "2 ab"));
}

TEST_F(Numbers, ExtractedValuesServeTheMatchesThatFollow) {
  const std::string bytes = std::string("\x02\x05", 2) + "..abc..abc";
  const ByteExtract first = extract(reading(1, 0), 0);
  const ByteExtract second = extract(reading(1, 1), 1);
  EXPECT_TRUE(matches({first, second, content("abc").offset(variable(1)).depth(7)}, bytes));
  EXPECT_TRUE(matches({second, content("abc").offset(number(2)).depth(variable(1))},
                      std::string("\x09\x05", 2) + "..abc"));
  EXPECT_TRUE(
      matches({first, second, content("abc").distance(variable(0)).within(number(3))}, bytes));
  EXPECT_FALSE(
      matches({first, second, content("abc").distance(variable(1)).within(number(3))}, bytes));
  EXPECT_TRUE(matches({first, second, content("abc").within(variable(1))}, bytes));
  EXPECT_FALSE(matches({first, second, content("abc").within(variable(0))}, bytes));
  ByteTest compared = test(reading(1, 1), Comparison::Greater, 0);
  compared.value = variable(0);
  EXPECT_TRUE(matches({first, compared}, bytes));
  IsDataAt data_at;
  data_at.position = variable(1);
  EXPECT_TRUE(matches({first, second, data_at}, bytes));
}

TEST_F(Numbers, AVariableMayCountTheBytesToRead) {
  NumberReading counted = reading(0, 1);
  counted.byte_count = variable(0);
  EXPECT_TRUE(matches({extract(reading(1, 0), 0), test(counted, Comparison::Equal, 0x0203)},
                      "\x02\x02\x03\x04"));
  EXPECT_FALSE(matches({extract(reading(1, 0), 0), test(counted, Comparison::Equal, 0)},
                       std::string("\x09") + std::string(20, '\0')));
}

TEST_F(Numbers, ExtractMultipliesAndAligns) {
  ByteExtract match = extract(reading(1, 0), 0);
  match.multiplier = 3;
  match.align = 4;
  EXPECT_EQ(result_of(match, "\x03"), 12U);
  EXPECT_EQ(result_of(match, "\x04"), 12U);
}

TEST_F(Numbers, MathOperations) {
  auto value = [this](MathOperator operation, int64_t right) {
    return result_of(math(reading(1, 0), operation, right, 0), "\x0c");
  };
  EXPECT_EQ(value(MathOperator::Add, 3), 15U);
  EXPECT_EQ(value(MathOperator::Subtract, 3), 9U);
  EXPECT_EQ(value(MathOperator::Multiply, 3), 36U);
  EXPECT_EQ(value(MathOperator::Divide, 5), 2U);
  EXPECT_EQ(value(MathOperator::Divide, 0), std::nullopt);
  EXPECT_EQ(value(MathOperator::ShiftLeft, 4), 0xc0U);
  EXPECT_EQ(value(MathOperator::ShiftRight, 2), 3U);
  EXPECT_EQ(value(MathOperator::ShiftLeft, 64), 0U);
}

TEST_F(Numbers, MathMasksItsResultAndMovesOn) {
  ByteMath match = math(reading(1, 0), MathOperator::Add, 1, 0);
  match.reading.bitmask = 0xf0;
  EXPECT_EQ(result_of(match, "\x4f"), 5U);
  EXPECT_TRUE(matches({match, content("a").within(1)},
                      "\x4f"
                      "a"));
  ByteMath chained = math(reading(1, 1), MathOperator::Subtract, 0, 1);
  chained.right = variable(0);
  const CompiledBufferMatches compiled =
      matcher_.compile({math(reading(1, 0), MathOperator::Add, 1, 0), chained});
  matcher_.scratch().begin_rule();
  EXPECT_TRUE(match_buffer(compiled, {bytes_of("\x04\x09"), 0, true}, matcher_.scratch()));
  EXPECT_EQ(matcher_.scratch().variables()[1], 4U);
}

TEST_F(Numbers, VariablesHoldFromOneBufferToTheNext) {
  auto& scratch = matcher_.scratch();
  const auto first = matcher_.compile({extract(reading(1, 0), 3)});
  IsDataAt data_at;
  data_at.position = variable(3);
  const auto second = matcher_.compile({data_at});
  scratch.begin_rule();
  EXPECT_TRUE(match_buffer(first, {bytes_of("\x02"), 0, true}, scratch));
  EXPECT_TRUE(match_buffer(second, {bytes_of("abc"), 0, true}, scratch));
  EXPECT_FALSE(match_buffer(second, {bytes_of("ab"), 0, true}, scratch));
  scratch.begin_rule();
  EXPECT_TRUE(match_buffer(second, {bytes_of("a"), 0, true}, scratch));
}

TEST_F(Numbers, AWindowWithoutTheBytesHoldsNoNumber) {
  EXPECT_FALSE(
      matcher_.matches_window({test(reading(1, 0), Comparison::Equal, 'a')}, "abc", 1, true));
  EXPECT_TRUE(
      matcher_.matches_window({test(reading(1, 1), Comparison::Equal, 'a')}, "abc", 1, true));
}

}  // namespace
}  // namespace masugata::ids
