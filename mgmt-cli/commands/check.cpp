// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/commands/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "config/load.h"
#include "mgmt-cli/commands/program.h"
#include "mgmt-cli/output/units.h"

namespace masugata::cli {
namespace {

using nlohmann::json;

struct Counts {
  uint64_t interfaces = 0;
  uint64_t zones = 0;  // without `self`
  uint64_t rules = 0;
  uint64_t nat_rules = 0;
};

Counts count(const config::Model& model) {
  Counts counts;
  counts.interfaces = model.interfaces.size();
  counts.zones = model.zones.empty() ? 0 : model.zones.size() - 1;
  for (const config::PolicySection& section : model.policy) counts.rules += section.rules.size();
  counts.nat_rules =
      model.source_nat.size() + model.destination_nat.size() + model.static_nat.size();
  return counts;
}

bool is_error(const config::Problem& problem) {
  return problem.severity == config::Problem::Severity::Error;
}

json as_object(const config::Loaded& loaded, const std::string& file) {
  json problems = json::array();
  for (const config::Problem& problem : loaded.problems) {
    problems.push_back({{"severity", is_error(problem) ? "error" : "warning"},
                        {"line", problem.line},
                        {"column", problem.column},
                        {"path", problem.path},
                        {"what", problem.what},
                        {"accepted", problem.accepted}});
  }
  json result = {
      {"file", file}, {"ok", loaded.model.has_value()}, {"problems", std::move(problems)}};
  if (loaded.model) {
    const Counts counts = count(*loaded.model);
    result["interfaces"] = counts.interfaces;
    result["zones"] = counts.zones;
    result["rules"] = counts.rules;
    result["nat_rules"] = counts.nat_rules;
  }
  return result;
}

}  // namespace

int run_check(const std::string& file, bool as_json, std::ostream& output, std::ostream& errors) {
  const config::Loaded loaded = config::load_file(file);
  const int status = loaded.model ? kDone : kProblem;
  if (as_json) {
    output << as_object(loaded, file).dump(2, ' ', false, json::error_handler_t::replace) << "\n";
    return status;
  }
  for (const config::Problem& problem : loaded.problems) {
    errors << config::format_problem(problem, file) << "\n";
  }
  if (!loaded.model) {
    const auto count_of_errors = static_cast<uint64_t>(
        std::count_if(loaded.problems.begin(), loaded.problems.end(), is_error));
    errors << file << ": " << format_number_of(count_of_errors, "error") << "\n";
    return status;
  }
  const Counts counts = count(*loaded.model);
  const auto warnings = static_cast<uint64_t>(loaded.problems.size());
  output << fmt::format(
      "{}: ok ({}, {}, {}, {}{})\n", file, format_number_of(counts.interfaces, "interface"),
      format_number_of(counts.zones, "zone"), format_number_of(counts.rules, "rule"),
      format_number_of(counts.nat_rules, "NAT rule"),
      warnings == 0 ? "" : ", " + format_number_of(warnings, "warning"));
  return status;
}

}  // namespace masugata::cli
