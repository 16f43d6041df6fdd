// SPDX-License-Identifier: GPL-2.0-or-later
// masugata-replay: captures through the inspection engine, and rules tested.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>

#include "config/load.h"
#include "dataplane/inspection/rule_loading.h"
#include "dataplane/replay/alert_counter.h"
#include "dataplane/replay/command_line.h"
#include "dataplane/replay/line_file.h"
#include "dataplane/replay/replay.h"
#include "dataplane/replay/summary.h"
#include "ids/eve/eve_formatter.h"
#include "ids/matching/datasets.h"
#include "ids/plan/detection_plan.h"
#include "ids/rules/rule_set.h"

namespace masugata::dataplane {
namespace {

constexpr int kFine = 0;
constexpr int kTrouble = 1;
constexpr int kWrongUsage = 2;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int tell(const Fault& fault) {
  static_cast<void>(std::fprintf(stderr, "masugata-replay: %s\n", fault.message().c_str()));
  return kTrouble;
}

Result<std::string> read_file(const std::string& path) {
  if (path.empty()) return std::string{};
  std::ifstream file(path, std::ios::binary);
  if (!file) return failure(path, "cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

const config::IpsProfile* find_profile(const config::IpsSettings& settings,
                                       const std::string& name) {
  for (const config::IpsProfile& profile : settings.profiles) {
    if (name.empty() || profile.name == name) return &profile;
  }
  return nullptr;
}

// Fills in what the command line leaves open.
Result<std::optional<config::IpsProfile>> take_configuration(ReplayCommand& command) {
  if (command.configuration.empty()) {
    if (command.profile.empty()) return std::optional<config::IpsProfile>{};
    return failure("--profile", "needs --config");
  }
  const config::Loaded loaded = config::load_file(command.configuration);
  if (!loaded.model) {
    return failure("", config::format_problem(loaded.problems.front(), command.configuration));
  }
  const config::IpsSettings& ips = loaded.model->ips;
  const config::IpsProfile* profile = find_profile(ips, command.profile);
  if (profile == nullptr) {
    return failure(command.configuration, command.profile.empty()
                                              ? "has no IPS profile"
                                              : "has no IPS profile " + command.profile);
  }
  if (command.rule_files.empty()) {
    auto files = find_rule_files(ips);
    if (!files) return tl::unexpected(files.error());
    command.rule_files = std::move(*files);
  }
  const auto fill = [](std::string& own, const std::string& configured) {
    if (own.empty()) own = configured;
  };
  fill(command.threshold_file, ips.threshold_file);
  fill(command.classification_file, ips.classification_file);
  fill(command.data_folder, ips.data_folder);
  for (const config::IpsVariable& variable : ips.address_variables) {
    command.settings.address_variables.try_emplace(variable.name, variable.value);
  }
  for (const config::IpsVariable& variable : ips.port_variables) {
    command.settings.port_variables.try_emplace(variable.name, variable.value);
  }
  if (profile->prevent) {
    if (Status set = apply_setting(command.settings, "inline", "true"); !set) {
      return tl::unexpected(set.error());
    }
  }
  return std::optional<config::IpsProfile>{*profile};
}

Result<ids::RuleSet> load_rules(ReplayCommand& command) {
  const auto profile = take_configuration(command);
  if (!profile) return tl::unexpected(profile.error());
  ids::RuleEnvironment environment = ids::RuleEnvironment::defaults();
  for (const auto& [name, value] : command.settings.address_variables) {
    environment.address_variables[name] = value;
  }
  for (const auto& [name, value] : command.settings.port_variables) {
    environment.port_variables[name] = value;
  }
  const auto read_into = [](std::string& text, const std::string& path) -> Status {
    Result<std::string> read = read_file(path);
    if (!read) return tl::unexpected(read.error());
    text = std::move(*read);
    return {};
  };
  if (const Status read = read_into(environment.classification_text, command.classification_file);
      !read) {
    return tl::unexpected(read.error());
  }
  if (const Status read = read_into(environment.reference_text, command.reference_file); !read) {
    return tl::unexpected(read.error());
  }
  environment.data_folder = command.data_folder;
  Result<ids::RuleSet> rules = ids::load_rule_files(command.rule_files, environment);
  if (rules && *profile) {
    LoadedProfile applied;
    apply_profile(**profile, std::chrono::system_clock::now(), *rules, applied);
  }
  if (!rules || command.threshold_file.empty()) return rules;
  std::string threshold_text;
  if (const Status read = read_into(threshold_text, command.threshold_file); !read) {
    return tl::unexpected(read.error());
  }
  ids::apply_threshold_text(*rules, command.threshold_file, threshold_text,
                            environment.address_variables);
  return rules;
}

// Data sets outlive the plan that names them: `datasets` is main's.
ids::PlanOptions plan_options_of(const ReplayCommand& command, ids::DatasetStore& datasets) {
  ids::PlanOptions options;
  options.tables.datasets = &datasets;
  options.cache_folder = command.cache_folder;
  options.data_folder = command.data_folder;
  options.action_order = command.settings.action_order;
  options.demands.body_limit = command.settings.body_limit_bytes;
  return options;
}

// Problems on the error stream; true when a rule is wrong rather than unsupported.
bool list_problems(const ids::RuleSet& rules) {
  bool wrong = false;
  for (const ids::RuleProblem& problem : rules.problems) {
    static_cast<void>(std::fprintf(stderr, "%s\n", problem_text(problem).c_str()));
    wrong = wrong || !problem.unsupported;
  }
  return wrong;
}

// Compiling finds what reading cannot: expressions that do not compile, patterns too large.
int test_rules(ReplayCommand& command) {
  Result<ids::RuleSet> rules = load_rules(command);
  if (!rules) return tell(rules.error());
  ids::DatasetStore datasets;
  const ids::PlanOptions options = plan_options_of(command, datasets);
  const auto plan = ids::compile_plan(std::move(*rules), options);
  if (!plan) return tell(plan.error());
  const ids::RuleSet& kept = ids::rules_of(**plan);
  const bool wrong = list_problems(kept);
  const auto unsupported =
      std::count_if(kept.problems.begin(), kept.problems.end(),
                    [](const ids::RuleProblem& problem) { return problem.unsupported; });
  static_cast<void>(
      std::printf("%zu rules load, %zu are not supported, %zu are wrong, %u are disabled\n",
                  kept.rules.size(), static_cast<size_t>(unsupported),
                  kept.problems.size() - static_cast<size_t>(unsupported), kept.disabled));
  return wrong ? kTrouble : kFine;
}

struct EveOutput {
  std::unique_ptr<LineFile> file;
  std::unique_ptr<ids::EveFormatter> formatter;
};

Result<EveOutput> open_eve(const ReplayCommand& command) {
  EveOutput output;
  if (command.eve_file.empty()) return output;
  Result<std::unique_ptr<LineFile>> file = LineFile::create(command.eve_file);
  if (!file) return tl::unexpected(file.error());
  output.file = std::move(*file);
  output.formatter = std::make_unique<ids::EveFormatter>(command.eve, *output.file);
  return output;
}

int replay_captures(ReplayCommand& command) {
  ReplayTimes times;
  Clock::time_point start = Clock::now();
  Result<ids::RuleSet> rules = load_rules(command);
  if (!rules) return tell(rules.error());
  times.load_seconds = seconds_since(start);
  ids::DatasetStore datasets;
  const ids::PlanOptions options = plan_options_of(command, datasets);
  start = Clock::now();
  const auto plan = ids::compile_plan(std::move(*rules), options);
  if (!plan) return tell(plan.error());
  times.compile_seconds = seconds_since(start);
  const ids::RuleSet& kept = ids::rules_of(**plan);
  if (!command.json_summary) static_cast<void>(list_problems(kept));

  Result<EveOutput> eve = open_eve(command);
  if (!eve) return tell(eve.error());
  AlertCounter counter(eve->formatter.get());
  Replay replay(command.settings, plan->get(), counter);
  int status = kFine;
  start = Clock::now();
  for (const std::string& capture : command.captures) {
    const Status run = replay.run(capture);
    if (!run) status = tell(run.error());
  }
  replay.finish();
  times.run_seconds = seconds_since(start);
  if (eve->file) {
    const Status written = eve->file->finish();
    if (!written) status = tell(written.error());
  }
  const SummaryInputs inputs{replay.counts(), counter, kept, ids::facts_of(**plan), times};
  const std::string summary =
      command.json_summary ? summary_json(inputs) + "\n" : summary_text(inputs, command.statistics);
  // Events on standard output are for a program that wants nothing else there.
  std::FILE* to = command.eve_file == "-" ? stderr : stdout;
  static_cast<void>(std::fputs(summary.c_str(), to));
  return status;
}

int run(int count, const char* const* words) {
  Result<ReplayCommand> command =
      read_command_line({words + 1, static_cast<size_t>(std::max(count - 1, 0))});
  if (!command) {
    tell(command.error());
    return kWrongUsage;
  }
  if (command->help) {
    static_cast<void>(std::fputs(usage_text(), stdout));
    return kFine;
  }
  return command->test_rules ? test_rules(*command) : replay_captures(*command);
}

}  // namespace
}  // namespace masugata::dataplane

int main(int count, char** words) {
  try {
    return masugata::dataplane::run(count, words);
  } catch (const std::exception& trouble) {
    static_cast<void>(std::fprintf(stderr, "masugata-replay: %s\n", trouble.what()));
    return 1;
  }
}
