// SPDX-License-Identifier: GPL-2.0-or-later
// Whatever lines lose, overtake and repeat, every transfer through an inspected connection comes to
// its end: a clean one whole, an infected one with words or a reset, never whole. Seeds are
// counted, so that a failure can be seen again: MASUGATA_TRANSFER_SEED=FIRST
// MASUGATA_TRANSFER_RUNS=1.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>

#include "tests/transfers/conversations.h"
#include "tests/transfers/lossy_path.h"

namespace masugata::test {
namespace {

uint64_t number_in_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

constexpr uint64_t kRuns = 25;
// Some form stood still there, or took half a minute, before segments behind a gap passed, and
// before answers waited for what stands before them.
constexpr uint64_t kOnceAtAStand[] = {72, 102, 149, 157, 233, 305};
constexpr uint64_t kLimit_ms = 25'000;

class LossyTransfersTest : public ::testing::TestWithParam<std::string> {
 protected:
  void start() {
    InProcessOptions options;
    options.antivirus = {.sessions = 4096, .objects = 256};
    gateway_ = std::make_unique<InProcessGateway>(options);
    ASSERT_TRUE(gateway_->set_rules(
        "drop tcp any any -> any any (msg:\"never\"; flow:established; content:\"evilword\"; "
        "sid:1;)\n"));
    const auto configured = gateway_->configure(R"(
interfaces {
    interface lan0 { device net_test_lan0; address 10.0.1.1/24; }
    interface wan0 { device net_test_wan0; address 203.0.113.2/24; }
}
zones { zone lan { interface lan0; } zone wan { interface wan0; } }
ips { profile test { } }
av { profile test { } }
policy { from lan to wan { rule all { action permit; inspect { ips test; av test; } } } }
)");
    ASSERT_TRUE(configured) << configured.error().message();
    ASSERT_TRUE(gateway_->set_neighbour("wan0", "203.0.113.1", "02:00:00:00:03:01"));
    ASSERT_TRUE(gateway_->set_neighbour("lan0", "10.0.1.10", "02:00:00:00:01:0a"));
    gateway_->advance(1);
  }

  void run(uint64_t seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Chance chance(seed);
    const LineTrouble lan{.delay_us = 200, .loss_percent = seed % 4 == 0 ? 1.0 : 0.0};
    const LineTrouble wan{.delay_us = 1000 * (1 + chance.below(60)),
                          .loss_percent = 0.5 * chance.below(9),
                          .reorder_percent = 1.0 * chance.below(6),
                          .repeat_percent = 0.5 * chance.below(3)};
    LossyPath path(*gateway_, lan, wan, chance);
    const bool infected = chance.percent(25);
    const auto port = static_cast<uint16_t>(10'000 + seed * 4 % 40'000);
    auto conversation = make_conversation(GetParam(), path, chance, port, infected);
    const bool finished =
        path.run([&] { conversation->act(); }, [&] { return conversation->is_over(); }, kLimit_ms);
    ASSERT_TRUE(finished) << "came to a stand " << path.describe();
    EXPECT_EQ(conversation->fault(), "") << path.describe();
    EXPECT_EQ(path.broken(), 0U);
    gateway_->take_alerts();
    gateway_->take_objects();
    gateway_->advance(1000);
  }

  std::unique_ptr<InProcessGateway> gateway_;
};

TEST_P(LossyTransfersTest, EveryOneEnds) {
  start();
  const char* chosen = std::getenv("MASUGATA_TRANSFER_SEED");
  if (chosen != nullptr) {
    const uint64_t first = std::strtoull(chosen, nullptr, 10);
    const uint64_t runs = number_in_environment("MASUGATA_TRANSFER_RUNS", 1);
    for (uint64_t seed = first; seed < first + runs; ++seed) run(seed);
    return;
  }
  for (uint64_t seed = 1; seed <= kRuns; ++seed) run(seed);
  for (const uint64_t seed : kOnceAtAStand) run(seed);
}

INSTANTIATE_TEST_SUITE_P(Forms, LossyTransfersTest, ::testing::ValuesIn(conversation_names()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace masugata::test
