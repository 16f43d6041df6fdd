// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/methods.h"

#include <gtest/gtest.h>

#include <sstream>

#include "dataplane/control/fake_gateway_state.h"
#include "dataplane/control/test_client.h"

namespace masugata::dataplane::control {
namespace {

class MethodsTest : public MethodConversation {
 protected:
  MethodsTest() { serve(gateway_methods(state_)); }

  FakeGatewayState state_;
};

TEST_F(MethodsTest, ShowsEveryTable) {
  EXPECT_EQ(result("show.system")["workers"][0]["stages"][1]["name"], "track");
  EXPECT_EQ(result("show.interfaces")["interfaces"][0]["received"]["missed"], 2);
  EXPECT_EQ(result("show.zones")["zones"][2]["syn_cookies_active"], true);
  EXPECT_EQ(result("show.policy")["sections"][0]["rules"][1]["life"], "outside-schedule");
  EXPECT_EQ(result("show.policy")["sections"][0]["rules"][1]["last_hit_seconds_ago"], nullptr);
  EXPECT_EQ(result("show.nat")["rules"][0]["kind"], "destination");
  EXPECT_EQ(result("show.routes")["routes"][2]["destination"], "2001:db8:1::/64");
  EXPECT_EQ(result("show.routes", {{"limit", 1}})["routes"].size(), 1U);
  EXPECT_EQ(result("show.routes")["routes"][0]["configured"], true);
  EXPECT_EQ(result("show.neighbours")["neighbours"][1]["state"], "resolving");
  EXPECT_EQ(result("show.drops")["drops"][0]["by_interface"]["wan0"], 1234);
}

TEST_F(MethodsTest, PassesTheSessionFilterOn) {
  const Json sessions = result("show.sessions", {{"source", "10.0.1.0/24"},
                                                 {"destination_port", 443},
                                                 {"protocol", "tcp"},
                                                 {"zone", "lan"},
                                                 {"rule", "web"},
                                                 {"state", "established"},
                                                 {"limit", 7}});
  EXPECT_EQ(sessions["matched"], 1234);
  EXPECT_EQ(sessions["sessions"][0]["translated_source"]["address"], "203.0.113.2");
  const SessionFilter& filter = state_.session_filters.at(0);
  EXPECT_EQ(filter.source->to_string(), "10.0.1.0/24");
  EXPECT_EQ(filter.destination_port, 443);
  EXPECT_EQ(filter.protocol, net::Protocol::Tcp);
  EXPECT_EQ(filter.zone, "lan");
  EXPECT_EQ(filter.rule, "web");
  EXPECT_EQ(filter.state, "established");
  EXPECT_EQ(filter.limit, 7U);
  EXPECT_FALSE(filter.destination || filter.source_port);
}

TEST_F(MethodsTest, RefusesWrongParametersByName) {
  EXPECT_EQ(complaint("show.system", {{"x", 1}}), "there is no parameter \"x\"");
  EXPECT_EQ(complaint("show.sessions", {{"source", "10.0.1.0/99"}}),
            "\"source\": 10.0.1.0/99 is no address, prefix or range");
  EXPECT_EQ(complaint("show.sessions", {{"limit", 0}}),
            "\"limit\" is not a number from 1 to 10000");
  EXPECT_EQ(complaint("show.sessions", {{"destination_port", 65536}}),
            "\"destination_port\" is not a number from 0 to 65535");
  EXPECT_EQ(complaint("show.sessions", {{"protocol", "tpc"}}),
            "\"protocol\": tpc is no protocol name or number 0 to 255");
  EXPECT_EQ(complaint("show.sessions", {{"zone", 3}}), "\"zone\" is not a string");
  EXPECT_EQ(complaint("explain", {{"source", "10.0.0.1"}, {"destination", "2001:db8::1"}}),
            "source and destination are of different families");
  EXPECT_EQ(complaint("explain", {{"destination", "10.0.0.1"}}), "\"source\" is missing");
  EXPECT_EQ(complaint("reload", {{"file", "gateway.conf"}}), "\"file\" is not an absolute path");
  EXPECT_TRUE(state_.session_filters.empty());
  EXPECT_TRUE(state_.reloaded_paths.empty());
}

TEST_F(MethodsTest, ASessionAnswerMayComeLater) {
  state_.answer_sessions_later = true;
  client_->request(5, "show.sessions");
  client_->serve();
  EXPECT_EQ(client_->received(), "");
  state_.waiting_sessions.at(0)(state_.sessions_answer);
  EXPECT_EQ(client_->answer().at("id"), 5);
}

TEST_F(MethodsTest, FaultsBecomeErrors) {
  state_.fault = Fault{"zone dmz", "is not configured"};
  for (const char* method : {"show.zones", "show.policy", "show.nat"}) {
    EXPECT_EQ(complaint(method, Json::object()), "zone dmz: is not configured") << method;
  }
  EXPECT_EQ(complaint("show.sessions", {{"zone", "dmz"}}), "zone dmz: is not configured");
  EXPECT_EQ(complaint("explain", {{"source", "10.0.0.1"}, {"destination", "10.0.0.2"}}),
            "zone dmz: is not configured");
  EXPECT_EQ(complaint("clear.counters", Json::object()), "zone dmz: is not configured");
  EXPECT_EQ(complaint("monitor.trace", Json::object()), "zone dmz: is not configured");
}

TEST_F(MethodsTest, ExplainsAConnection) {
  const Json explanation = result("explain", {{"protocol", "udp"},
                                              {"source", "10.0.1.10"},
                                              {"source_port", 4000},
                                              {"destination", "198.51.100.2"},
                                              {"destination_port", 53},
                                              {"from_zone", "lan"}});
  EXPECT_EQ(explanation["steps"].size(), 3U);
  const ExplainRequest& request = state_.explain_requests.at(0);
  EXPECT_EQ(request.protocol, net::Protocol::Udp);
  EXPECT_EQ(request.source.port, 4000);
  EXPECT_EQ(request.destination.address.to_string(), "198.51.100.2");
  EXPECT_EQ(request.from_zone, "lan");
}

TEST_F(MethodsTest, ReloadReportsItsProblems) {
  state_.reload_answer.applied = false;
  state_.reload_answer.problems = {{true, "/etc/g.conf", 3, 5, "zones", "bad", "good"}};
  const Json report = result("reload", {{"file", "/etc/g.conf"}});
  EXPECT_EQ(report["applied"], false);
  EXPECT_EQ(report["problems"][0]["severity"], "error");
  EXPECT_EQ(report["problems"][0]["accepted"], "good");
  EXPECT_EQ(state_.reloaded_paths, std::vector<std::string>{"/etc/g.conf"});
}

TEST_F(MethodsTest, ATraceStreamsUntilItsEnd) {
  EXPECT_EQ(result("monitor.trace", {{"source", "10.0.1.10"}, {"limit", 2}})["limit"], 2);
  ASSERT_EQ(state_.running_traces.size(), 1U);
  const TraceListener listener = state_.running_traces[0].second;
  listener.line({1, 0, 10, "decode", "tcp a > b", "to track", 0});
  const Json line = client_->answer();
  EXPECT_EQ(line["method"], "trace.line");
  EXPECT_EQ(line["params"]["stage"], "decode");
  listener.ended("packet limit reached");
  EXPECT_EQ(client_->answer()["params"]["why"], "packet limit reached");
  EXPECT_TRUE(result("show.nat").contains("rules"));
}

TEST_F(MethodsTest, ATraceStopsWhenItsClientGoes) {
  result("monitor.trace");
  ASSERT_EQ(state_.running_traces.size(), 1U);
  client_->hang_up();
  client_->serve();
  EXPECT_TRUE(state_.running_traces.empty());
}

TEST_F(MethodsTest, ObserversSeeButDoNotTouch) {
  role_ = Role::Observer;
  client_ = std::make_unique<TestClient>(*loop_, *server_);
  EXPECT_TRUE(result("show.drops").contains("drops"));
  for (const char* method : {"reload", "clear.counters", "monitor.trace"}) {
    EXPECT_NE(complaint(method, Json::object()).find("administrators"), std::string::npos);
  }
  EXPECT_EQ(state_.cleared_counters, 0);
}

}  // namespace
}  // namespace masugata::dataplane::control
