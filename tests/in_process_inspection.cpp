// SPDX-License-Identifier: GPL-2.0-or-later
// The rules of a test and the alerts that they raise.
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/in_process_gateway.h"

namespace masugata::test {

Status InProcessGateway::set_rules(const std::string& text) {
  rules_ = text;
  return {};
}

std::vector<std::string> InProcessGateway::take_alerts() {
  std::vector<std::string> alerts;
  if (inspection_ == nullptr || inspection_->running() == nullptr) return alerts;
  std::string line;
  for (dataplane::Inspector* inspector : inspection_->inspectors()) {
    while (inspector->events().pop(line)) {
      const auto event = nlohmann::json::parse(line, nullptr, false);
      if (event.is_discarded()) {
        alerts.push_back("no JSON: " + line);
      } else if (event.value("event_type", "") == "alert") {
        alerts.push_back(fmt::format("{} {}", event["alert"].value("signature_id", 0U),
                                     event["alert"].value("action", "")));
      }
    }
  }
  return alerts;
}

// Rules come from the test itself, whatever files the configuration names, and nothing is cached.
Status InProcessGateway::load_inspection(const config::Model& model) {
  if (inspection_ == nullptr) {
    dataplane::InspectionTargets targets;
    targets.publication = &publication_.inspection;
    targets.memory = &inspection_memory_;
    targets.limits = options_.inspection;
    targets.limits.sessions = workers_.front()->settings().sessions;
    for (const auto& worker : workers_) targets.inspectors.push_back(&worker->inspector());
    inspection_ = std::make_unique<dataplane::InspectionManager>(std::move(targets));
  }
  config::IpsSettings settings = model.ips;
  settings.cache_folder.clear();
  settings.rule_files.clear();
  if (!rules_.empty()) {
    if (rule_folder_.empty()) {
      std::string folder = "/tmp/masugata-rules-XXXXXX";
      if (mkdtemp(folder.data()) == nullptr) return failure(folder, "cannot be made");
      rule_folder_ = folder;
    }
    const auto path = rule_folder_ / "test.rules";
    std::ofstream(path) << rules_;
    settings.rule_files.push_back(path.string());
  }
  if (Status possible = inspection_->check(settings); !possible) return possible;
  // Without rules nothing is loaded: what a gateway does meanwhile can be tested so.
  const bool contents = !model.antivirus.profiles.empty();
  if (Status configured = inspection_->configure(settings, true, contents); !configured) {
    return configured;
  }
  if (!rules_.empty()) {
    inspection_->finish_loading();
    const dataplane::RuleLoadReport& report = inspection_->report();
    if (!report.failure.empty()) return failure("rules", report.failure);
    for (const ids::RuleProblem& problem : report.loaded.problems) {
      return failure(fmt::format("rules, line {}", problem.line),
                     problem.keyword + " " + problem.reason);
    }
  }
  return {};
}

}  // namespace masugata::test
