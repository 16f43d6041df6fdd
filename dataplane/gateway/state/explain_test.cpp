// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/explain.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/in_process_gateway.h"

namespace masugata::dataplane {
namespace {

constexpr const char* kConfiguration = R"(
interfaces {
    interface lan0 { device "net_ring0"; address 10.0.1.1/24; }
    interface wan0 { device "net_ring1"; address 203.0.113.2/24; }
    interface dmz0 { device "net_ring2"; address 10.0.2.1/24; }
}
routes { route 0.0.0.0/0 { via 203.0.113.1; } }
zones { zone lan { interface lan0; } zone wan { interface wan0; } zone dmz { interface dmz0; } }
policy {
    from lan to wan {
        rule telnet { protocol tcp; destination { port 23; } action reject; }
        rule web { action permit; log; }
    }
    from wan to dmz { rule www { protocol tcp; destination { port 80; } action permit; } }
}
nat {
    source { rule out { from lan; to wan; translate { interface; } } }
    destination { rule www { from wan; to { address 203.0.113.2; protocol tcp; port 8080; }
                             translate { address 10.0.2.80; port 80; } } }
}
)";

class Explain : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(gateway_.configure(kConfiguration).has_value());
    ASSERT_TRUE(gateway_.set_neighbour("wan0", "203.0.113.1", "02:00:00:00:00:99").has_value());
  }
  static control::ExplainRequest tcp(const char* from, const char* to, uint16_t port) {
    control::ExplainRequest request;
    request.source = {*net::IpAddress::parse(from), 40000};
    request.destination = {*net::IpAddress::parse(to), port};
    return request;
  }
  Result<control::Explanation> explain(const control::ExplainRequest& request) {
    return explain_connection(request, {gateway_.model(), gateway_.configuration(),
                                        gateway_.forwarding(), secret_, ports_down_});
  }
  static std::string step(const control::Explanation& explanation, const std::string& name) {
    const auto found = std::find_if(explanation.steps.begin(), explanation.steps.end(),
                                    [&](const auto& one) { return one.stage == name; });
    return found == explanation.steps.end() ? "(none)" : found->decision;
  }
  test::InProcessGateway gateway_;
  net::HashSecret secret_;
  uint64_t ports_down_ = 0;
};

TEST_F(Explain, FollowsAPermittedConnectionThroughSourceNat) {
  const auto answer = explain(tcp("10.0.1.10", "198.51.100.5", 443));
  ASSERT_TRUE(answer.has_value()) << answer.error().message();
  EXPECT_TRUE(answer->permitted);
  EXPECT_EQ(answer->verdict, "permit");
  EXPECT_EQ(answer->ingress_interface, "lan0");
  EXPECT_EQ(answer->egress_interface, "wan0");
  EXPECT_EQ(answer->from_zone, "lan");
  EXPECT_EQ(answer->to_zone, "wan");
  EXPECT_EQ(answer->route, "0.0.0.0/0 via 203.0.113.1 on wan0");
  EXPECT_EQ(answer->rule, "lan > wan: web");
  EXPECT_EQ(answer->source_nat, "out");
  EXPECT_EQ(answer->destination_nat, "");
  EXPECT_EQ(answer->translated_source.address.to_string(), "203.0.113.2");
  EXPECT_EQ(answer->translated_source.port, 40000);
  EXPECT_EQ(step(*answer, "policy"), "rule web (line 12) permits and logs");
  EXPECT_EQ(step(*answer, "next hop"), "203.0.113.1 is at 02:00:00:00:00:99 (reachable)");
}

TEST_F(Explain, FollowsAPortForward) {
  const auto answer = explain(tcp("198.51.100.5", "203.0.113.2", 8080));
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->permitted);
  EXPECT_EQ(answer->destination_nat, "www");
  EXPECT_EQ(answer->translated_destination.address.to_string(), "10.0.2.80");
  EXPECT_EQ(answer->translated_destination.port, 80);
  EXPECT_EQ(answer->to_zone, "dmz");
  EXPECT_EQ(answer->route, "10.0.2.0/24 connected on dmz0");
}

TEST_F(Explain, SaysWhichRuleRejects) {
  const auto answer = explain(tcp("10.0.1.10", "198.51.100.5", 23));
  ASSERT_TRUE(answer.has_value());
  EXPECT_FALSE(answer->permitted);
  EXPECT_EQ(answer->verdict, "reject");
  EXPECT_EQ(answer->drop_reason, "policy-rejected");
  EXPECT_EQ(step(*answer, "policy"), "rule telnet (line 11) rejects");
  EXPECT_EQ(step(*answer, "source NAT"), "(none)");
}

TEST_F(Explain, DeniesByDefault) {
  const auto answer = explain(tcp("10.0.2.80", "10.0.1.10", 80));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->verdict, "deny");
  EXPECT_EQ(answer->rule, "default deny");
  EXPECT_EQ(answer->drop_reason, "policy-default-denied");
}

TEST_F(Explain, FindsSpoofedSources) {
  control::ExplainRequest request = tcp("10.0.1.10", "10.0.2.80", 80);
  request.from_zone = "wan";
  const auto answer = explain(request);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->verdict, "drop");
  EXPECT_EQ(answer->drop_reason, "spoofed");
  EXPECT_FALSE(answer->steps.back().passed);
}

TEST_F(Explain, DeliversToTheGatewayOnlyByPolicy) {
  const auto answer = explain(tcp("10.0.1.10", "10.0.1.1", 22));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->to_zone, "self");
  EXPECT_EQ(answer->verdict, "deny");
}

TEST_F(Explain, SpeaksForTheGatewayItself) {
  const auto answer = explain(tcp("203.0.113.2", "198.51.100.5", 443));
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->permitted);
  EXPECT_EQ(answer->from_zone, "self");
  EXPECT_EQ(answer->ingress_interface, "");
}

TEST_F(Explain, KnowsThatAPortWithoutALinkSendsNothing) {
  const auto before = explain(tcp("10.0.1.10", "198.51.100.5", 443));
  ports_down_ = ~uint64_t{0};
  const auto answer = explain(tcp("10.0.1.10", "198.51.100.5", 443));
  ASSERT_TRUE(before.has_value() && answer.has_value());
  EXPECT_TRUE(before->permitted);
  EXPECT_EQ(answer->verdict, "drop");
  EXPECT_EQ(answer->drop_reason, "egress-down");
}

TEST_F(Explain, AsksAsAnEchoRequestForIcmp) {
  control::ExplainRequest request = tcp("10.0.1.10", "198.51.100.5", 0);
  request.protocol = net::Protocol::Icmp;
  const auto answer = explain(request);
  ASSERT_TRUE(answer.has_value()) << answer.error().message();
  EXPECT_TRUE(answer->permitted);
  EXPECT_EQ(answer->translated_source.port, 0);
}

TEST_F(Explain, RefusesWhatCannotBe) {
  control::ExplainRequest request = tcp("10.0.1.10", "198.51.100.5", 80);
  request.from_zone = "moon";
  EXPECT_EQ(explain(request).error().message(),
            "zone moon: is not known; there are: dmz, lan, self, wan");
  request.from_zone.clear();
  request.interface = "moon0";
  EXPECT_EQ(explain(request).error().message(),
            "interface moon0: is not known; there are: dmz0, lan0, wan0");
  EXPECT_FALSE(explain(tcp("10.0.1.10", "198.51.100.5", 0)).has_value());
  request = tcp("10.0.1.10", "198.51.100.5", 80);
  request.protocol = net::Protocol::Icmpv6;
  EXPECT_FALSE(explain(request).has_value());
}

}  // namespace
}  // namespace masugata::dataplane
