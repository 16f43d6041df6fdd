// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/vpn_diagnosis_methods.h"

#include <gtest/gtest.h>

#include "dataplane/control/fake_vpn_diagnosis.h"
#include "dataplane/control/test_client.h"

namespace masugata::dataplane::control {
namespace {

class VpnDiagnosisMethodsTest : public MethodConversation {
 protected:
  VpnDiagnosisMethodsTest() {
    MethodTable methods;
    add_vpn_diagnosis_methods(state_, methods);
    serve(std::move(methods));
  }

  FakeVpnDiagnosis state_;
};

TEST_F(VpnDiagnosisMethodsTest, SaysWhy) {
  const Json answer = result("show.vpn.why", {{"site", "osaka"}});
  ASSERT_EQ(answer["sites"].size(), 1U);
  const Json& reasons = answer["sites"][0]["reasons"];
  ASSERT_EQ(reasons.size(), 2U);
  EXPECT_EQ(reasons[0]["failure"], "ike-proposal");
  EXPECT_EQ(reasons[0]["standing"], true);
  EXPECT_EQ(reasons[0]["count"], 12);
  EXPECT_EQ(reasons[0]["set_there"].size(), 2U);
  EXPECT_EQ(reasons[1]["standing"], false);
  EXPECT_EQ(result("show.vpn.why")["sites"].size(), 3U);
  EXPECT_EQ(complaint("show.vpn.why", {{"site", "nowhere"}}),
            "vpn site nowhere: is not configured");
}

TEST_F(VpnDiagnosisMethodsTest, StreamsEventsUntilTheClientGoes) {
  EXPECT_EQ(complaint("monitor.vpn", {{"site", "nowhere"}}), "vpn site nowhere: is not configured");
  EXPECT_EQ(result("monitor.vpn")["watch"], 1);
  ASSERT_EQ(state_.listeners.size(), 1U);
  state_.listeners[0]({"osaka", "secret", "osaka: no", 7});
  const Json line = client_->answer();
  EXPECT_EQ(line["method"], "vpn.line");
  EXPECT_EQ(line["params"]["kind"], "secret");
  client_->hang_up();
  client_->serve();
  EXPECT_EQ(state_.unwatched, std::vector<VpnWatchId>{1});
}

}  // namespace
}  // namespace masugata::dataplane::control
