// SPDX-License-Identifier: GPL-2.0-or-later
// Wrong configurations: every finding with its place, path and what would be accepted.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/load.h"

namespace masugata::config {
namespace {

// One line, so that columns below are those of the text behind it on line 2.
constexpr const char* kNetworks =
    "interfaces { interface wan0 { device a0; address 203.0.113.2/24; } interface lan0 { device "
    "a1; "
    "address 10.0.1.1/24; } } zones { zone wan { interface wan0; } zone lan { interface lan0; } "
    "}\n";

std::vector<std::string> findings(const std::string& text) {
  const Loaded loaded = load_text(text, "t");
  std::vector<std::string> lines;
  bool any_error = false;
  for (const Problem& problem : loaded.problems) {
    any_error = any_error || problem.severity == Problem::Severity::Error;
    lines.push_back(format_problem(problem, "t"));
  }
  EXPECT_EQ(loaded.model.has_value(), !any_error) << text;
  return lines;
}

// `text` stands on line 2, behind two zones with an interface each.
std::vector<std::string> with_zones(const std::string& text) { return findings(kNetworks + text); }

using Lines = std::vector<std::string>;

TEST(Problems, TheMessageOfAWrongValue) {
  EXPECT_EQ(with_zones("policy { from wan to lan { rule www { action permitt; } } }"),
            (Lines{"t:2:46: error: policy from wan to lan rule www action: 'permitt' is not an "
                   "action (accepted: permit, deny, reject)"}));
}

TEST(Problems, UnknownStatementsSayWhatIsMeant) {
  EXPECT_EQ(findings("system { hostname gw; }"),
            (Lines{"t:1:10: error: system: unknown statement 'hostname', did you mean 'host-name'? "
                   "(accepted: host-name, hw-profile, log-denied)"}));
  EXPECT_EQ(findings("xyzzy;").size(), 1U);
}

TEST(Problems, ValuesListsFlagsAndBlocksAreToldApart) {
  EXPECT_EQ(findings("system { log-denied yes; }"),
            (Lines{"t:1:10: error: system log-denied: 'log-denied' takes no value (accepted: "
                   "log-denied;)"}));
  EXPECT_EQ(findings("sessions { maximum; }"),
            (Lines{"t:1:12: error: sessions maximum: 'maximum' needs a number of sessions "
                   "(accepted: 16 to 67108864)"}));
  EXPECT_EQ(findings("sessions { maximum 100 200; }"),
            (Lines{"t:1:24: error: sessions maximum: 'maximum' takes one value; '200' is too many "
                   "(accepted: 16 to 67108864)"}));
  EXPECT_EQ(findings("sessions { maximum { } }").size(), 1U);
  EXPECT_EQ(
      with_zones("zones { zone x { interface wan0 lan0; } }").at(0),
      "t:2:33: error: zones zone x interface: several values of 'interface' stand in brackets "
      "(accepted: interface [ wan0 lan0 ])");
  EXPECT_EQ(findings("system;").size(), 1U);
  EXPECT_EQ(findings("system [ ];").size(), 1U);
}

TEST(Problems, WhatIsWrittenTwice) {
  EXPECT_EQ(findings("sessions { maximum 100;\n maximum 200; }"),
            (Lines{"t:2:2: error: sessions maximum: 'maximum' is written twice, first on line 1"}));
  EXPECT_EQ(
      with_zones("policy { from wan to lan { rule a { action deny; } rule a { action deny; } } }")
          .at(0),
      "t:2:52: error: policy from wan to lan rule a: 'rule a' is written twice, first on line 2");
  EXPECT_EQ(
      with_zones("policy { from wan to lan { } from wan to lan { } }"),
      (Lines{"t:2:30: error: policy from wan to lan: 'from wan to lan' is written twice, first "
             "on line 2"}));
  EXPECT_EQ(with_zones("zones { zone lan { } }").size(), 1U);
}

TEST(Problems, WhatIsMissing) {
  EXPECT_EQ(with_zones("policy { from wan to lan { rule a { } } }"),
            (Lines{"t:2:28: error: policy from wan to lan rule a: 'action' is missing (accepted: "
                   "permit, deny, reject)"}));
  EXPECT_EQ(findings("interfaces { interface lan0 { } }").at(0).substr(0, 63),
            "t:1:14: error: interfaces interface lan0: 'device' is missing (");
  EXPECT_EQ(with_zones("nat { source { rule a { } } }"),
            (Lines{"t:2:16: error: nat source rule a: 'translate' is missing (accepted: interface, "
                   "pool, none)"}));
  EXPECT_EQ(
      with_zones("nat { source { rule a { translate { } } } }"),
      (Lines{"t:2:25: error: nat source rule a translate: 'translate' says nothing (accepted: "
             "interface, pool, none)"}));
  EXPECT_EQ(with_zones("nat { source { rule a { translate { none; interface; } } } }").at(0),
            "t:2:43: error: nat source rule a translate interface: 'interface' cannot stand beside "
            "'none'");
  EXPECT_EQ(with_zones("policy { from lan wan { } }"),
            (Lines{"t:2:19: error: policy from lan: 'to' is missing (accepted: to and a zone)"}));
}

TEST(Problems, TheWholeTreeIsValidated) {
  EXPECT_EQ(
      findings("interfaces { interface a { device x; tcp-mss 1300; no-mss-clamp; disable; } }"),
      (Lines{"t:1:52: error: interfaces interface a no-mss-clamp: no-mss-clamp contradicts "
             "tcp-mss: keep one of them"}));
  const Lines lines = findings("sets { address-set a { } address-set b { } service c { } }");
  ASSERT_EQ(lines.size(), 6U);  // each is unused, too
  EXPECT_EQ(lines[1], "t:1:8: error: sets address-set a: the set is empty: say address or include");
  EXPECT_EQ(lines[3],
            "t:1:26: error: sets address-set b: the set is empty: say address or include");
  EXPECT_EQ(lines[5], "t:1:44: error: sets service c: the service is empty: say protocol or port");
}

TEST(Problems, EverythingIsReportedAtOnce) {
  const Lines lines = with_zones(
      "policy { from wan to dmz { rule a { source { address [ servers 10.0.0.300 ]; } action x; "
      "until 2001-01-01; }\n"
      "  rule b { destination { port 70000 } servce http; } } } nonsense;");
  ASSERT_EQ(lines.size(), 10U);
  EXPECT_EQ(
      lines[0],
      "t:2:10: error: policy from wan to dmz: no zone 'dmz' is defined (accepted: lan, self, wan)");
  EXPECT_NE(lines[1].find("no address set 'servers' is defined"), std::string::npos);
  EXPECT_NE(lines[2].find("'10.0.0.300' is not an address"), std::string::npos);
  EXPECT_NE(lines[3].find("'x' is not an action"), std::string::npos);
  EXPECT_NE(lines[4].find("warning: policy from wan to dmz rule a until: the rule has expired"),
            std::string::npos);
  EXPECT_NE(lines[5].find("'action' is missing"), std::string::npos);
  EXPECT_NE(lines[6].find("'70000' is not a port"), std::string::npos);
  EXPECT_NE(lines[7].find("missing ';' after '70000'"), std::string::npos);
  EXPECT_NE(lines[8].find("'servce', did you mean 'service'?"), std::string::npos);
}

// One error each, found by the cross-checks. The first column is the text on line 2, the second a
// part of the only line of output.
struct Case {
  const char* text;
  const char* finding;
};

class CrossCheck : public ::testing::TestWithParam<Case> {};

TEST_P(CrossCheck, IsTheOnlyFinding) {
  const Lines lines = with_zones(GetParam().text);
  ASSERT_EQ(lines.size(), 1U) << GetParam().text
                              << (lines.empty() ? "" : "\n" + lines[0] + "\n" + lines.back());
  EXPECT_NE(lines[0].find(GetParam().finding), std::string::npos) << lines[0];
}

#define RULE(conditions) "policy { from lan to wan { rule a { " conditions " action permit; } } }"
#define SET(sets, address) "sets { " sets " } " RULE("destination { address " address "; }")
#define SERVICE(sets, service) "sets { " sets " } " RULE("service " service ";")
#define NAT(rules) "nat { " rules " }"

INSTANTIATE_TEST_SUITE_P(
    Interfaces, CrossCheck,
    ::testing::Values(
        Case{"interfaces { interface x { device a1,y=z; disable; } }",
             "device 'a1' is used by interface lan0 already"},
        Case{"interfaces { interface x { device a2; disable; address 10.0.1.9/28; } }",
             "10.0.1.9/28 overlaps 10.0.1.1/24 of interface lan0"},
        Case{"interfaces { interface x { device a2; disable; address 10.0.0.1/8; } }",
             "10.0.0.1/8 overlaps 10.0.1.1/24 of interface lan0"},
        Case{"interfaces { interface x { device a2; disable; address 10.9.0.0/24; } }",
             "is the network itself"},
        Case{"interfaces { interface x { device a2; disable; address 10.9.0.255/24; } }",
             "is the broadcast address"},
        Case{"interfaces { interface x { device a2; disable; address 224.0.0.1/24; } }",
             "cannot be the address of an interface"},
        Case{"interfaces { interface x { device a2; disable; address 10.9.0.1/33; } }",
             "'10.9.0.1/33' is not an interface address"},
        Case{"interfaces { interface x { device a2; disable; mtu 1000; address 2001:db8::1/64; } }",
             "IPv6 needs an MTU of 1280"},
        Case{"interfaces { interface x { device a2; disable; vlan 7 { mtu 9000; } } }",
             "the VLAN's MTU 9000 is above the port's 1500"},
        Case{"interfaces { interface x { device a2; disable; vlan 7 { } vlan 7 { } } }",
             "'vlan 7' is written twice"},
        Case{"interfaces { interface x { device a2; disable; vlan 4095 { } } }",
             "'4095' is not a VLAN id (accepted: 1 to 4094)"},
        Case{"interfaces { interface x { device a2; } }",
             "warning: interfaces interface x: interface x is in no zone"},
        Case{"routes { route 10.9.0.0/16 { via 2001:db8::1; } }", "different families"},
        Case{"routes { route 10.9.0.1/16 { blackhole; } }",
             "has bits set behind its length (accepted: 10.9.0.0/16)"},
        Case{"routes { route 10.9.0.0/16 { via 10.0.1.9; interface nope; } }",
             "no interface 'nope' is defined (accepted: lan0, wan0)"},
        Case{"routes { route 10.9.0.0/16 { via 192.0.2.1; } }",
             "warning: routes route 10.9.0.0/16 via: no interface has a network with 192.0.2.1"},
        Case{"routes { route 10.9.0.0/16 { } }", "the route leads nowhere"},
        Case{"zones { zone x { interface lan0; } }", "interface 'lan0' is in zone lan already"},
        Case{"zones { zone x { interface lan0.5; } }", "no interface 'lan0.5' is defined"},
        Case{"zones { zone any { } }", "'any' is not a zone name"},
        Case{"zones { zone x { } }", "warning: zones zone x: the zone has no interface"}));

INSTANTIATE_TEST_SUITE_P(
    Sets, CrossCheck,
    ::testing::Values(
        Case{SET("address-set a { include b; } address-set b { include c; } address-set c { "
                 "include a; address 10.0.0.1; }",
                 "a"),
             "address-set 'a' includes itself"},
        Case{SET("address-set a { include a; address 10.0.0.1; }", "a"),
             "address-set 'a' includes itself"},
        Case{SET("address-set a { include x; address 10.0.0.1; }", "a"),
             "no address set 'x' is defined"},
        Case{SET("address-set a { address [ 10.0.0.9-10.0.0.1 10.0.0.1 ]; }", "a"),
             "'10.0.0.9-10.0.0.1' is not an address"},
        Case{"sets { address-set 10.0.0.1 { address 10.0.0.1; } }",
             "a name that cannot be taken for an address"},
        Case{"sets { address-set a { address 10.0.0.1; } }",
             "warning: sets address-set a: nothing uses the address set 'a'"},
        Case{"sets { service a { port 1; } }",
             "warning: sets service a: nothing uses the service 'a'"},
        Case{"sets { schedule a { } }", "nothing uses the schedule 'a'"},
        Case{SERVICE("service a { protocol icmp; port 5; }", "[ a http ]"),
             "port needs a protocol that has ports; 'icmp' has none"},
        Case{SERVICE("service a { protocol tcp; icmp-type 8; }", "[ a http ]"),
             "icmp-type needs protocol icmp or icmpv6"},
        Case{SERVICE("service a { protocol icmp; icmp-type packet-too-big; }", "[ a http ]"),
             "'packet-too-big' is not a type of icmp"},
        Case{SERVICE("service a { protocol icmp; icmp-code 1; }", "a"),
             "icmp-code needs an icmp-type"},
        Case{SERVICE("service-set a { service [ http nope ]; }", "a"),
             "no service 'nope' is defined"},
        Case{SERVICE("service-set a { service b; } service-set b { service [ a http ]; }",
                     "[ a b ]"),
             "includes itself"},
        Case{SERVICE("service a { port 1; } service-set a { service http; }", "a"),
             "a service is called 'a' already"},
        Case{"sets { schedule a { time 25:00-26:00; } } " RULE("schedule a;"),
             "'25:00-26:00' is not a range of hours"}));

INSTANTIATE_TEST_SUITE_P(
    Policy, CrossCheck,
    ::testing::Values(
        Case{RULE("source { address 10.0.0.0/8; } destination { address 2001:db8::/32; }"),
             "no address family in common"},
        Case{RULE("source { address 2001:db8::/32; } protocol icmp;"),
             "not of the family of the protocol"},
        Case{RULE("source { address [ any 10.0.0.1 ]; }"),
             "warning: policy from lan to wan rule a source: 'any' makes"},
        Case{RULE("source { mac ff:ff:ff:ff:ff:ff; }"), "is not the MAC address of a host"},
        Case{RULE("destination { port 9-5; }"), "'9-5' is not a port"},
        Case{RULE("destination { port 80; } protocol gre;"),
             "'gre' has none (accepted: tcp, udp, sctp)"},
        Case{RULE("icmp-type echo-request;"), "icmp-type needs protocol icmp or icmpv6"},
        Case{RULE("protocol [ icmp tcp ]; icmp-type echo-request;"),
             "icmp-type needs protocol icmp or icmpv6"},
        Case{RULE("destination { port 80; } service http;"),
             "service cannot stand beside protocol, port or icmp-type"},
        Case{RULE("service nope;"), "no service 'nope' is defined"},
        Case{RULE("schedule nope;"), "no schedule 'nope' is defined"},
        Case{RULE("until 2001-02-30;"), "'2001-02-30' is not a moment"},
        Case{RULE("until 2001-02-03;"),
             "warning: policy from lan to wan rule a until: the rule has expired"},
        Case{"policy { from nope to wan { } }",
             "no zone 'nope' is defined (accepted: lan, self, wan)"},
        Case{"policy { from lan to wan { rule a { action permit; } rule b { protocol tcp; action "
             "deny; } } }",
             "rule b: the rule can never match: rule a takes everything"},
        Case{"policy { from lan to wan { rule a { protocol tcp; action permit; } rule b { protocol "
             "tcp; action deny; } } }",
             "rule b: the rule can never match: it has the conditions of rule a"},
        Case{
            "av { profile x { } } policy { from lan to wan { rule a { action deny; inspect { av x; "
            "} } } }",
            "warning: policy from lan to wan rule a inspect: only what is permitted"},
        Case{"ips { profile p { exception e { until \"2999-01-01\"; } } }",
             "ips profile p exception e: the exception takes everything"},
        Case{"ips { profile p { override 7-3 { action drop; } } }", "'7-3' is not a signature id"},
        Case{"policy { from lan to wan { rule a { action permit; inspect { "
             "ips "
             "q; } } } }",
             "no IPS profile 'q' is defined"},
        Case{"policy { from lan to wan { rule a { action permit; inspect { av x; } } } }",
             "no anti-virus profile 'x' is defined"},
        Case{"av { profile p { limits { object-size 1; } } }", "'1' is too small"},
        Case{"av { notices { smart-host mail; } }", "notices have no sender"},
        Case{"av { scan-job j { path /srv; at 25:00; } }", "'25:00' is no time of day"},
        Case{"av { scan-job j { } }", "the job scans nothing"},
        Case{"av { scan-job j { path /srv; file-size 4G; } }", "'4G' is too large"},
        Case{"av { scan-job j { path /srv; report-to a@example.com; } }",
             "warning: av scan-job j: nobody gets the report"},
        Case{"av { scan-job j { path /srv; file-size 257M; } }",
             "warning: av scan-job j file-size: a file of `file-size` takes more than half"},
        Case{
            "av { profile p { limits { unpacked-file-size 1G; } } }",
            "warning: av profile p limits unpacked-file-size: a file of `unpacked-file-size` takes "
            "more than half of the 512M"}));

INSTANTIATE_TEST_SUITE_P(
    Nat, CrossCheck,
    ::testing::Values(
        Case{NAT("pool p { address 2001:db8::1; } source { rule a { translate pool p; } }"),
             "pools translate IPv4 only"},
        Case{NAT("pool p { address 192.0.2.1; }"),
             "warning: nat pool p: nothing uses the pool 'p'"},
        Case{
            NAT("pool p { address 192.0.2.1; ports 0-9; } source { rule a { translate pool p; } }"),
            "'0-9' is not a range of ports"},
        Case{NAT("pool p { address 192.0.2.0/28; } pool q { address 192.0.2.9; } source { rule a { "
                 "from lan; translate pool p; } rule b { translate pool q; } }"),
             "nat pool q: the pool shares addresses and ports with pool p"},
        Case{NAT("source { rule a { translate pool nope; } }"), "no pool 'nope' is defined"},
        Case{NAT("source { rule a { from self; translate interface; } }"),
             "sessions of the gateway itself are not translated"},
        Case{NAT("source { rule a { source { address 2001:db8::/32; } translate interface; } }"),
             "translation is for IPv4"},
        Case{NAT("destination { rule a { to { address any; } translate address 10.0.0.1; } }"),
             "'any' would take every session"},
        Case{NAT("destination { rule a { to { protocol tcp; } translate address 10.0.0.1; } }"),
             "'address' is missing"},
        Case{NAT("destination { rule a { to { address 192.0.2.0/28; } translate address "
                 "10.0.0.1-10.0.0.3; } }"),
             "16 addresses cannot become 3 (accepted: 1 address or 16)"},
        Case{NAT("destination { rule a { to { address 192.0.2.1; port 80-90; } translate { address "
                 "10.0.0.1; port 1-5; } } }"),
             "11 ports cannot become 5 (accepted: 1 port or 11)"},
        Case{NAT("destination { rule a { to { address 192.0.2.1; } translate { address 10.0.0.1; "
                 "port 80; } } }"),
             "when the rule matches ports"},
        Case{NAT("destination { rule a { to { address 192.0.2.1; port [ 1 2 ]; } translate { "
                 "address 10.0.0.1; port 80-81; } } }"),
             "several port statements cannot become one range"},
        Case{NAT("destination { rule a { to { address 2001:db8::1; } translate address 10.0.0.1; } "
                 "}"),
             "translation is for IPv4"},
        Case{NAT("destination { rule a { to { address 192.0.2.1; } translate { port 80; } } }"),
             "translate: 'address' is missing"},
        Case{NAT("static { rule a { zone wan; external 192.0.2.0/28; internal 10.0.0.1; } }"),
             "16 external addresses cannot become 1"},
        Case{NAT("static { rule a { zone any; external 192.0.2.1; internal 10.0.0.1; } }"),
             "'any' is not a zone with interfaces"},
        Case{NAT("static { rule a { zone wan; external 192.0.2.1; internal 10.0.0.1; } rule b { "
                 "zone wan; external 192.0.2.1; internal 10.0.0.2; } }"),
             "rule a translates some of these addresses already"},
        Case{"fragments { maximum-datagrams 5; }",
             "warning: fragments: one source may use up all datagrams"}));

// A set that could not be read must never widen a rule to "any".
TEST(Problems, AnEmptySetNeverMeansAny) {
  const Loaded loaded = load_text(std::string(kNetworks) +
                                      "sets { address-set none { } } policy { from wan to lan { "
                                      "rule a { source { address none; } "
                                      "action permit; } } }",
                                  "t");
  EXPECT_FALSE(loaded.model);
}

TEST(Problems, BracesThatDoNotMatchDoNotCauseOtherErrors) {
  const Lines lines = findings("zones { zone lan { anti-spoofing off; }\n");
  EXPECT_EQ(lines, (Lines{"t:1:7: error: the block of 'zones' is never closed (accepted: })"}));
}

TEST(Problems, SetsInManyRulesAreBounded) {
  std::string text = "sets { address-set big { address [";
  for (int index = 0; index < 20'000; ++index) {
    text += " 10." + std::to_string(index / 128) + "." + std::to_string(index % 128 * 2) + ".1";
  }
  text += " ]; } } policy { from lan to wan {";
  for (int rule = 0; rule < 300; ++rule) {
    text += " rule r" + std::to_string(rule) + " { source { address big; } destination { port " +
            std::to_string(rule + 1) + "; } action permit; }";
  }
  const Lines lines = with_zones(text + " } }");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("expand to more than 4000000"), std::string::npos);
}

}  // namespace
}  // namespace masugata::config
