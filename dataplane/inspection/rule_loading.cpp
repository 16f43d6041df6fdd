// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/inspection/rule_loading.h"

#include <glob.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "ids/matching/datasets.h"
#include "ids/matching/geo_database.h"
#include "ids/matching/ip_reputation.h"

namespace masugata::dataplane {
namespace {

using config::IpsAction;
using ids::RuleAction;

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return failure(path, std::string("cannot be read: ") + std::strerror(errno));
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

Status check_readable(const std::string& path) {
  if (path.empty()) return {};
  const std::ifstream file(path);
  return file ? Status{}
              : failure("ips rules: " + path,
                        std::string("cannot be read: ") + std::strerror(errno));
}

Result<ids::RuleEnvironment> environment_of(const config::IpsSettings& settings) {
  ids::RuleEnvironment environment = ids::RuleEnvironment::defaults();
  for (const config::IpsVariable& variable : settings.address_variables) {
    environment.address_variables[variable.name] = variable.value;
  }
  for (const config::IpsVariable& variable : settings.port_variables) {
    environment.port_variables[variable.name] = variable.value;
  }
  environment.data_folder = settings.data_folder;
  if (!settings.classification_file.empty()) {
    Result<std::string> text = read_file(settings.classification_file);
    if (!text) return tl::unexpected(text.error());
    environment.classification_text = std::move(*text);
  }
  return environment;
}

bool is_in(uint32_t sid, const std::vector<config::SidRange>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(), [sid](const config::SidRange& range) {
    return range.first <= sid && sid <= range.last;
  });
}

// "key", or "key value".
bool has_metadata(const ids::Rule& rule, const std::string& wanted) {
  return std::any_of(rule.metadata.begin(), rule.metadata.end(), [&](const auto& entry) {
    return entry.first == wanted || entry.first + " " + entry.second == wanted;
  });
}

bool is_selected(const ids::Rule& rule, const config::IpsSelection& selection) {
  if (!selection.classtypes.empty() &&
      std::find(selection.classtypes.begin(), selection.classtypes.end(), rule.classtype) ==
          selection.classtypes.end()) {
    return false;
  }
  if (selection.priority && rule.priority > *selection.priority) return false;
  if (!selection.sids.empty() && !is_in(rule.sid, selection.sids)) return false;
  return selection.metadata.empty() ||
         std::any_of(selection.metadata.begin(), selection.metadata.end(),
                     [&](const std::string& wanted) { return has_metadata(rule, wanted); });
}

const config::IpsOverride* find_override(const ids::Rule& rule, const config::IpsProfile& profile) {
  for (auto entry = profile.overrides.rbegin(); entry != profile.overrides.rend(); ++entry) {
    const bool fits = entry->classtype.empty()
                          ? entry->sids.first <= rule.sid && rule.sid <= entry->sids.last
                          : entry->classtype == rule.classtype;
    if (fits) return &*entry;
  }
  return nullptr;
}

RuleAction action_of(IpsAction action) {
  switch (action) {
    case IpsAction::Drop:
      return RuleAction::Drop;
    case IpsAction::Reject:
      return RuleAction::RejectBoth;
    case IpsAction::Pass:
      return RuleAction::Pass;
    case IpsAction::Alert:
    case IpsAction::Disable:
      break;
  }
  return RuleAction::Alert;
}

// The rule's own action in a profile that only reports.
RuleAction reported(RuleAction action) {
  return action == RuleAction::Pass ? action : RuleAction::Alert;
}

ids::AddressSet address_set_of(std::vector<net::AddressRange> ranges) {
  ids::AddressSet set;
  set.any = ranges.empty();
  std::sort(ranges.begin(), ranges.end());
  for (const net::AddressRange& range : ranges) {
    if (!set.ranges.empty() && range.first <= set.ranges.back().second) {
      set.ranges.back().second = std::max(set.ranges.back().second, range.last);
    } else {
      set.ranges.emplace_back(range.first, range.last);
    }
  }
  return set;
}

Result<ids::PlanTables> load_tables(const config::IpsSettings& settings,
                                    ids::DatasetStore& datasets) {
  ids::PlanTables tables;
  tables.datasets = &datasets;
  if (!settings.geoip_database.empty()) {
    auto database = ids::GeoDatabase::open(settings.geoip_database);
    if (!database) return tl::unexpected(database.error());
    tables.geography = std::move(*database);
  }
  if (settings.reputation_categories.empty()) return tables;
  const auto reputation = std::make_shared<ids::IpReputationTable>();
  const auto categories = read_file(settings.reputation_categories);
  if (!categories) return tl::unexpected(categories.error());
  Status read = reputation->add_categories(settings.reputation_categories, *categories);
  for (const std::string& file : settings.reputation_files) {
    if (!read) break;
    const auto scores = read_file(file);
    if (!scores) return tl::unexpected(scores.error());
    read = reputation->add_scores(file, *scores);
  }
  if (!read) return tl::unexpected(read.error());
  reputation->finish();
  tables.reputation = reputation;
  return tables;
}

}  // namespace

Result<std::vector<std::string>> find_rule_files(const config::IpsSettings& settings) {
  std::vector<std::string> files;
  for (const std::string& pattern : settings.rule_files) {
    glob_t found{};
    const int outcome = glob(pattern.c_str(), GLOB_ERR, nullptr, &found);
    std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    globfree(&found);
    if (outcome != 0 || paths.empty()) {
      return failure("ips rules file " + pattern, "there is no such file");
    }
    for (std::string& path : paths) {
      if (std::find(files.begin(), files.end(), path) == files.end()) {
        files.push_back(std::move(path));
      }
    }
  }
  return files;
}

Status check_rule_inputs(const config::IpsSettings& settings) {
  if (settings.profiles.empty()) return {};
  const auto files = find_rule_files(settings);
  if (!files) return tl::unexpected(files.error());
  for (const std::string& file : *files) {
    if (Status readable = check_readable(file); !readable) return readable;
  }
  std::vector<std::string> named = {settings.threshold_file, settings.classification_file,
                                    settings.geoip_database, settings.reputation_categories};
  named.insert(named.end(), settings.reputation_files.begin(), settings.reputation_files.end());
  for (const std::string& file : named) {
    if (Status readable = check_readable(file); !readable) return readable;
  }
  std::error_code error;
  if (!settings.data_folder.empty() &&
      !std::filesystem::is_directory(settings.data_folder, error)) {
    return failure("ips rules data-folder " + settings.data_folder, "is not a folder");
  }
  return {};
}

void apply_profile(const config::IpsProfile& profile, WallTime now, ids::RuleSet& rules,
                   LoadedProfile& loaded) {
  const auto leave_out = [&](ids::Rule& rule) {
    const config::IpsOverride* override = find_override(rule, profile);
    const bool out = !is_selected(rule, profile.selection) ||
                     (override != nullptr && override->action == IpsAction::Disable);
    if (out) {
      ++loaded.disabled;
      return true;
    }
    if (override != nullptr) {
      rule.action = action_of(override->action);
      ++loaded.overridden;
    }
    if (!profile.prevent) rule.action = reported(rule.action);
    return false;
  };
  rules.rules.erase(std::remove_if(rules.rules.begin(), rules.rules.end(), leave_out),
                    rules.rules.end());
  for (const config::IpsException& exception : profile.exceptions) {
    if (exception.until && *exception.until <= now) continue;
    ids::RuleException added;
    for (const config::SidRange& range : exception.sids) {
      added.sids.emplace_back(range.first, range.last);
    }
    added.source = address_set_of(exception.source);
    added.destination = address_set_of(exception.destination);
    rules.exceptions.push_back(std::move(added));
    loaded.exceptions.push_back(exception.name);
  }
}

std::optional<WallTime> next_expiry(const config::IpsSettings& settings, WallTime now) {
  std::optional<WallTime> next;
  for (const config::IpsProfile& profile : settings.profiles) {
    for (const config::IpsException& exception : profile.exceptions) {
      if (!exception.until || *exception.until <= now) continue;
      if (!next || *exception.until < *next) next = *exception.until;
    }
  }
  return next;
}

Result<LoadedRules> load_rules(const config::IpsSettings& settings, ids::DatasetStore& datasets,
                               WallTime now) {
  const auto begin = std::chrono::steady_clock::now();
  const auto files = find_rule_files(settings);
  if (!files) return tl::unexpected(files.error());
  auto environment = environment_of(settings);
  if (!environment) return tl::unexpected(environment.error());
  auto rules = ids::load_rule_files(*files, *environment);
  if (!rules) return tl::unexpected(rules.error());
  if (!settings.threshold_file.empty()) {
    const auto text = read_file(settings.threshold_file);
    if (!text) return tl::unexpected(text.error());
    ids::apply_threshold_text(*rules, settings.threshold_file, *text);
  }
  LoadedRules loaded;
  loaded.files = *files;
  loaded.rules = rules->rules.size();
  loaded.disabled = rules->disabled;
  loaded.problems = rules->problems;
  ids::PlanOptions options;
  options.cache_folder = settings.cache_folder;
  options.data_folder = settings.data_folder;
  auto tables = load_tables(settings, datasets);
  if (!tables) return tl::unexpected(tables.error());
  options.tables = std::move(*tables);
  for (size_t i = 0; i < settings.profiles.size(); ++i) {
    LoadedProfile profile;
    profile.name = settings.profiles[i].name;
    // The last profile takes the set itself.
    ids::RuleSet own = i + 1 < settings.profiles.size() ? *rules : std::move(*rules);
    const size_t known_problems = own.problems.size();
    apply_profile(settings.profiles[i], now, own, profile);
    auto plan = ids::compile_plan(std::move(own), options);
    if (!plan) return failure("ips profile " + profile.name, plan.error().message());
    const auto& problems = ids::rules_of(**plan).problems;
    if (i == 0 && problems.size() > known_problems) {
      loaded.problems.insert(loaded.problems.end(),
                             problems.begin() + static_cast<std::ptrdiff_t>(known_problems),
                             problems.end());
    }
    profile.plan = std::move(*plan);
    loaded.profiles.push_back(std::move(profile));
  }
  loaded.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return loaded;
}

}  // namespace masugata::dataplane
