// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/scenarios/scenario_parser.h"

#include <gtest/gtest.h>

#include "tests/scenarios/session_expectation.h"
#include "tests/scenarios/variables.h"

namespace masugata::test {
namespace {

constexpr std::string_view kText = R"(# what it is
scenario A title, with words
config {
    zones { zone lan; }   # a comment
}
route 0.0.0.0/0 via 10.0.0.1 interface wan0
send lan0: udp 10.0.0.1:1 > 10.0.0.2:2 \
    payload "# no comment"
expect kernel wan0: *
expect drop policy-denied x3
repeat 4 as $i from 7 {
    burst {
        send lan0: x
        send lan0: y
    }
    advance 2m
}
expect session udp a > b state udp-new
expect no session tcp a > b
expect sessions 5
reload {
    zones { zone dmz { } }
}
)";

TEST(ScenarioParser, ReadsEveryStatement) {
  const auto scenario = parse_scenario(kText, "x.scenario", ".");
  ASSERT_TRUE(scenario) << scenario.error().message();
  EXPECT_EQ(scenario->title, "A title, with words");
  EXPECT_EQ(scenario->configuration, "zones { zone lan; }\n");
  const auto& steps = scenario->steps;
  ASSERT_EQ(steps.size(), 9U);
  EXPECT_EQ(steps[0].kind, StepKind::Network);
  EXPECT_EQ(steps[1].text, "udp 10.0.0.1:1 > 10.0.0.2:2 payload \"# no comment\"");
  EXPECT_EQ(steps[1].line, 7U);
  EXPECT_TRUE(steps[2].kernel);
  EXPECT_EQ(steps[2].port, "wan0");
  EXPECT_EQ(steps[3].kind, StepKind::ExpectDrop);
  EXPECT_EQ(steps[3].number, 3U);
  EXPECT_EQ(steps[4].kind, StepKind::Repeat);
  EXPECT_EQ(steps[4].start, 7U);
  ASSERT_EQ(steps[4].body.size(), 2U);
  EXPECT_EQ(steps[4].body[0].body.size(), 2U);
  EXPECT_EQ(steps[4].body[1].number, 120000U);
  EXPECT_EQ(steps[5].text, "udp a > b state udp-new");
  EXPECT_EQ(steps[6].kind, StepKind::ExpectNoSession);
  EXPECT_EQ(steps[7].number, 5U);
  EXPECT_EQ(steps[8].text, "zones { zone dmz { } }\n");
}

std::string fault_of(std::string_view text) {
  const auto scenario = parse_scenario("scenario t\n" + std::string(text), "f", ".");
  return scenario ? "none" : scenario.error().message();
}

TEST(ScenarioParser, NamesLineAndMistake) {
  EXPECT_EQ(fault_of("sned lan0: x"), "f:2: unknown statement 'sned'");
  EXPECT_EQ(fault_of("send lan0 x"), "f:2: 'PORT: RECIPE' is missing");
  EXPECT_EQ(fault_of("advance soon"), "f:2: a duration is 500ms, 30s, 5m, 2h or 1d");
  EXPECT_EQ(fault_of("config {\nzones {\n}"), "f:2: the block is not closed");
  EXPECT_EQ(fault_of("repeat x {\n}"), "f:2: repeat COUNT [as $NAME [from NUMBER]] {");
  EXPECT_EQ(fault_of("burst {\nadvance 1s\n}"), "f:3: a burst holds only send");
  EXPECT_EQ(fault_of("expect drop a b"), "f:2: expect drop REASON [xCOUNT]");
  EXPECT_FALSE(parse_scenario("advance 1s", "f", "."));
}

TEST(Variables, AreReplacedAndComputed) {
  const Variables variables{{"p", "100"}, {"isn", "4294967295"}, {"host", "10.0.0.1"}};
  EXPECT_EQ(substitute("$host:$p > b:$p+5 $p-1", variables), "10.0.0.1:100 > b:105 99");
  EXPECT_EQ(substitute("ack $isn+1 $unknown+1", variables), "ack 0 $unknown+1");
  EXPECT_EQ(substitute("10.0.0.$p", variables), "10.0.0.100");
}

TEST(SessionExpectation, ComparesWhatIsNamed) {
  SessionView view;
  view.protocol = "tcp";
  view.source = "10.0.0.1:1";
  view.destination = "10.0.0.2:2";
  view.translated_source = "1.1.1.1:5";
  view.translated_destination = "10.0.0.2:2";
  view.state = "tcp-established";
  view.expires_ms = 30000;
  auto matches = [&](const std::string& text) {
    const auto expectation = SessionExpectation::parse(text);
    return expectation && expectation->matches(view);
  };
  EXPECT_TRUE(matches("tcp 10.0.0.1:1 > 10.0.0.2:2"));
  EXPECT_TRUE(matches("tcp * > 10.0.0.2:2 translated 1.1.1.1:5 > * expires 30s"));
  EXPECT_TRUE(matches(session_text(view).substr(0, session_text(view).find(" rule"))));
  EXPECT_FALSE(matches("udp * > *"));
  EXPECT_FALSE(matches("tcp * > * state tcp-reset"));
  EXPECT_FALSE(SessionExpectation::parse("tcp a b"));
  EXPECT_FALSE(SessionExpectation::parse("tcp a > b colour red"));
}

TEST(ScenarioParser, ReadsDurations) {
  EXPECT_EQ(parse_duration("500ms"), 500U);
  EXPECT_EQ(parse_duration("2h"), 7200000U);
  EXPECT_EQ(parse_duration("5"), std::nullopt);
  EXPECT_EQ(parse_duration("s"), std::nullopt);
}

}  // namespace
}  // namespace masugata::test
