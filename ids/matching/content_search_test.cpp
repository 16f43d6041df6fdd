// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/content_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace masugata::ids {
namespace {

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// The slow way: every place, every byte.
size_t find_slowly(const std::string& pattern, bool nocase, const std::string& text) {
  auto same = [nocase](char one, char other) {
    const auto left = static_cast<uint8_t>(one);
    const auto right = static_cast<uint8_t>(other);
    return nocase ? to_lower_ascii(left) == to_lower_ascii(right) : left == right;
  };
  const auto found = std::search(text.begin(), text.end(), pattern.begin(), pattern.end(), same);
  return found == text.end() ? SearchPattern::kNotFound : static_cast<size_t>(found - text.begin());
}

size_t find(const std::string& pattern, bool nocase, const std::string& text) {
  return SearchPattern(pattern, nocase).find(bytes_of(text));
}

TEST(ContentSearch, FindsTheFirstOccurrence) {
  EXPECT_EQ(find("abc", false, "xxabcabc"), 2U);
  EXPECT_EQ(find("a", false, "bbba"), 3U);
  EXPECT_EQ(find("abc", false, "abc"), 0U);
}

TEST(ContentSearch, FindsNothingInLessBytesThanThePatternHas) {
  EXPECT_EQ(find("abcd", false, "abc"), SearchPattern::kNotFound);
  EXPECT_EQ(find("a", false, ""), SearchPattern::kNotFound);
}

TEST(ContentSearch, RegardsCaseOnlyWhenAsked) {
  EXPECT_EQ(find("GeT", false, "get GET GeT"), 8U);
  EXPECT_EQ(find("GeT", true, "..gEt"), 2U);
}

TEST(ContentSearch, FoldsLettersOnly) {
  // '@' and '`', '[' and '{' differ in the same bit as letters of different case.
  EXPECT_EQ(find("a@[", true, "A`{ A@["), 4U);
  EXPECT_EQ(find("\xc1", true, "\xe1"), SearchPattern::kNotFound);
}

TEST(ContentSearch, FindsAtTheVeryEndOfLongBytes) {
  const std::string text = std::string(1000, 'a') + "needle";
  EXPECT_EQ(find("needle", false, text), 1000U);
  EXPECT_EQ(find("NEEDLE", true, text), 1000U);
}

TEST(ContentSearch, ComparesLongPatternsWhole) {
  const std::string pattern = "abcdefghijklmnopqrstuvwxyz0123456789-ABCDEFG";
  std::string text = "..." + pattern;
  EXPECT_EQ(find(pattern, true, text), 3U);
  for (size_t place = 3; place < text.size(); ++place) {
    std::string other = text;
    other[place] = '!';
    EXPECT_EQ(find(pattern, true, other), SearchPattern::kNotFound) << place;
  }
}

TEST(ContentSearch, TellsWhetherThePatternStandsAtTheStart) {
  const SearchPattern pattern("ab", true);
  EXPECT_TRUE(pattern.matches_at_start(bytes_of("ABx")));
  EXPECT_FALSE(pattern.matches_at_start(bytes_of("xab")));
  EXPECT_FALSE(pattern.matches_at_start(bytes_of("a")));
}

// Random patterns over small alphabets, so that near misses are frequent, in buffers of the exact
// size on the heap, so that a sanitizer sees a byte read too much.
TEST(ContentSearch, AgreesWithTheSlowSearch) {
  std::mt19937 random(20240131);
  const std::string alphabets[] = {"ab", "aAbB", std::string("aA@`\0\xff\x80", 7), "abcdefgh \r\n"};
  for (int round = 0; round < 40000; ++round) {
    const std::string& alphabet = alphabets[random() % 4];
    auto letter = [&] { return alphabet[random() % alphabet.size()]; };
    std::string pattern(1 + random() % (round % 50 == 0 ? 40 : 6), '\0');
    std::generate(pattern.begin(), pattern.end(), letter);
    std::string text(random() % 120, '\0');
    std::generate(text.begin(), text.end(), letter);
    if (random() % 4 == 0 && text.size() >= pattern.size()) {
      text.replace(random() % (text.size() - pattern.size() + 1), pattern.size(), pattern);
    }
    const bool nocase = random() % 2 == 0;
    const auto exact = std::make_unique<uint8_t[]>(text.size());
    std::copy(text.begin(), text.end(), exact.get());
    const size_t found = SearchPattern(pattern, nocase).find({exact.get(), text.size()});
    ASSERT_EQ(found, find_slowly(pattern, nocase, text)) << pattern << " in " << text;
  }
}

}  // namespace
}  // namespace masugata::ids
