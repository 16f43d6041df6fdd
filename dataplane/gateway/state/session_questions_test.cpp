// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/session_questions.h"

#include <gtest/gtest.h>

#include "dataplane/gateway/state/show_policy.h"
#include "tests/in_process_gateway.h"
#include "tests/packets/packet_builder.h"

namespace masugata::dataplane {
namespace {

constexpr const char* kConfiguration = R"(
interfaces {
    interface lan0 { device "net_ring0"; address 10.0.1.1/24; }
    interface wan0 { device "net_ring1"; address 203.0.113.2/24; }
}
routes { route 0.0.0.0/0 { via 203.0.113.1; } }
zones { zone lan { interface lan0; } zone wan { interface wan0; } }
policy { from lan to wan {
    rule names { protocol udp; destination { port 53; } action permit; }
    rule others { action permit; }
} }
nat { source { rule out { from lan; to wan; translate { interface; } } } }
)";
constexpr const char* kOneMoreRule = R"(
interfaces {
    interface lan0 { device "net_ring0"; address 10.0.1.1/24; }
    interface wan0 { device "net_ring1"; address 203.0.113.2/24; }
}
routes { route 0.0.0.0/0 { via 203.0.113.1; } }
zones { zone wan { interface wan0; } zone lan { interface lan0; } }
policy { from lan to wan {
    rule first { protocol tcp; action deny; }
    rule names { protocol udp; destination { port 53; } action permit; }
    rule others { action permit; }
} }
nat { source { rule out { from lan; to wan; translate { interface; } } } }
)";

class Questions : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(gateway_.configure(kConfiguration).has_value());
    ASSERT_TRUE(gateway_.set_neighbour("wan0", "203.0.113.1", "02:00:00:00:00:99").has_value());
    auto loop = control::EventLoop::create([this] { return now_ms_; });
    ASSERT_TRUE(loop.has_value());
    loop_ = std::move(*loop);
    questions_ = std::make_unique<SessionQuestions>(
        *loop_, std::vector<SessionQuerySlot*>{&gateway_.worker().queries()},
        [this]() -> const RunningConfiguration& { return gateway_.configuration(); });
  }
  void open(uint16_t source_port, uint16_t destination_port) {
    const auto bytes = test::build_packet(
        "eth 02:00:00:00:01:0a > 02:00:00:00:00:01 | udp 10.0.1.10:" + std::to_string(source_port) +
            " > 198.51.100.5:" + std::to_string(destination_port) + " payload \"x\"",
        test::LinkDefaults{});
    ASSERT_TRUE(bytes.has_value()) << bytes.error().message();
    ASSERT_TRUE(gateway_.send({{"lan0", false, *bytes}}).has_value());
  }
  void pass(uint64_t milliseconds) {
    now_ms_ += milliseconds;
    while (loop_->run_once(0) > 0) {
    }
  }
  // Lets worker and control thread take turns until there is an answer.
  Result<control::SessionList> ask(const control::SessionFilter& filter) {
    std::optional<Result<control::SessionList>> list;
    questions_->ask(
        [&](const RunningConfiguration& configuration) {
          return session_question(filter, *configuration.snapshot);
        },
        [&](Result<SessionAnswer> answer) {
          if (answer) {
            list = session_list(*answer, filter.limit, 100);
          } else {
            list = tl::unexpected(answer.error());
          }
        });
    for (int turn = 0; turn < 5000 && !list; ++turn) {
      pass(2);
      gateway_.advance(1);
    }
    return list ? *list : Result<control::SessionList>(failure("test", "no answer"));
  }

  test::InProcessGateway gateway_;
  uint64_t now_ms_ = 1000;
  std::unique_ptr<control::EventLoop> loop_;
  std::unique_ptr<SessionQuestions> questions_;
};

TEST_F(Questions, TellSessionsAsAnOperatorSeesThem) {
  open(4000, 53);
  const auto list = ask({});
  ASSERT_TRUE(list.has_value()) << list.error().message();
  ASSERT_EQ(list->sessions.size(), 1U);
  const control::SessionRecord& session = list->sessions[0];
  EXPECT_EQ(session.rule, "lan > wan: names");
  EXPECT_EQ(session.state, "new");
  EXPECT_EQ(session.from_zone, "lan");
  EXPECT_EQ(session.to_zone, "wan");
  EXPECT_EQ(session.ingress_interface, "lan0");
  EXPECT_EQ(session.egress_interface, "wan0");
  EXPECT_EQ(session.source.address.to_string(), "10.0.1.10");
  EXPECT_EQ(session.translated_source.address.to_string(), "203.0.113.2");
  EXPECT_EQ(session.packets_original, 1U);
  EXPECT_EQ(list->matched, 1U);
  EXPECT_EQ(list->in_table, 1U);
  EXPECT_EQ(list->bound, 100U);
}

TEST_F(Questions, FiltersByNames) {
  open(4000, 53);
  open(4001, 5000);
  open(4002, 5000);
  control::SessionFilter filter;
  filter.rule = "others";
  EXPECT_EQ(ask(filter)->matched, 2U);
  filter.limit = 1;
  EXPECT_EQ(ask(filter)->sessions.size(), 1U);
  filter.rule = "lan > wan: names";
  EXPECT_EQ(ask(filter)->matched, 1U);
  filter = {};
  filter.state = "replied";
  EXPECT_EQ(ask(filter)->matched, 0U);
  filter.state = "udp-new";
  EXPECT_EQ(ask(filter)->matched, 3U);
  filter = {};
  filter.zone = "wan";
  filter.interface = "lan0";
  filter.destination_port = 5000;
  EXPECT_EQ(ask(filter)->matched, 2U);
}

TEST_F(Questions, NameWhatIsNotKnown) {
  control::SessionFilter filter;
  filter.zone = "moon";
  EXPECT_EQ(ask(filter).error().where, "zone moon");
  filter = {};
  filter.interface = "moon0";
  EXPECT_EQ(ask(filter).error().where, "interface moon0");
  filter = {};
  filter.rule = "moonlight";
  EXPECT_EQ(ask(filter).error().where, "rule moonlight");
  filter = {};
  filter.state = "asleep";
  EXPECT_EQ(ask(filter).error().where, "state asleep");
}

TEST_F(Questions, DoNotNameAnotherRuleAfterAReload) {
  open(4000, 53);
  ASSERT_TRUE(gateway_.configure(kOneMoreRule).has_value());
  const auto list = ask({});
  ASSERT_TRUE(list.has_value());
  ASSERT_EQ(list->sessions.size(), 1U);
  EXPECT_EQ(list->sessions[0].rule, "");
  EXPECT_EQ(list->sessions[0].from_zone, "lan") << "zones are numbered differently now";
  open(4000, 53);
  EXPECT_EQ(ask({})->sessions[0].rule, "lan > wan: names");
}

TEST_F(Questions, AreAskedAgainWhenTheConfigurationChangesMeanwhile) {
  open(4000, 53);
  std::optional<Result<SessionAnswer>> answer;
  questions_->ask([](const RunningConfiguration&) { return SessionQuestion{}; },
                  [&](Result<SessionAnswer> given) { answer = std::move(given); });
  pass(2);
  gateway_.advance(1);  // the worker has answered
  ASSERT_TRUE(gateway_.configure(kOneMoreRule).has_value());
  const uint32_t epoch = gateway_.configuration().epoch;
  for (int turn = 0; turn < 5000 && !answer; ++turn) {
    pass(2);
    gateway_.advance(1);
  }
  ASSERT_TRUE(answer && answer->has_value());
  EXPECT_EQ((*answer)->configuration->epoch, epoch);
  EXPECT_EQ((*answer)->workers[0]->per_rule.size(),
            gateway_.configuration().snapshot->rule_count());
}

TEST_F(Questions, GiveUpOnAWorkerThatDoesNotAnswerAndGoOnWhenItDoes) {
  std::optional<Result<SessionAnswer>> answer;
  const auto ask_counts = [&] {
    answer.reset();
    questions_->ask([](const RunningConfiguration&) { return SessionQuestion{}; },
                    [&](Result<SessionAnswer> given) { answer = std::move(given); });
  };
  ask_counts();
  pass(2);
  EXPECT_FALSE(answer);
  pass(SessionQuestions::kDeadlineMs);
  ASSERT_TRUE(answer);
  ASSERT_FALSE(answer->has_value());
  EXPECT_EQ(answer->error().where, "worker 0");
  ask_counts();
  pass(2);
  for (int turn = 0; turn < 10000 && !answer; ++turn) {
    pass(1);
    gateway_.advance(1);
  }
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->has_value());
}

TEST_F(Questions, RefuseMoreThanTheirBound) {
  int refused = 0;
  for (size_t i = 0; i < SessionQuestions::kMaximumWaiting + 2; ++i) {
    questions_->ask([](const RunningConfiguration&) { return SessionQuestion{}; },
                    [&](const Result<SessionAnswer>& given) { refused += given ? 0 : 1; });
  }
  EXPECT_EQ(refused, 2);
}

TEST_F(Questions, CountForPolicyNatAndZones) {
  open(4000, 53);
  open(4001, 5000);
  const auto pools = translation_pools(gateway_.model(), *gateway_.configuration().snapshot);
  std::optional<Result<SessionAnswer>> answer;
  questions_->ask(
      [&](const RunningConfiguration&) {
        SessionQuestion question;
        question.translated = translated_ranges(pools);
        return question;
      },
      [&](Result<SessionAnswer> given) { answer = std::move(given); });
  for (int turn = 0; turn < 5000 && !answer; ++turn) {
    pass(2);
    gateway_.advance(1);
  }
  ASSERT_TRUE(answer && answer->has_value());
  const ConfigurationManager::Totals totals{{"lan > wan: names", {7, 0, 0, 0}},
                                            {"default deny", {3, 0, 0, 0}},
                                            {"nat source out", {9, 0, 0, 0}}};
  const PolicyView view{gateway_.model(), gateway_.configuration(), totals, 0,
                        [](RuleId) { return std::optional<uint64_t>(5); }};
  const control::PolicyStatus policy = policy_status(view, **answer);
  ASSERT_EQ(policy.sections.size(), 1U);
  EXPECT_EQ(policy.sections[0].rules[0].hits, 7U);
  EXPECT_EQ(policy.sections[0].rules[0].sessions, 1U);
  EXPECT_EQ(policy.sections[0].rules[0].service, "udp/53");
  EXPECT_EQ(policy.sections[0].rules[1].sessions, 1U);
  EXPECT_EQ(policy.default_denied, 3U);
  const control::NatStatus nat = nat_status(view, **answer, 4);
  ASSERT_EQ(nat.rules.size(), 1U);
  EXPECT_EQ(nat.rules[0].hits, 9U);
  ASSERT_EQ(nat.pools.size(), 1U);
  EXPECT_EQ(nat.pools[0].name, "interface wan0");
  EXPECT_EQ(nat.pools[0].sessions, 2U);
  EXPECT_EQ(nat.pools[0].ports, 64512U);
  EXPECT_EQ(nat.exhausted, 4U);
  const auto zones = zone_statuses(*gateway_.configuration().snapshot, **answer);
  ASSERT_EQ(zones.size(), 3U);
  EXPECT_EQ(zones[0].name, "self");
  EXPECT_EQ(zones[1].sessions_from, 2U);
  EXPECT_EQ(zones[2].sessions_to, 2U);
}

}  // namespace
}  // namespace masugata::dataplane
