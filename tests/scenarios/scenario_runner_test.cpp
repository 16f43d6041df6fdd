// SPDX-License-Identifier: GPL-2.0-or-later
// The runner must notice what goes wrong: here the gateway is a wire that can misbehave.
#include "tests/scenarios/scenario_runner.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/scenarios/scenario_parser.h"

namespace masugata::test {
namespace {

// Frames into "a" come out of "b"; port 9 is dropped, port 7 is doubled.
class Wire final : public GatewayUnderTest {
 public:
  Status configure(const std::string& text) override {
    if (text.find("wrong") != std::string::npos) return failure("", "wrong");
    return {};
  }
  Status set_rules(const std::string&) override { return {}; }
  std::vector<std::string> take_alerts() override { return {}; }
  Status set_scanner(const std::string&) override { return {}; }
  std::vector<std::string> take_objects() override { return {}; }
  Status set_route(const NetworkRoute&) override { return {}; }
  Status remove_route(const std::string&) override { return {}; }
  Status set_neighbour(const std::string&, const std::string&, const std::string&) override {
    return {};
  }
  Status remove_neighbour(const std::string&, const std::string&) override { return {}; }
  Status set_link(const std::string&, bool) override { return {}; }
  Status set_wall_clock(const std::string&) override { return {}; }
  Status send(const std::vector<PortFrame>& frames) override {
    for (PortFrame frame : frames) {
      frame.port = "b";
      const uint8_t last_port_byte = frame.bytes[37];
      if (last_port_byte == 9) {
        ++drops_["nine"];
        continue;
      }
      std::swap_ranges(frame.bytes.begin(), frame.bytes.begin() + 6, frame.bytes.begin() + 6);
      if (last_port_byte == 7) output_.push_back(frame);
      output_.push_back(frame);
    }
    return {};
  }
  void advance(uint64_t) override {}
  std::vector<PortFrame> take_output() override { return std::move(output_); }
  std::vector<std::string> take_resolve_requests() override { return {}; }
  std::map<std::string, uint64_t> drop_counts() override { return drops_; }
  std::vector<SessionView> sessions() override { return {}; }
  std::optional<std::string> mac_of_port(const std::string&) override {
    return "02:00:00:00:00:01";
  }

 private:
  std::vector<PortFrame> output_;
  std::map<std::string, uint64_t> drops_;
};

std::string play(const std::string& steps) {
  const auto scenario = parse_scenario("scenario t\n" + steps, "f", ".");
  if (!scenario) return scenario.error().message();
  Wire wire;
  return play_scenario(*scenario, wire);
}

// First line of the message.
std::string head(const std::string& message) { return message.substr(0, message.find('\n')); }

TEST(ScenarioRunner, AcceptsWhatWasExpected) {
  EXPECT_EQ(play("send a: udp 10.0.0.1:5 > 10.0.0.2:80\nexpect b: udp 10.0.0.1:$p > 10.0.0.2:80\n"
                 "send a: udp 10.0.0.1:$p+1 > 10.0.0.2:9\nexpect drop nine\nexpect nothing"),
            "");
  EXPECT_EQ(play("repeat 3 as $i from 10 {\nsend a: udp 10.0.0.1:$i > 10.0.0.2:80\n"
                 "expect b: udp 10.0.0.1:$i > 10.0.0.2:80\n}"),
            "");
  EXPECT_EQ(play("burst {\nsend a: udp 10.0.0.1:1 > 10.0.0.2:9\nsend a: udp 10.0.0.1:2 > "
                 "10.0.0.2:80\n}\nexpect drop nine\nexpect b: udp 10.0.0.1:2 > 10.0.0.2:80"),
            "");
}

TEST(ScenarioRunner, NoticesAMissingFrame) {
  EXPECT_EQ(
      head(play("send a: udp 10.0.0.1:5 > 10.0.0.2:9\nexpect b: udp 10.0.0.1:5 > 10.0.0.2:9")),
      "f:3: expected out of b: udp 10.0.0.1:5 > 10.0.0.2:9");
}

TEST(ScenarioRunner, NoticesFramesAndDropsThatNobodyExpected) {
  EXPECT_EQ(head(play("send a: udp 10.0.0.1:5 > 10.0.0.2:80")), "f:2: not expected:");
  EXPECT_EQ(head(play("send a: udp 10.0.0.1:5 > 10.0.0.2:9\nadvance 1s")), "f:2: not expected:");
  EXPECT_EQ(head(play("send a: udp 10.0.0.1:5 > 10.0.0.2:7\nexpect b: udp 10.0.0.1:5 > 10.0.0.2:7\n"
                      "expect nothing")),
            "f:4: expected nothing, but:");
  EXPECT_EQ(play("send a: udp 10.0.0.1:5 > 10.0.0.2:80\nignore output"), "");
  EXPECT_EQ(play("send a: udp 10.0.0.1:5 > 10.0.0.2:9\nignore drops"), "");
}

TEST(ScenarioRunner, NoticesWrongCountsAndSessions) {
  EXPECT_EQ(head(play("send a: udp 10.0.0.1:5 > 10.0.0.2:9\nexpect drop nine x2")),
            "f:3: expected drop nine x2, counted x1");
  EXPECT_EQ(head(play("send a: udp 10.0.0.1:5 > 10.0.0.2:9\nexpect drop ten")),
            "f:3: expected drop ten x1, counted x0");
  EXPECT_EQ(play("expect sessions 1"), "f:2: expected 1 sessions, there are 0");
  EXPECT_EQ(play("expect session udp * > *"), "f:2: no session is: udp * > *");
  EXPECT_EQ(play("expect no session udp * > *"), "");
}

TEST(ScenarioRunner, NoticesWrongFields) {
  const std::string message =
      play("send a: udp 10.0.0.1:5 > 10.0.0.2:80\nexpect b: udp 10.0.0.1:6 > 10.0.0.2:80");
  EXPECT_NE(message.find("udp source-port: expected 6, received 5"), std::string::npos) << message;
  const std::string link = play(
      "send a: eth 02:00:00:00:00:33 > 02:00:00:00:00:44 | udp 10.0.0.1:5 > 10.0.0.2:80\n"
      "expect b: udp 10.0.0.1:5 > 10.0.0.2:80");
  EXPECT_NE(link.find("eth source: expected the port's 02:00:00:00:00:01"), std::string::npos)
      << link;
}

TEST(ScenarioRunner, NoticesConfigurationsThatAreRefused) {
  EXPECT_EQ(play("config {\nwrong\n}"), "f: the configuration: wrong");
  EXPECT_EQ(play("reload {\nwrong\n}"), "f:2: wrong");
  EXPECT_EQ(play("reload-refused {\nwrong\n}"), "");
  EXPECT_EQ(play("reload-refused {\nfine\n}"), "f:2: the configuration was accepted");
}

}  // namespace
}  // namespace masugata::test
