// SPDX-License-Identifier: GPL-2.0-or-later
// Lines, headers and groups.
#include "ids/rules/header_groups.h"
#include "ids/rules/option_splitter.h"
#include "ids/rules/rules_test_support.h"

namespace masugata::ids {
namespace {

std::string text_of(const AddressSet& set) {
  if (set.any) return "any";
  std::string text;
  for (const auto& [first, last] : set.ranges) {
    text += (text.empty() ? "" : " ") + first.to_string() + "-" + last.to_string();
  }
  return text;
}

std::string text_of(const PortSet& set) {
  if (set.any) return "any";
  std::string text;
  for (const auto& [first, last] : set.ranges) {
    text += (text.empty() ? "" : " ") + std::to_string(first) + "-" + std::to_string(last);
  }
  return text;
}

const Variables kAddresses{{"HOME", "[10.0.0.0/8,192.168.0.0/16]"},
                           {"OUTSIDE", "!$HOME"},
                           {"LOOP", "$LOOP"},
                           {"BARE", "10.0.0.1,10.0.0.2"},
                           {"ALL", "any"}};

TEST(AddressGroup, ReadsMembersListsAndVariables) {
  const auto text = [](const char* group) {
    const auto set = read_address_group(group, kAddresses);
    return set ? text_of(*set) : set.error().reason;
  };
  EXPECT_EQ(text("any"), "any");
  EXPECT_EQ(text("10.1.2.3"), "10.1.2.3-10.1.2.3");
  EXPECT_EQ(text("10.1.2.3/16"), "10.1.0.0-10.1.255.255");
  EXPECT_EQ(text("10.1.2.3/255.255.0.0"), "10.1.0.0-10.1.255.255");
  EXPECT_EQ(text("10.0.0.1-10.0.0.9"), "10.0.0.1-10.0.0.9");
  EXPECT_EQ(text("2001:db8::/32"), "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
  EXPECT_EQ(text("[10.0.0.0/8, ![10.1.0.0/16,!10.1.1.0/24]]"),
            "10.0.0.0-10.0.255.255 10.1.1.0-10.1.1.255 10.2.0.0-10.255.255.255");
  EXPECT_EQ(text("[10.0.0.1,10.0.0.2,10.0.0.4]"), "10.0.0.1-10.0.0.2 10.0.0.4-10.0.0.4");
  EXPECT_EQ(text("$HOME"), "10.0.0.0-10.255.255.255 192.168.0.0-192.168.255.255");
  EXPECT_EQ(text("[$HOME,!192.168.0.0/16]"), "10.0.0.0-10.255.255.255");
  EXPECT_EQ(text("$BARE"), "10.0.0.1-10.0.0.2");
  EXPECT_EQ(text("[$HOME,$OUTSIDE]"), "any");
}

TEST(AddressGroup, TakesExcludedPartsOutOfBothFamilies) {
  const auto set = read_address_group("!10.0.0.0/8", kAddresses);
  ASSERT_TRUE(set.has_value());
  ASSERT_EQ(set->ranges.size(), 2U);
  EXPECT_EQ(set->ranges[0].first, net::IpAddress{});
  EXPECT_EQ(set->ranges[0].second.to_string(), "9.255.255.255");
  EXPECT_EQ(set->ranges[1].first.to_string(), "11.0.0.0");
}

TEST(AddressGroup, SaysWhatIsWrong) {
  const auto reason = [](const char* group) {
    const auto set = read_address_group(group, kAddresses);
    return set ? std::string("none") : set.error().reason;
  };
  EXPECT_NE(reason("$NOWHERE").find("unknown variable '$NOWHERE'"), std::string::npos);
  EXPECT_NE(reason("$LOOP").find("nested too deeply"), std::string::npos);
  EXPECT_NE(reason("!any").find("matches nothing"), std::string::npos);
  EXPECT_NE(reason("!$ALL").find("matches nothing"), std::string::npos);
  EXPECT_NE(reason("[10.0.0.1,!10.0.0.0/8]").find("matches nothing"), std::string::npos);
  EXPECT_NE(reason("[]").find("not nothing"), std::string::npos);
  EXPECT_NE(reason("10.0.0.300").find("expects an address"), std::string::npos);
  EXPECT_NE(reason("10.0.0.0/255.0.255.0").find("expects an address"), std::string::npos);
  EXPECT_NE(reason("10.0.0.0/33").find("expects an address"), std::string::npos);
}

TEST(AddressGroup, BoundsVariablesThatMultiply) {
  Variables variables{{"V0", "10.0.0.1"}};
  for (int i = 1; i <= 8; ++i) {
    const std::string inner = "$V" + std::to_string(i - 1);
    std::string list = inner;
    for (int copy = 1; copy < 8; ++copy) list += "," + inner;
    variables["V" + std::to_string(i)] = "[" + list + "]";
  }
  const auto set = read_address_group("$V8", variables);
  ASSERT_FALSE(set.has_value());
  EXPECT_EQ(set.error().reason, "has too many members");
}

TEST(PortGroup, ReadsRangesAndNegation) {
  const Variables variables{{"WEB", "[80,8080]"}};
  const auto text = [&](const char* group) {
    const auto set = read_port_group(group, variables);
    return set ? text_of(*set) : set.error().reason;
  };
  EXPECT_EQ(text("any"), "any");
  EXPECT_EQ(text("80"), "80-80");
  EXPECT_EQ(text(":1024"), "0-1024");
  EXPECT_EQ(text("1024:"), "1024-65535");
  EXPECT_EQ(text("[80:90,!85]"), "80-84 86-90");
  EXPECT_EQ(text("!$WEB"), "0-79 81-8079 8081-65535");
  EXPECT_EQ(text("!0"), "1-65535");
  EXPECT_EQ(text("!65535"), "0-65534");
  EXPECT_EQ(text("0:65535"), "any");
  for (const char* group : {"65536", "90:80", ":", "!any", "http", "$NONE"}) {
    EXPECT_FALSE(read_port_group(group, variables).has_value()) << group;
  }
}

TEST(Header, ReadsActionsAndDirections) {
  const auto header = [](const char* text) { return loaded("", text); };
  EXPECT_EQ(header("drop tcp any any -> any any").action, RuleAction::Drop);
  EXPECT_EQ(header("pass tcp any any -> any any").action, RuleAction::Pass);
  EXPECT_EQ(header("reject tcp any any -> any any").action, RuleAction::RejectSource);
  EXPECT_EQ(header("rejectsrc tcp any any -> any any").action, RuleAction::RejectSource);
  EXPECT_EQ(header("rejectdst tcp any any -> any any").action, RuleAction::RejectDestination);
  EXPECT_EQ(header("rejectboth tcp any any -> any any").action, RuleAction::RejectBoth);
  EXPECT_TRUE(header("alert tcp any any <> any any").bidirectional);
  EXPECT_TRUE(header("alert http any any => any any").transactional);
}

TEST(Header, ReadsProtocols) {
  const auto protocol = [](const char* name) {
    return loaded("", "alert " + std::string(name) + " any any -> any any").protocol;
  };
  EXPECT_EQ(protocol("IP"), RuleProtocol::Ip);
  EXPECT_EQ(protocol("ip4"), RuleProtocol::Ipv4);
  EXPECT_EQ(protocol("ipv6"), RuleProtocol::Ipv6);
  EXPECT_EQ(protocol("icmp"), RuleProtocol::Icmp);
  EXPECT_EQ(protocol("ipv6-icmp"), RuleProtocol::Icmpv6);
  EXPECT_EQ(protocol("tcp-pkt"), RuleProtocol::TcpPacket);
  EXPECT_EQ(protocol("tcp-stream"), RuleProtocol::TcpStream);
  EXPECT_EQ(protocol("pkthdr"), RuleProtocol::PacketHeader);
  EXPECT_EQ(protocol("sctp"), RuleProtocol::Sctp);
  EXPECT_EQ(protocol("gre"), RuleProtocol::Gre);
  EXPECT_EQ(protocol("udp"), RuleProtocol::Udp);
  const auto application = [](const char* name) {
    const Rule rule = loaded("", "alert " + std::string(name) + " any any -> any any");
    EXPECT_EQ(rule.protocol, RuleProtocol::Application) << name;
    return rule.application;
  };
  EXPECT_EQ(application("http"), ApplicationProtocol::Http);
  EXPECT_EQ(application("http1"), ApplicationProtocol::Http);
  EXPECT_EQ(application("http2"), ApplicationProtocol::Http2);
  EXPECT_EQ(application("ssl"), ApplicationProtocol::Tls);
  EXPECT_EQ(application("ftp-data"), ApplicationProtocol::FtpData);
  EXPECT_EQ(application("smb"), ApplicationProtocol::Smb);
}

TEST(Header, ReadsHooks) {
  Rule rule = loaded("", "alert tcp:flow_start any any -> any any");
  EXPECT_EQ(rule.hook, "flow_start");
  EXPECT_FALSE(rule.direction.has_value());
  rule = loaded("", "alert http1:response_line any any -> any any");
  EXPECT_EQ(rule.hook, "response_line");
  EXPECT_EQ(rule.direction, Direction::ToClient);
  expect_problem({"", "header", "hook", "alert tcp:request_line any any -> any any"}, true);
}

TEST(Header, SaysWhatIsWrong) {
  expect_problem({"", "header", "expects an action", "warn tcp any any -> any any"});
  expect_problem({"", "header", "not supported", "accept tcp any any -> any any"}, true);
  EXPECT_TRUE(loaded("config:logging disable;", "config tcp any any -> any any").no_alert);
  expect_problem({"", "header", "not supported", "alert irc any any -> any any"}, true);
  expect_problem({"", "header", "unknown protocol", "alert nosuch any any -> any any"});
  expect_problem({"", "header", "6 words", "alert tcp any any -> any"});
  expect_problem({"", "header", "'->'", "alert tcp any any <- any any"});
  expect_problem({"", "header", "application protocol", "alert tcp any any => any any"});
  expect_problem({"", "header", "source expects", "alert tcp 1.2.3 any -> any any"});
  expect_problem({"", "header", "destination port expects", "alert tcp any any -> any x"});
}

TEST(Header, SharesEqualGroups) {
  const RuleSet set = read_text(
      "alert tcp [10.0.0.0/9,10.128.0.0/9] 80 -> any any (sid:1;)\n"
      "alert tcp $HOME_NET [80] -> [0.0.0.0/0,::/0] any (sid:2;)\n");
  ASSERT_EQ(set.rules.size(), 2U);
  EXPECT_EQ(set.rules[0].source, set.rules[1].source);
  EXPECT_EQ(set.rules[0].source_port, set.rules[1].source_port);
  EXPECT_EQ(set.rules[1].destination, 0U);
  EXPECT_EQ(set.address_sets.size(), 2U);
  EXPECT_TRUE(set.address_sets[0].any);
}

TEST(RuleLines, JoinsAndCounts) {
  const RuleSet set = read_text(
      "# a remark: alert me\n"
      "\n"
      "alert tcp any any -> any any (msg:\"x\"; \\\r\n"
      "    content:\"a\\;b\"; \\\n"
      "    sid:7;)\r\n"
      "#alert tcp any any -> any any (sid:8;)\n"
      "## drop tcp any any -> any any (sid:9;)\n"
      "nonsense\n");
  ASSERT_EQ(set.rules.size(), 1U);
  EXPECT_EQ(set.rules[0].line, 3U);
  EXPECT_EQ(match_of<ContentMatch>(set.rules[0]).bytes, "a;b");
  EXPECT_EQ(set.disabled, 2U);
  ASSERT_EQ(set.problems.size(), 1U);
  EXPECT_EQ(set.problems[0].line, 8U);
  EXPECT_EQ(set.problems[0].file, "test.rules");
}

TEST(RuleLines, RefusesTextsWithoutEnds) {
  for (const char* text :
       {"alert tcp any any -> any any", "alert tcp any any -> any any (sid:1;",
        "alert tcp any any -> any any (sid:1)", "alert tcp [any any -> any any (sid:1;)",
        "alert tcp any] any -> any any (sid:1;)", "alert tcp any any -> any any (;sid:1;)", "\\"}) {
    const RuleSet set = read_text(text);
    EXPECT_TRUE(set.rules.empty()) << text;
    EXPECT_EQ(set.problems.size(), 1U) << text;
  }
}

TEST(RuleLines, RefusesALongRule) {
  const RuleSet set = read_text("alert tcp any any -> any any (msg:\"" + std::string(70'000, 'x') +
                                "\"; sid:1;)\nalert tcp any any -> any any (sid:2;)");
  ASSERT_EQ(set.rules.size(), 1U);
  EXPECT_EQ(set.rules[0].sid, 2U);
  ASSERT_EQ(set.problems.size(), 1U);
  EXPECT_NE(set.problems[0].reason.find("64 KiB"), std::string::npos);
}

}  // namespace
}  // namespace masugata::ids
