// SPDX-License-Identifier: GPL-2.0-or-later
// Every scenario file is a test of its own, played against the whole dataplane in this process.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "tests/in_process_gateway.h"
#include "tests/scenarios/scenario_parser.h"
#include "tests/scenarios/scenario_runner.h"

namespace masugata::test {
namespace {

// MASUGATA_SCENARIO_WORKERS=2 plays them on two workers with frames steered to the wrong one.
InProcessOptions options_of_this_run() {
  InProcessOptions options;
  const char* workers = std::getenv("MASUGATA_SCENARIO_WORKERS");
  if (workers != nullptr) options.workers = static_cast<uint16_t>(std::atoi(workers));
  return options;
}

class ScenarioTest : public ::testing::Test {
 public:
  explicit ScenarioTest(const Scenario& scenario) : scenario_(scenario) {}

  void TestBody() override {
    const auto gateway = std::make_unique<InProcessGateway>(options_of_this_run());
    const std::string problem = play_scenario(scenario_, *gateway);
    if (!problem.empty()) FAIL() << scenario_.title << "\n" << problem;
  }

 private:
  const Scenario& scenario_;
};

class UnreadableTest : public ::testing::Test {
 public:
  explicit UnreadableTest(std::string problem) : problem_(std::move(problem)) {}
  void TestBody() override { FAIL() << problem_; }

 private:
  std::string problem_;
};

// Before main(), as TEST() does; the scenarios live as long as the program.
bool register_scenarios() {
  static const auto scenarios = load_scenarios(MASUGATA_SCENARIO_FOLDER);
  if (!scenarios) {
    ::testing::RegisterTest(
        "Scenario", "files", nullptr, nullptr, __FILE__, __LINE__,
        []() -> ::testing::Test* { return new UnreadableTest(scenarios.error().message()); });
    return false;
  }
  for (const Scenario& scenario : *scenarios) {
    ::testing::RegisterTest(
        "Scenario", scenario.name.c_str(), nullptr, nullptr, scenario.file.c_str(), 1,
        [&scenario]() -> ::testing::Test* { return new ScenarioTest(scenario); });
  }
  return true;
}

[[maybe_unused]] const bool registered = register_scenarios();

}  // namespace
}  // namespace masugata::test
