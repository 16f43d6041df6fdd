// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/antivirus_methods.h"

#include <gtest/gtest.h>

#include "dataplane/control/fake_antivirus.h"
#include "dataplane/control/test_client.h"

namespace masugata::dataplane::control {
namespace {

class AntivirusMethodsTest : public MethodConversation {
 protected:
  AntivirusMethodsTest() {
    MethodTable methods;
    add_antivirus_methods(state_, methods);
    serve(std::move(methods));
  }

  FakeAntivirus state_;
};

TEST_F(AntivirusMethodsTest, ShowsScannerAndCounters) {
  const Json status = result("show.av");
  EXPECT_EQ(status["scanner"]["engine"], "ready");
  EXPECT_EQ(status["scanner"]["age_days"], 5);
  EXPECT_EQ(status["scanner"]["old"], true);
  EXPECT_EQ(status["scanner"]["files"][0]["version"], 27'001);
  EXPECT_EQ(status["scanner"]["scanners"][1]["busy_ms"], 17);
  EXPECT_EQ(status["scanner"]["restarts"]["crashes"], 2);
  EXPECT_EQ(status["counters"]["infected"], 17);
  EXPECT_EQ(status["passed"]["too-large"], 12);
  EXPECT_EQ(status["quarantine"]["bytes"], 5);
  state_.status_answer.scanner.age_days.reset();
  EXPECT_EQ(result("show.av")["scanner"]["age_days"], nullptr);
}

TEST_F(AntivirusMethodsTest, ShowsAndClearsUrls) {
  const Json list = result("show.av.blocked-urls");
  EXPECT_EQ(list["urls"][0]["location"], "/eicar.com");
  EXPECT_EQ(list["urls"][0]["location_bytes"], 0);
  EXPECT_EQ(list["urls"][1]["location_bytes"], 1234) << "only its beginning is kept";
  EXPECT_EQ(list["total"], 2);
  EXPECT_EQ(result("clear.av.blocked-urls", {{"text", "example"}})["cleared"], 2);
  EXPECT_EQ(result("clear.av.blocked-urls")["cleared"], 2);
  EXPECT_EQ(state_.calls, (std::vector<std::string>{"clear example", "clear "}));
}

TEST_F(AntivirusMethodsTest, ShowsReadsAndDeletesWhatIsKept) {
  EXPECT_EQ(result("show.av.quarantine")["objects"][0]["signature"], "Eicar-Test-Signature");
  const Json first = {{"reference", "1000000007"}};
  EXPECT_EQ(result("av.release", first)["bytes"], "4d5a");
  EXPECT_EQ(result("av.release", {{"reference", "1000000007"}, {"offset", "4"}})["bytes"], "0a");
  EXPECT_EQ(result("av.release", {{"reference", "1000000007"}, {"offset", "5"}})["bytes"], "");
  EXPECT_EQ(result("av.delete", first)["deleted"], true);
  EXPECT_EQ(complaint("av.delete", {{"reference", "8"}}),
            "quarantine: has nothing with this reference");
  EXPECT_NE(complaint("av.delete", {{"reference", "8x"}}), "no error");
  EXPECT_NE(complaint("av.delete"), "no error");
}

TEST_F(AntivirusMethodsTest, ShowsStartsAndStopsScanJobs) {
  const Json jobs = result("show.av.scan-jobs")["jobs"];
  EXPECT_EQ(jobs[0]["so_far"]["files"], 12'000);
  EXPECT_EQ(jobs[0]["last"], nullptr);
  EXPECT_EQ(jobs[1]["last"]["counts"]["infected"], 2);
  EXPECT_EQ(result("av.scan-job", {{"name", "shares"}, {"action", "start"}})["started"], "shares");
  EXPECT_EQ(result("av.scan-job", {{"name", "shares"}, {"action", "stop"}})["stopped"], "shares");
  EXPECT_EQ(complaint("av.scan-job", {{"name", "mail-store"}, {"action", "start"}}),
            "scan job mail-store: runs already");
  EXPECT_NE(complaint("av.scan-job", {{"name", "shares"}, {"action", "pause"}}), "no error");
  EXPECT_NE(complaint("av.scan-job", {{"action", "start"}}), "no error");
  EXPECT_EQ(state_.calls,
            (std::vector<std::string>{"start shares", "stop shares", "start mail-store"}));
}

TEST_F(AntivirusMethodsTest, ReloadSaysWhyNot) {
  EXPECT_EQ(result("av.reload")["loading"], true);
  state_.reload_answer = failure("antivirus", "masugata-scand is not connected");
  EXPECT_EQ(complaint("av.reload"), "antivirus: masugata-scand is not connected");
}

TEST_F(AntivirusMethodsTest, ObserversOnlyLook) {
  role_ = Role::Observer;
  client_ = std::make_unique<TestClient>(*loop_, *server_);
  EXPECT_EQ(result("show.av.quarantine")["total"], 1);
  for (const char* method :
       {"av.reload", "av.release", "av.delete", "av.scan-job", "clear.av.blocked-urls"}) {
    EXPECT_NE(complaint(method, {{"reference", "1000000007"}}), "no error") << method;
  }
  EXPECT_TRUE(state_.calls.empty());
}

}  // namespace
}  // namespace masugata::dataplane::control
