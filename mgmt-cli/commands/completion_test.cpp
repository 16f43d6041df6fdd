// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/commands/completion.h"

#include <gtest/gtest.h>

namespace masugata::cli {
namespace {

using Words = std::vector<std::string>;

Words texts(const Words& words) {
  const auto names = [](ValueKind kind) {
    if (kind == ValueKind::Site) return Words{"osaka"};
    return kind == ValueKind::Zone ? Words{"lan", "wan"} : Words{"lan0"};
  };
  Words result;
  for (const Candidate& candidate : complete(words, names)) result.push_back(candidate.text);
  return result;
}

TEST(Complete, OffersTheWordsOfTheTable) {
  EXPECT_EQ(texts({"c"}), (Words{"check", "clear"}));
  EXPECT_EQ(texts({"show", "n"}), (Words{"nat", "neighbours"}));
  EXPECT_EQ(texts({"monitor", ""}), (Words{"trace", "vpn"}));
  EXPECT_EQ(texts({""}).size(), 13U);
  EXPECT_EQ(texts({"show", "ips", ""}), (Words{"rules", "rule", "hits", "exceptions", "profile"}));
  EXPECT_EQ(texts({"show", "ip"}), Words{"ips"});
  EXPECT_EQ(texts({"clear", ""}), (Words{"counters", "ips", "av"}));
  EXPECT_EQ(texts({"nonsense", ""}), Words{});
  EXPECT_EQ(texts({}), Words{});
}

TEST(Complete, OffersOptionsThatWereNotGivenYet) {
  EXPECT_EQ(texts({"show", "sessions", "so"}), (Words{"source", "source-port"}));
  EXPECT_EQ(texts({"show", "sessions", "source", "10.0.0.1", "so"}), Words{"source-port"});
  EXPECT_EQ(texts({"show", "routes", ""}), Words{"limit"});
  EXPECT_EQ(texts({"show", "ips", "hits", ""}), Words{"limit"});
}

TEST(Complete, OffersValues) {
  EXPECT_EQ(texts({"show", "sessions", "protocol", "u"}), Words{"udp"});
  EXPECT_EQ(texts({"show", "sessions", "zone", ""}), (Words{"lan", "wan"}));
  EXPECT_EQ(texts({"show", "sessions", "zone", "w"}), Words{"wan"});
  EXPECT_EQ(texts({"show", "sessions", "interface", ""}), Words{"lan0"});
  EXPECT_EQ(texts({"show", "sessions", "source", ""}), Words{});
  EXPECT_EQ(texts({"ips", "profiling", "o"}), (Words{"on", "off"}));
  EXPECT_EQ(texts({"request", "av", "release", "7", ""}), Words{"to"});
  EXPECT_EQ(texts({"request", "vpn", ""}), (Words{"probe", "osaka"}));
  EXPECT_EQ(texts({"request", "vpn", "osaka", ""}), (Words{"up", "down", "rekey", "probe"}));
  EXPECT_EQ(texts({"request", "vpn", "probe", ""}), Words{"osaka"});
}

TEST(Complete, PositionalsComeBeforeOptions) {
  EXPECT_EQ(texts({"explain", "t"}), Words{"tcp"});
  EXPECT_EQ(texts({"explain", "tcp", ""}), Words{});
  EXPECT_EQ(texts({"explain", "tcp", "10.0.0.1:1", "10.0.0.2:2", ""}),
            (Words{"from-zone", "interface", "application", "domain"}));
  EXPECT_EQ(texts({"check", "ga"}), Words{});
}

TEST(Complete, HelpTakesTheWordsOfCommands) {
  EXPECT_EQ(texts({"help", "show", "dr"}), Words{"drops"});
}

}  // namespace
}  // namespace masugata::cli
