// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/vpn_methods.h"

#include <gtest/gtest.h>

#include "dataplane/control/fake_vpn.h"
#include "dataplane/control/test_client.h"

namespace masugata::dataplane::control {
namespace {

class VpnMethodsTest : public MethodConversation {
 protected:
  VpnMethodsTest() {
    MethodTable methods;
    add_vpn_methods(state_, methods);
    serve(std::move(methods));
  }

  FakeVpn state_;
};

TEST_F(VpnMethodsTest, ShowsSites) {
  const Json all = result("show.vpn");
  EXPECT_EQ(all["charon"]["version"], "5.9.8");
  EXPECT_EQ(all["early_packets"]["kept"], 107);
  EXPECT_EQ(all["early_packets"]["let_go"], 105);
  EXPECT_EQ(all["early_packets"]["refused"], 3);
  EXPECT_EQ(all["early_packets"]["expired"], 2);
  ASSERT_EQ(all["sites"].size(), 4U);
  EXPECT_EQ(all["sites"][0]["since"], 93'784);
  EXPECT_EQ(all["sites"][1]["held_down"], true);
  EXPECT_EQ(all["sites"][3]["state"], "disabled");
  EXPECT_EQ(all["sites"][3]["since"], nullptr);
  const Json one = result("show.vpn", {{"site", "osaka"}})["sites"];
  ASSERT_EQ(one.size(), 1U);
  const Json& sa = one[0]["ike_sas"][0]["sas"][0];
  EXPECT_EQ(sa["spi_in"], "c1a2b3c4");
  EXPECT_EQ(sa["replays"], 3);
  EXPECT_EQ(sa["rekey_in"], 1'860);
  EXPECT_EQ(complaint("show.vpn", {{"site", "kobe"}}), "vpn site kobe: is not configured");
}

TEST_F(VpnMethodsTest, Acts) {
  EXPECT_EQ(result("vpn.act", {{"site", "osaka"}, {"action", "up"}})["action"], "up");
  EXPECT_EQ(result("vpn.act", {{"site", "osaka"}, {"action", "down"}})["site"], "osaka");
  EXPECT_EQ(result("vpn.act", {{"site", "osaka"}, {"action", "rekey"}})["action"], "rekey");
  EXPECT_EQ(state_.calls, (std::vector<std::string>{"osaka 0", "osaka 1", "osaka 2"}));
  EXPECT_NE(complaint("vpn.act", {{"site", "osaka"}, {"action", "left"}}), "no error");
  EXPECT_NE(complaint("vpn.act", {{"action", "up"}}), "no error");
  state_.act_answer = failure("vpn", "charon is not there");
  EXPECT_EQ(complaint("vpn.act", {{"site", "osaka"}, {"action", "up"}}),
            "vpn: charon is not there");
}

TEST_F(VpnMethodsTest, Measures) {
  const Json all = result("vpn.probe", {{"site", "osaka"}, {"host", "10.20.0.5"}});
  EXPECT_EQ(all["site"], "osaka");
  ASSERT_EQ(all["measured"].size(), 1U);
  const Json& answer = all["measured"][0];
  EXPECT_EQ(answer["family"], "IPv4");
  EXPECT_EQ(state_.calls, std::vector<std::string>{"osaka probe 10.20.0.5"});
  EXPECT_EQ(answer["black_hole"], true);
  EXPECT_EQ(answer["passes"], 1318);
  EXPECT_EQ(answer["lets_in"], 1446);
  EXPECT_EQ(answer["set_here"][0], "in site osaka: mtu 1318;");
  EXPECT_NE(complaint("vpn.probe", {{"site", "osaka"}, {"host", "10.20.0.0/24"}}), "no error");
  EXPECT_NE(complaint("vpn.probe"), "no error");
}

TEST_F(VpnMethodsTest, ObserversOnlyLook) {
  role_ = Role::Observer;
  client_ = std::make_unique<TestClient>(*loop_, *server_);
  EXPECT_EQ(result("show.vpn")["active"], true);
  EXPECT_NE(complaint("vpn.act", {{"site", "osaka"}, {"action", "down"}}), "no error");
  EXPECT_NE(complaint("vpn.probe", {{"site", "osaka"}}), "no error");
  EXPECT_TRUE(state_.calls.empty());
}

}  // namespace
}  // namespace masugata::dataplane::control
