// SPDX-License-Identifier: GPL-2.0-or-later
// Random rules of positive contents against the definition: there is a place for each content such
// that all their windows hold.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "ids/matching/matching_test_support.h"

namespace masugata::ids {
namespace {

struct Link {
  std::string bytes;
  bool relative = false;
  std::optional<int64_t> offset, depth, distance, within;
};

// May the content stand at `place`, the one before it ending at `last`?
bool may_stand(const Link& link, int64_t place, int64_t last) {
  const int64_t end = place + static_cast<int64_t>(link.bytes.size());
  if (!link.relative) {
    const int64_t offset = link.offset.value_or(0);
    return place >= offset && (!link.depth || end <= offset + *link.depth);
  }
  const int64_t from = last + link.distance.value_or(0);
  return place >= from && (!link.within || end <= from + *link.within);
}

// Tries every place of every content.
bool exists(const std::vector<Link>& links, size_t index, int64_t last, const std::string& text) {
  if (index == links.size()) return true;
  const Link& link = links[index];
  for (size_t place = 0; place + link.bytes.size() <= text.size(); ++place) {
    if (text.compare(place, link.bytes.size(), link.bytes) != 0) continue;
    if (!may_stand(link, static_cast<int64_t>(place), last)) continue;
    if (exists(links, index + 1, static_cast<int64_t>(place + link.bytes.size()), text)) {
      return true;
    }
  }
  return false;
}

class Chains {
 public:
  explicit Chains(uint32_t seed) : random_(seed) {}
  std::string text(size_t longest) {
    std::string result(random_() % (longest + 1), '\0');
    std::generate(result.begin(), result.end(), [this] { return "abc"[random_() % 3]; });
    return result;
  }
  Link link(bool first) {
    Link result;
    result.bytes = text(1) + "abc"[random_() % 3];
    result.relative = !first && random_() % 4 != 0;
    if (result.relative) {
      if (random_() % 2 == 0) result.distance = between(-3, 4);
      if (!result.distance || random_() % 2 == 0) result.within = between(1, 5);
    } else {
      if (random_() % 3 == 0) result.offset = between(0, 4);
      if (random_() % 3 == 0) result.depth = between(1, 8);
    }
    return result;
  }
  std::vector<Link> links() {
    std::vector<Link> result;
    const size_t count = 1 + random_() % 5;
    while (result.size() < count) result.push_back(link(result.empty()));
    return result;
  }

 private:
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random_() % static_cast<uint64_t>(high - low + 1));
  }
  std::mt19937 random_;
};

PayloadMatch match_of(const Link& link) {
  ContentBuilder builder = content(link.bytes);
  if (link.offset) builder.offset(*link.offset);
  if (link.depth) builder.depth(*link.depth);
  if (link.distance) builder.distance(*link.distance);
  if (link.within) builder.within(*link.within);
  return builder;
}

TEST(ContentChains, MatchWhenPlacesExist) {
  Chains chains(7);
  Matcher matcher;
  int matched = 0;
  for (int round = 0; round < 20000; ++round) {
    const auto links = chains.links();
    const auto text = chains.text(16);
    std::vector<PayloadMatch> list;
    for (const Link& link : links) list.push_back(match_of(link));
    const bool expected = exists(links, 0, 0, text);
    ASSERT_EQ(matcher.matches(std::move(list), text), expected)
        << "round " << round << " text " << text;
    matched += expected ? 1 : 0;
  }
  // Both answers are frequent, or the test says little.
  EXPECT_GT(matched, 3000);
  EXPECT_LT(matched, 17000);
}

}  // namespace
}  // namespace masugata::ids
