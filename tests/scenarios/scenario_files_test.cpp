// SPDX-License-Identifier: GPL-2.0-or-later
// The scenario files themselves: every one can be read, every configuration is valid, and every
// reason to drop a packet is provoked by some scenario.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "config/load.h"
#include "dataplane/pipeline/drop_reason.h"
#include "tests/scenarios/scenario_parser.h"

namespace masugata::test {
namespace {

// Reasons that no packet from outside can provoke at will, and where they are tested instead.
const std::map<std::string, std::string> kTestedElsewhere = {
    {"none", "no drop"},
    {"internal-error", "only a bug raises it"},
    {"no-buffer", "bounds_test.cpp; dataplane/fragments and dataplane/icmp unit tests"},
    {"transmit-queue-full", "bounds_test.cpp"},
    {"punt-queue-full", "bounds_test.cpp"},
    {"inspection-overload", "inspection_bounds_test.cpp"},
    {"inspection-memory", "inspection_bounds_test.cpp"},
    {"stream-memory", "inspection_bounds_test.cpp"},
    {"antivirus-no-room", "inspection_bounds_test.cpp"},
    {"ipsec-unknown-spi", "ipsec_test.cpp"},
    {"ipsec-early", "ipsec_early_test.cpp"},
    {"ipsec-malformed", "ipsec_test.cpp"},
    {"ipsec-replay", "ipsec_test.cpp"},
    {"ipsec-authentication", "ipsec_test.cpp"},
    {"ipsec-inner", "ipsec_test.cpp"},
    {"ipsec-dummy", "ipsec_test.cpp"},
    {"ipsec-selector", "ipsec_test.cpp"},
    {"ipsec-keep-alive", "ipsec_test.cpp"},
    {"ipsec-in-clear", "ipsec_transport_test.cpp"},
    {"ipsec-probe", "ipsec_probe_test.cpp"},
    {"ipsec-error", "ipsec_path_test.cpp"},
    {"closed-network", "ipsec_exits_test.cpp"},
    {"ipsec-no-sa", "ipsec_test.cpp"},
    {"ipsec-expired", "ipsec_test.cpp"},
    {"ipsec-too-long", "ipsec_large_test.cpp"},
    {"handover-queue-full", "needs two workers: dataplane/pipeline unit tests"},
};

std::vector<Scenario> all_scenarios() {
  auto scenarios = load_scenarios(MASUGATA_SCENARIO_FOLDER);
  EXPECT_TRUE(scenarios) << scenarios.error().message();
  return scenarios ? std::move(*scenarios) : std::vector<Scenario>{};
}

void check_configuration(const std::string& text, const std::string& place, bool valid) {
  const config::Loaded loaded = config::load_text(text, place);
  std::string problems;
  for (const auto& problem : loaded.problems) {
    problems += config::format_problem(problem, place) + "\n";
  }
  EXPECT_EQ(loaded.model.has_value(), valid) << place << "\n" << problems << text;
}

void visit_steps(const std::vector<Step>& steps, const auto& visitor) {
  for (const Step& step : steps) {
    visitor(step);
    visit_steps(step.body, visitor);
  }
}

TEST(ScenarioFiles, AreReadableAndValid) {
  const auto scenarios = all_scenarios();
  EXPECT_GE(scenarios.size(), 120U);
  for (const Scenario& scenario : scenarios) {
    check_configuration(scenario.configuration, scenario.file, true);
    visit_steps(scenario.steps, [&](const Step& step) {
      const std::string place = scenario.file + ":" + std::to_string(step.line);
      if (step.kind == StepKind::Reload) check_configuration(step.text, place, true);
      if (step.kind == StepKind::ReloadRefused) check_configuration(step.text, place, false);
    });
  }
}

TEST(ScenarioFiles, NameOnlyReasonsThatExist) {
  std::set<std::string> reasons;
  for (const auto& text : dataplane::kDropReasonTexts) reasons.emplace(text.name);
  for (const Scenario& scenario : all_scenarios()) {
    visit_steps(scenario.steps, [&](const Step& step) {
      if (step.kind != StepKind::ExpectDrop) return;
      EXPECT_TRUE(reasons.contains(step.text))
          << scenario.file << ":" << step.line << ": no reason is called " << step.text;
    });
  }
}

TEST(ScenarioFiles, ProvokeEveryReasonToDrop) {
  std::set<std::string> provoked;
  for (const Scenario& scenario : all_scenarios()) {
    visit_steps(scenario.steps, [&](const Step& step) {
      if (step.kind == StepKind::ExpectDrop) provoked.insert(step.text);
    });
  }
  for (const auto& text : dataplane::kDropReasonTexts) {
    const std::string name(text.name);
    const bool elsewhere = kTestedElsewhere.contains(name);
    EXPECT_TRUE(elsewhere || provoked.contains(name)) << "no scenario provokes " << name;
    EXPECT_FALSE(elsewhere && provoked.contains(name))
        << name << " need not stand in the exceptions";
  }
}

TEST(ScenarioFiles, AreAllInTheIndex) {
  std::ifstream stream(std::string(MASUGATA_SCENARIO_FOLDER) + "/README.md");
  std::stringstream index;
  index << stream.rdbuf();
  for (const Scenario& scenario : all_scenarios()) {
    EXPECT_NE(index.str().find(scenario.file), std::string::npos)
        << scenario.file << " is missing in README.md";
  }
}

}  // namespace
}  // namespace masugata::test
