// SPDX-License-Identifier: GPL-2.0-or-later
// What an operator sees, against files in golden/. With MASUGATA_WRITE_GOLDEN=1 in the environment
// the files are written anew: read the difference before committing it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "mgmt-cli/commands/program.h"
#include "tests/cli/gateway_server.h"

namespace masugata::tests {
namespace {

using Words = std::vector<std::string>;

class OutputTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "masugata-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    server_ = std::make_unique<GatewayServer>(folder_ / "control.sock");
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string output_of(Words words) {
    server_->run_thread();
    words.insert(words.begin(), {"--control-socket", (folder_ / "control.sock").string()});
    std::ostringstream output;
    status_ =
        cli::run_program(words, {output, output, [](const std::string&) { return std::nullopt; }});
    server_->stop();
    return output.str();
  }
  static void expect_golden(const std::string& text, const std::string& name) {
    const std::filesystem::path path =
        std::filesystem::path(MASUGATA_GOLDEN_FOLDER) / (name + ".txt");
    if (std::getenv("MASUGATA_WRITE_GOLDEN") != nullptr) std::ofstream(path) << text;
    std::ifstream file(path);
    const std::string golden((std::istreambuf_iterator<char>(file)),
                             std::istreambuf_iterator<char>());
    EXPECT_EQ(text, golden) << path;
  }

  std::filesystem::path folder_;
  std::unique_ptr<GatewayServer> server_;
  int status_ = -1;
};

TEST_F(OutputTest, ShowSystem) { expect_golden(output_of({"show", "system"}), "show-system"); }
TEST_F(OutputTest, ShowInterfaces) {
  expect_golden(output_of({"show", "interfaces"}), "show-interfaces");
}
TEST_F(OutputTest, ShowZones) { expect_golden(output_of({"show", "zones"}), "show-zones"); }
TEST_F(OutputTest, ShowPolicy) { expect_golden(output_of({"show", "policy"}), "show-policy"); }
TEST_F(OutputTest, ShowNat) { expect_golden(output_of({"show", "nat"}), "show-nat"); }
TEST_F(OutputTest, ShowRoutes) { expect_golden(output_of({"show", "routes"}), "show-routes"); }
TEST_F(OutputTest, ShowNeighbours) {
  expect_golden(output_of({"show", "neighbours"}), "show-neighbours");
}
TEST_F(OutputTest, ShowDrops) { expect_golden(output_of({"show", "drops"}), "show-drops"); }
TEST_F(OutputTest, ShowIps) { expect_golden(output_of({"show", "ips"}), "show-ips"); }
TEST_F(OutputTest, ShowIpsRules) {
  expect_golden(output_of({"show", "ips", "rules"}), "show-ips-rules");
}
TEST_F(OutputTest, ShowIpsRule) {
  expect_golden(output_of({"show", "ips", "rule", "2034647"}), "show-ips-rule");
  EXPECT_EQ(server_->gateway.asked_sids, std::vector<uint32_t>{2034647});
}
TEST_F(OutputTest, ShowIpsHits) {
  expect_golden(output_of({"show", "ips", "hits"}), "show-ips-hits");
  expect_golden(output_of({"show", "ips", "exceptions"}), "show-ips-exceptions");
  expect_golden(output_of({"show", "applications"}), "show-applications");
}
TEST_F(OutputTest, ShowIpsProfile) {
  expect_golden(output_of({"show", "ips", "profile"}), "show-ips-profile");
}

TEST_F(OutputTest, ShowAv) {
  expect_golden(output_of({"show", "av"}), "show-av");
  expect_golden(output_of({"show", "av", "blocked-urls"}), "show-av-blocked-urls");
  expect_golden(output_of({"show", "av", "quarantine"}), "show-av-quarantine");
  expect_golden(output_of({"show", "av", "scan-jobs"}), "show-av-scan-jobs");
}

TEST_F(OutputTest, SaysWhyATunnelIsDown) {
  expect_golden(output_of({"show", "vpn", "osaka", "why"}), "show-vpn-osaka-why");
  expect_golden(output_of({"show", "vpn", "why"}), "show-vpn-why");
  EXPECT_EQ(output_of({"show", "vpn", "nagoya", "why"}), "nagoya: up, nothing is wrong\n");
  EXPECT_EQ(output_of({"show", "vpn", "nowhere", "why"}),
            "masugata: vpn site nowhere: is not configured\n");
  EXPECT_EQ(status_, 1);
}

TEST_F(OutputTest, ShowAvWhenThingsAreMissing) {
  auto& av = server_->gateway.antivirus_answer;
  av.status_answer.scanner = {};
  av.status_answer.quarantine.not_kept = 2;
  av.status_answer.quarantine.problem = "/var/lib: No space left on device";
  av.status_answer.notice_problem = "Could not resolve host";
  expect_golden(output_of({"show", "av"}), "show-av-without-scanner");
  av.status_answer.active = false;
  EXPECT_EQ(output_of({"show", "av"}), "antivirus is not configured\n");
  av.urls_answer = {};
  av.kept_answer = {};
  av.jobs_answer = {};
  EXPECT_EQ(output_of({"show", "av", "blocked-urls"}), "no URL is blocked\n");
  EXPECT_EQ(output_of({"show", "av", "quarantine"}), "the quarantine is empty\n");
  EXPECT_EQ(output_of({"show", "av", "scan-jobs"}), "no scan job is configured\n");
}

TEST_F(OutputTest, ShowVpn) {
  expect_golden(output_of({"show", "vpn"}), "show-vpn");
  expect_golden(output_of({"show", "vpn", "osaka"}), "show-vpn-site");
  EXPECT_EQ(output_of({"show", "vpn", "kobe"}), "masugata: vpn site kobe: is not configured\n");
  auto& vpn = server_->gateway.vpn_answer;
  vpn.status_answer.charon_there = false;
  vpn.status_answer.problem = "charon is not there; systemctl status masugata-charon tells why";
  expect_golden(output_of({"show", "vpn"}), "show-vpn-without-charon");
  vpn.status_answer.sites.clear();
  EXPECT_EQ(output_of({"show", "vpn"}), "no site is configured\n");
}

TEST_F(OutputTest, RequestVpn) {
  EXPECT_EQ(output_of({"request", "vpn", "osaka", "up"}),
            "osaka begins; 'masugata show vpn osaka' says how it goes\n");
  EXPECT_EQ(output_of({"request", "vpn", "osaka", "down"}),
            "osaka ends and stays down until 'masugata request vpn osaka up', or until the other "
            "side begins\n");
  EXPECT_EQ(output_of({"request", "vpn", "osaka", "rekey"}), "osaka gets new keys\n");
  EXPECT_EQ(server_->gateway.vpn_answer.calls.size(), 3U);
}

TEST_F(OutputTest, RequestVpnProbe) {
  auto& vpn = server_->gateway.vpn_answer;
  expect_golden(output_of({"request", "vpn", "osaka", "probe"}), "request-vpn-probe-black-hole");
  EXPECT_EQ(vpn.calls, std::vector<std::string>{"osaka probe"});
  vpn.probe_answer->reserve(2);
  auto& answer = vpn.probe_answer->front();
  answer.black_hole.reset();
  answer.report.finding.fails_bytes = 0;
  answer.report.finding.passes_bytes = answer.report.lets_in_bytes = 1346;
  answer.report.outer_passes_bytes = answer.report.router_said_bytes = 1400;
  answer.report.finding.kind = ipsec::PathAnswer::Beyond;
  expect_golden(output_of({"request", "vpn", "osaka", "probe", "10.20.0.5"}),
                "request-vpn-probe-router");
  EXPECT_EQ(vpn.calls.back(), "osaka probe 10.20.0.5");
  vpn.probe_answer->push_back(answer);
  vpn.probe_answer->back().report.family = net::Family::Ipv6;
  vpn.probe_answer->back().report.answered_by = "2001:db8:9::1";
  expect_golden(output_of({"request", "vpn", "osaka", "probe"}), "request-vpn-probe-both");
  vpn.probe_answer->pop_back();
  answer.report.finding.answered = false;
  expect_golden(output_of({"request", "vpn", "osaka", "probe"}), "request-vpn-probe-silent");
  vpn.probe_answer = failure("vpn site osaka", "is down: there is nothing to measure");
  EXPECT_EQ(output_of({"request", "vpn", "osaka", "probe"}),
            "masugata: vpn site osaka: is down: there is nothing to measure\n");
}

TEST_F(OutputTest, RulesThatFailedToLoadAreSaidFirst) {
  auto& load = server_->gateway.ips_answer.load;
  load.state = dataplane::control::IpsLoadState::Failed;
  load.failure = "/etc/masugata/rules/local.rules: cannot be read: Permission denied";
  EXPECT_EQ(output_of({"show", "ips"}).substr(0, 136),
            "rules            failed: /etc/masugata/rules/local.rules: cannot be read: Permission "
            "denied\n                 those that run were loaded ");
  server_->gateway.ips_answer = {};
  EXPECT_EQ(output_of({"show", "ips"}),
            "rules            none are configured\nno profile is configured\n");
}

TEST_F(OutputTest, IpsCommandsSayWhatTheyDid) {
  EXPECT_EQ(output_of({"ips", "reload"}),
            "reading the rule files; 'masugata show ips' says when they are in force\n");
  EXPECT_EQ(output_of({"ips", "profiling", "on"}),
            "rules are profiled; 'masugata show ips profile' says what they cost\n");
  EXPECT_EQ(output_of({"ips", "profiling", "off"}), "rules are not profiled any more\n");
  EXPECT_EQ(output_of({"clear", "ips", "hits"}), "hits of IPS rules start again at zero\n");
  EXPECT_EQ(server_->gateway.rule_reloads, 1);
  EXPECT_EQ(server_->gateway.profiling_switches, (std::vector<bool>{true, false}));
  EXPECT_EQ(server_->gateway.cleared_hits, 1);
  server_->gateway.ips_hits_answer = {};
  EXPECT_EQ(output_of({"show", "ips", "hits"}), "no rule has matched\n");
}

TEST_F(OutputTest, Help) { expect_golden(output_of({"help"}), "help"); }

TEST_F(OutputTest, ShowSessionsSaysWhatItLeavesOut) {
  expect_golden(output_of({"show", "sessions", "source", "10.0.1.0/24", "limit", "1"}),
                "show-sessions");
  EXPECT_EQ(server_->gateway.session_filters.at(0).limit, 1U);
  EXPECT_EQ(server_->gateway.session_filters.at(0).source->to_string(), "10.0.1.0/24");
}

TEST_F(OutputTest, RoutesSayWhatTheyLeaveOut) {
  const std::string text = output_of({"show", "routes", "limit", "1"});
  EXPECT_NE(text.find("showing 1 of 3 routes: 'limit COUNT' shows more\n"), std::string::npos);
}

TEST_F(OutputTest, ExplainPermitted) {
  expect_golden(output_of({"explain", "tcp", "10.0.1.10:40000", "198.51.100.2:443"}),
                "explain-permit");
  EXPECT_EQ(status_, cli::kDone);
}

TEST_F(OutputTest, ExplainDenied) {
  auto& answer = server_->gateway.explanation_answer;
  answer.permitted = false;
  answer.verdict = "deny";
  answer.drop_reason = "policy-default-denied";
  answer.drop_explanation = "no rule permits it";
  answer.rule = "default deny";
  answer.source_nat = "";
  answer.steps.back() = {"policy", "no rule of lan > wan matches", false};
  expect_golden(output_of({"explain", "tcp", "10.0.1.10:40000", "198.51.100.2:25"}),
                "explain-deny");
  EXPECT_EQ(status_, cli::kDone);
}

TEST_F(OutputTest, ReloadApplied) {
  expect_golden(output_of({"reload"}), "reload-applied");
  EXPECT_EQ(status_, cli::kDone);
  EXPECT_EQ(server_->gateway.reloaded_paths, Words{""});
}

TEST_F(OutputTest, ReloadRefused) {
  auto& report = server_->gateway.reload_answer;
  report.applied = false;
  report.generation = 3;
  report.problems = {{true, "/etc/masugata/gateway.conf", 12, 9, "policy from wan to dmz rule www",
                      "'permitt' is not an action", "permit, deny, reject"},
                     {false, "/etc/masugata/gateway.conf", 30, 0, "zones zone guest",
                      "the zone has no interface", ""}};
  expect_golden(output_of({"reload", "some/../gateway.conf"}), "reload-refused");
  EXPECT_EQ(status_, cli::kProblem);
  ASSERT_EQ(server_->gateway.reloaded_paths.size(), 1U);
  EXPECT_EQ(server_->gateway.reloaded_paths[0].front(), '/');
}

TEST_F(OutputTest, MonitorTraceShowsLinesUntilTheEnd) {
  server_->gateway.lines = {
      {1, 0, 12, "decode", "tcp 10.0.1.10:40000 > 198.51.100.2:80", "to track", 0},
      {1, 0, 14, "policy", "", "drop policy-denied: a rule denies it", 3}};
  expect_golden(output_of({"monitor", "trace", "source", "10.0.1.10", "protocol", "tcp"}),
                "monitor-trace");
  EXPECT_EQ(status_, cli::kDone);
}

TEST_F(OutputTest, JsonIsTheAnswerAsItCame) {
  const auto json = nlohmann::json::parse(output_of({"show", "zones", "--json"}));
  EXPECT_EQ(json.at("zones").at(2).at("name"), "wan");
}

TEST_F(OutputTest, MonitorWritesOneJsonObjectPerLine) {
  server_->gateway.lines = {{1, 0, 12, "decode", "flow", "to track", 0}};
  EXPECT_EQ(nlohmann::json::parse(output_of({"--json", "monitor", "trace"})).at("stage"), "decode");
}

TEST_F(OutputTest, CompletionAsksTheGatewayForNames) {
  server_->run_thread();
  std::ostringstream output;
  const std::string socket = (folder_ / "control.sock").string();
  const auto environment = [&socket](const std::string&) { return std::optional(socket); };
  EXPECT_EQ(cli::run_program({"--complete", "show", "sessions", "zone", "w"},
                             {output, output, environment}),
            cli::kDone);
  EXPECT_EQ(output.str(), "wan\n");
}

}  // namespace
}  // namespace masugata::tests
