// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packets/packet_matcher.h"

#include <gtest/gtest.h>

#include "tests/packets/packet_builder.h"
#include "tests/packets/recipe_parser.h"

namespace masugata::test {
namespace {

MatchResult match(std::string_view expected, std::string_view sent) {
  const auto recipe = parse_recipe(expected);
  const auto frame = build_packet(sent);
  if (!recipe || !frame) {
    return {{recipe ? frame.error().message() : recipe.error().message()}, {}};
  }
  return match_packet(*recipe, *frame);
}

std::string first_difference(std::string_view expected, std::string_view sent) {
  const MatchResult result = match(expected, sent);
  return result.matches() ? "none" : result.differences.front();
}

constexpr std::string_view kSyn =
    "ipv4 ttl 63 | tcp 10.0.0.1:1000 > 10.0.0.2:80 flags S seq 5 opt mss 1460 wscale 7";

TEST(PacketMatcher, ComparesOnlyWhatIsNamed) {
  EXPECT_EQ(first_difference("tcp 10.0.0.1:1000 > 10.0.0.2:80", kSyn), "none");
  EXPECT_EQ(first_difference("tcp 10.0.0.1:1000 > *:80 flags S opt mss 1460", kSyn), "none");
  EXPECT_EQ(first_difference("ipv4 ttl 63 | tcp 10.0.0.1:* > 10.0.0.2:80 without ts", kSyn),
            "none");
}

TEST(PacketMatcher, ExplainsEveryDifference) {
  EXPECT_EQ(first_difference("tcp 10.0.0.9:1000 > 10.0.0.2:80", kSyn),
            "ipv4 source: expected 10.0.0.9, received 10.0.0.1");
  EXPECT_EQ(first_difference("tcp 10.0.0.1:1000 > 10.0.0.2:80 opt mss 1400", kSyn),
            "tcp mss: expected 1400, received 1460");
  EXPECT_EQ(first_difference("tcp 10.0.0.1:1000 > 10.0.0.2:80 ts 1 2", kSyn),
            "tcp ts: expected 1 2, received none");
  EXPECT_EQ(first_difference("tcp 10.0.0.1:1000 > 10.0.0.2:80 without mss", kSyn),
            "tcp mss: expected none, received 1460");
  EXPECT_EQ(first_difference("udp 10.0.0.1:1000 > 10.0.0.2:80", kSyn),
            "layers: expected eth | ipv4 | udp, received eth | ipv4 | tcp");
  EXPECT_EQ(first_difference("vlan 5 | tcp 10.0.0.1:1000 > 10.0.0.2:80", kSyn),
            "layers: expected eth | vlan | ipv4 | tcp, received eth | ipv4 | tcp");
  EXPECT_EQ(match("ipv4 ttl 1 | tcp 10.0.0.9:1 > 10.0.0.8:2", kSyn).differences.size(), 5U);
}

TEST(PacketMatcher, WrongChecksumsNeverMatchUnlessAsked) {
  constexpr std::string_view kBad = "udp 10.0.0.1:1 > 10.0.0.2:2 bad-checksum";
  EXPECT_FALSE(match("udp 10.0.0.1:1 > 10.0.0.2:2", kBad).matches());
  EXPECT_TRUE(match(kBad, kBad).matches());
}

TEST(PacketMatcher, PayloadIsNamedOrAbsent) {
  constexpr std::string_view kSent = "udp 10.0.0.1:1 > 10.0.0.2:2 payload \"abc\"";
  EXPECT_TRUE(match("udp 10.0.0.1:1 > 10.0.0.2:2 payload \"abc\"", kSent).matches());
  EXPECT_TRUE(match("udp 10.0.0.1:1 > 10.0.0.2:2 payload-size 3", kSent).matches());
  EXPECT_TRUE(match("udp 10.0.0.1:1 > 10.0.0.2:2 payload-any", kSent).matches());
  EXPECT_TRUE(match("udp 10.0.0.1:1 > 10.0.0.2:2 payload-begins \"ab\"", kSent).matches());
  EXPECT_FALSE(match("udp 10.0.0.1:1 > 10.0.0.2:2 payload-begins \"b\"", kSent).matches());
  EXPECT_FALSE(match("udp 10.0.0.1:1 > 10.0.0.2:2", kSent).matches());
  EXPECT_FALSE(match("udp 10.0.0.1:1 > 10.0.0.2:2 payload \"abd\"", kSent).matches());
  EXPECT_FALSE(match(kSent, "udp 10.0.0.1:1 > 10.0.0.2:2").matches());
}

TEST(PacketMatcher, CapturesValues) {
  const MatchResult result = match("tcp 10.0.0.1:$port > 10.0.0.2:80 seq $isn", kSyn);
  EXPECT_TRUE(result.matches());
  EXPECT_EQ(result.captures.at("port"), "1000");
  EXPECT_EQ(result.captures.at("isn"), "5");
  EXPECT_EQ(first_difference("tcp 10.0.0.1:$same > 10.0.0.2:$same", kSyn),
            "tcp destination-port: expected 1000, received 80");
}

TEST(PacketMatcher, LooksIntoQuotes) {
  constexpr std::string_view kError =
      "icmp unreachable port 10.0.0.2 > 10.0.0.1 quoting { ipv4 ttl 3 | udp 10.0.0.1:5 > "
      "10.0.0.2:53 "
      "payload-size 40 | truncate 40 }";
  EXPECT_TRUE(match("icmp unreachable port 10.0.0.2 > 10.0.0.1", kError).matches());
  EXPECT_TRUE(
      match("icmp unreachable port 10.0.0.2 > 10.0.0.1 quoting { udp 10.0.0.1:5 > 10.0.0.2:53 }",
            kError)
          .matches());
  EXPECT_EQ(first_difference("icmp unreachable port 10.0.0.2 > 10.0.0.1 quoting { udp 10.0.0.1:6 > "
                             "10.0.0.2:53 }",
                             kError),
            "quoted udp source-port: expected 6, received 5");
  EXPECT_EQ(first_difference("icmp unreachable port 10.0.0.2 > 10.0.0.1 quoting { udp 10.0.0.1:5 > "
                             "10.0.0.2:53 }",
                             "icmp unreachable port 10.0.0.2 > 10.0.0.1"),
            "quoting: expected a packet, received none");
}

TEST(PacketMatcher, ComparesFragmentsByTheirBytes) {
  constexpr std::string_view kWhole = "udp 10.0.0.1:5 > 10.0.0.2:53 payload-pattern 64";
  const std::string first = std::string(kWhole) + " | cut 0+32";
  const std::string last = std::string(kWhole) + " | cut 32+100";
  EXPECT_EQ(first_difference(first, "ipv4 id 7 ttl 9 | " + first), "none");
  EXPECT_EQ(first_difference(last, last), "none");
  EXPECT_EQ(first_difference(first, last), "ipv4 offset: expected 0, received 32");
  EXPECT_EQ(first_difference(last, last + " more"), "ipv4 more: expected none, received yes");
  EXPECT_NE(first_difference(first, "udp 10.0.0.1:6 > 10.0.0.2:53 payload-pattern 64 | cut 0+32"),
            "none");
}

}  // namespace
}  // namespace masugata::test
