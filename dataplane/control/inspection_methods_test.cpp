// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/inspection_methods.h"

#include <gtest/gtest.h>

#include "dataplane/control/fake_gateway_state.h"
#include "dataplane/control/methods.h"
#include "dataplane/control/test_client.h"

namespace masugata::dataplane::control {
namespace {

class InspectionMethodsTest : public MethodConversation {
 protected:
  InspectionMethodsTest() { serve(gateway_methods(state_)); }

  FakeGatewayState state_;
};

TEST_F(InspectionMethodsTest, ShowsProfilesAndCounters) {
  const Json status = result("show.ips");
  EXPECT_EQ(status["load"]["state"], "ready");
  EXPECT_EQ(status["load"]["ready_seconds_ago"], 5400);
  EXPECT_EQ(status["profiles"][0]["mode"], "prevent");
  EXPECT_EQ(status["profiles"][0]["choices"]["overload"], "pass");
  EXPECT_EQ(status["profiles"][0]["counters"]["alerts"], 17);
  EXPECT_EQ(status["counters"]["passed_overload"], 5);
  EXPECT_EQ(status["lines_lost"], 4);
  state_.ips_answer.load = {};
  state_.ips_answer.load.state = IpsLoadState::Failed;
  state_.ips_answer.load.failure = "why";
  const Json failed = result("show.ips");
  EXPECT_EQ(failed["load"]["state"], "failed");
  EXPECT_EQ(failed["load"]["failure"], "why");
  EXPECT_EQ(failed["load"]["ready_seconds_ago"], nullptr);
}

TEST_F(InspectionMethodsTest, ShowsRulesHitsAndCosts) {
  const Json rules = result("show.ips.rules");
  EXPECT_EQ(rules["problems"][1]["unsupported"], true);
  EXPECT_EQ(rules["problems"][0]["line"], 3);
  EXPECT_EQ(rules["left_out"]["office"], 1011);
  EXPECT_EQ(result("show.ips.rules", {{"limit", 1}})["problems"].size(), 1U);
  const Json hits = result("show.ips.hits");
  EXPECT_EQ(hits["rules"][0]["last_seconds_ago"], 42);
  EXPECT_EQ(hits["rules"][1]["last_seconds_ago"], nullptr);
  EXPECT_EQ(result("show.ips.profile")["rules"][1]["cycles_per_check"], 1000);
  EXPECT_EQ(complaint("show.ips.hits", {{"limit", 0}}),
            "\"limit\" is not a number from 1 to 10000");
}

TEST_F(InspectionMethodsTest, ShowsOneRule) {
  const Json rule = result("show.ips.rule", {{"sid", 2034647}});
  EXPECT_EQ(rule["profiles"][0]["action"], "drop");
  EXPECT_EQ(rule["references"][0], "cve,2021-44228");
  EXPECT_EQ(complaint("show.ips.rule"), "\"sid\" is missing");
  EXPECT_EQ(complaint("show.ips.rule", {{"sid", "x"}}),
            "\"sid\" is not a number from 1 to 4294967295");
  EXPECT_EQ(state_.asked_sids, std::vector<uint32_t>{2034647});
  state_.fault = Fault{"rule 7", "is in no profile"};
  EXPECT_EQ(complaint("show.ips.rule", {{"sid", 7}}), "rule 7: is in no profile");
}

TEST_F(InspectionMethodsTest, AdministratorsSwitchProfilingAndReload) {
  EXPECT_EQ(result("ips.profiling", {{"switch", "on"}})["profiling"], true);
  EXPECT_EQ(result("ips.profiling", {{"switch", "off"}})["profiling"], false);
  EXPECT_EQ(complaint("ips.profiling", {{"switch", "maybe"}}), "\"switch\" is not on or off");
  EXPECT_EQ(complaint("ips.profiling"), "\"switch\" is missing");
  EXPECT_EQ(state_.profiling_switches, (std::vector<bool>{true, false}));
  result("ips.reload");
  EXPECT_EQ(state_.rule_reloads, 1);
  result("clear.ips.hits");
  EXPECT_EQ(state_.cleared_hits, 1);
  state_.fault = Fault{"ips", "no rules"};
  for (const char* method : {"ips.reload", "clear.ips.hits"}) {
    EXPECT_EQ(complaint(method), "ips: no rules") << method;
  }
}

TEST_F(InspectionMethodsTest, ObserversSeeButDoNotTouch) {
  role_ = Role::Observer;
  client_ = std::make_unique<TestClient>(*loop_, *server_);
  EXPECT_TRUE(result("show.ips.hits").contains("rules"));
  for (const char* method : {"ips.reload", "clear.ips.hits", "ips.profiling"}) {
    EXPECT_NE(complaint(method).find("administrators"), std::string::npos) << method;
  }
  EXPECT_EQ(state_.rule_reloads + state_.cleared_hits, 0);
}

}  // namespace
}  // namespace masugata::dataplane::control
