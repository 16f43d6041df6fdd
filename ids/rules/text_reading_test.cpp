// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/rules/text_reading.h"

#include <gtest/gtest.h>

namespace masugata::ids {
namespace {

TEST(TextReading, TrimsAndSplits) {
  EXPECT_EQ(trimmed(" \ta b\r\n"), "a b");
  EXPECT_EQ(trimmed("  "), "");
  EXPECT_EQ(split("a, b ,,c", ','), (std::vector<std::string_view>{"a", "b", "", "c"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
  EXPECT_EQ(split_words("  one\ttwo "), (std::vector<std::string_view>{"one", "two"}));
  EXPECT_EQ(unquoted("\"a\""), "a");
  EXPECT_EQ(unquoted("\""), "\"");
}

TEST(TextReading, ReadsNumbersWhole) {
  EXPECT_EQ(parse_unsigned("42"), 42U);
  EXPECT_EQ(parse_unsigned("0x2A"), 42U);
  EXPECT_EQ(parse_unsigned("18446744073709551615"), UINT64_MAX);
  for (const char* text : {"", "4x", "-1", "+1", " 1", "0x", "18446744073709551616"}) {
    EXPECT_EQ(parse_unsigned(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_unsigned("256", 255), std::nullopt);
  EXPECT_EQ(parse_signed("-5", -5, 5), -5);
  EXPECT_EQ(parse_signed("-6", -5, 5), std::nullopt);
}

struct RangeCase {
  const char* text;
  Comparison comparison;
  uint64_t low;
  uint64_t high;
};

TEST(TextReading, ReadsRangesInAllForms) {
  for (const RangeCase& each : {
           RangeCase{"5", Comparison::Equal, 5, 0},
           RangeCase{"=5", Comparison::Equal, 5, 0},
           RangeCase{"==5", Comparison::Equal, 5, 0},
           RangeCase{"!5", Comparison::NotEqual, 5, 0},
           RangeCase{"! 5", Comparison::NotEqual, 5, 0},
           RangeCase{"!=5", Comparison::NotEqual, 5, 0},
           RangeCase{"> 5", Comparison::Greater, 5, 0},
           RangeCase{"<5", Comparison::Less, 5, 0},
           RangeCase{">=5", Comparison::GreaterOrEqual, 5, 0},
           RangeCase{"<=5", Comparison::LessOrEqual, 5, 0},
           RangeCase{"5<>9", Comparison::Between, 5, 9},
           RangeCase{"5 - 9", Comparison::Between, 5, 9},
           RangeCase{"!5-9", Comparison::Outside, 5, 9},
           RangeCase{"&0x30=0x10", Comparison::Masked, 0x30, 0x10},
           RangeCase{"& 48 != 16", Comparison::NotMasked, 48, 16},
       }) {
    const auto range = read_number_range(each.text, 100);
    ASSERT_TRUE(range.has_value()) << each.text;
    EXPECT_EQ(range->comparison, each.comparison) << each.text;
    EXPECT_EQ(range->low, each.low) << each.text;
    EXPECT_EQ(range->high, each.high) << each.text;
  }
  for (const char* text : {"", "<", "101", "9<>5", "5<>5", "<>5", "5<>", "a", ">5<", "1-2-3", "&3",
                           "&3=4", "&200=1", "1kb"}) {
    EXPECT_FALSE(read_number_range(text, 100).has_value()) << text;
  }
}

TEST(TextReading, ResolvesContentBytes) {
  EXPECT_EQ(*read_content_bytes("a|41 42|b"), "aABb");
  EXPECT_EQ(*read_content_bytes("|4142|"), "AB");
  EXPECT_EQ(*read_content_bytes("a\\;b\\\"c\\\\d\\:e:f"), "a;b\"c\\d:e:f");
  EXPECT_EQ(*read_content_bytes("|00|"), std::string(1, '\0'));
  for (const char* text : {"|4|", "|4g|", "|41", "a|", "\\n", "\\", "a\"b", "|41:42|"}) {
    EXPECT_FALSE(read_content_bytes(text).has_value()) << text;
  }
}

TEST(TextReading, ShowsForeignTextShortAndPrintable) {
  EXPECT_EQ(in_quotes("a\nb\xff"), "'a?b?'");
  EXPECT_EQ(in_quotes(std::string(100, 'x')).size(), 60U + 5U);
}

}  // namespace
}  // namespace masugata::ids
