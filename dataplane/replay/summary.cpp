// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/replay/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace masugata::dataplane {
namespace {

double per_second(double amount, double seconds) { return seconds > 0 ? amount / seconds : 0; }

std::string statistics_text(const SummaryInputs& inputs) {
  const ReplayCounts& counts = inputs.counts;
  const ReplayTimes& times = inputs.times;
  const double nanoseconds =
      counts.packets == 0 ? 0 : times.run_seconds * 1e9 / static_cast<double>(counts.packets);
  return fmt::format(
      "rules read in {:.3f} s, compiled in {:.3f} s ({} patterns, {} databases, {:.1f} MB{})\n"
      "run in {:.3f} s: {:.0f} ns per packet, {:.1f} MB/s\n",
      times.load_seconds, times.compile_seconds, inputs.plan.patterns, inputs.plan.databases,
      static_cast<double>(inputs.plan.bytes) / 1e6, inputs.plan.from_cache ? ", from cache" : "",
      times.run_seconds, nanoseconds,
      per_second(static_cast<double>(counts.bytes) / 1e6, times.run_seconds));
}

}  // namespace

std::string problem_text(const ids::RuleProblem& problem) {
  std::string text = fmt::format("{}:{}: ", problem.file, problem.line);
  if (problem.sid != 0) text += fmt::format("sid {}: ", problem.sid);
  if (!problem.keyword.empty()) text += problem.keyword + " ";
  return text + problem.reason;
}

std::string summary_text(const SummaryInputs& inputs, bool statistics) {
  const ReplayCounts& counts = inputs.counts;
  const auto unsupported = static_cast<size_t>(
      std::count_if(inputs.rules.problems.begin(), inputs.rules.problems.end(),
                    [](const ids::RuleProblem& problem) { return problem.unsupported; }));
  std::string text = fmt::format(
      "rules: {} loaded, {} not supported, {} wrong, {} disabled\n"
      "packets: {} in {} frames ({} bytes), {} dropped, {} with wrong checksums\n"
      "flows: {}\n",
      inputs.rules.rules.size(), unsupported, inputs.rules.problems.size() - unsupported,
      inputs.rules.disabled, counts.packets, counts.frames, counts.bytes, counts.dropped,
      counts.wrong_checksums, counts.flows);
  for (const auto& [protocol, number] : inputs.alerts.transactions()) {
    text += fmt::format("transactions of {}: {}\n", protocol, number);
  }
  uint64_t all = 0;
  for (const auto& [name, count] : inputs.alerts.alerts()) all += count.alerts;
  text += fmt::format("alerts: {}\n", all);
  for (const auto& [name, count] : inputs.alerts.alerts()) {
    text +=
        fmt::format("  {:>7}  {}:{}  {}{}\n", count.alerts, name.first, name.second, count.message,
                    count.blocked == 0 ? "" : fmt::format(" ({} blocked)", count.blocked));
  }
  if (counts.uninspected_flows != 0) {
    text += fmt::format("flows beyond the bound, not inspected: {}\n", counts.uninspected_flows);
  }
  if (statistics) text += statistics_text(inputs);
  return text;
}

std::string summary_json(const SummaryInputs& inputs) {
  const ReplayCounts& counts = inputs.counts;
  nlohmann::json alerts = nlohmann::json::object();
  for (const auto& [name, count] : inputs.alerts.alerts()) {
    const std::string sid = std::to_string(name.second);
    alerts[sid] = alerts.value(sid, uint64_t{0}) + count.alerts;
  }
  nlohmann::json problems = nlohmann::json::array();
  for (const ids::RuleProblem& problem : inputs.rules.problems) {
    problems.push_back({{"file", problem.file},
                        {"line", problem.line},
                        {"sid", problem.sid},
                        {"keyword", problem.keyword},
                        {"reason", problem.reason},
                        {"unsupported", problem.unsupported}});
  }
  const nlohmann::json summary = {
      {"rules", inputs.rules.rules.size()},
      {"problems", std::move(problems)},
      {"frames", counts.frames},
      {"bytes", counts.bytes},
      {"packets", counts.packets},
      {"flows", counts.flows},
      {"drops", counts.dropped},
      {"wrong_checksums", counts.wrong_checksums},
      {"uninspected_flows", counts.uninspected_flows},
      {"alerts", std::move(alerts)},
      {"transactions", inputs.alerts.transactions()},
      {"load_seconds", inputs.times.load_seconds},
      {"compile_seconds", inputs.times.compile_seconds},
      {"run_seconds", inputs.times.run_seconds},
  };
  return summary.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace masugata::dataplane
