// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/replay/command_line.h"

#include <array>
#include <string_view>
#include <utility>

namespace masugata::dataplane {
namespace {

using Flag = std::pair<std::string_view, bool ReplayCommand::*>;
constexpr std::array<Flag, 3> kFlags{{
    {"--help", &ReplayCommand::help},
    {"--statistics", &ReplayCommand::statistics},
    {"--json", &ReplayCommand::json_summary},
}};

using Setting = std::pair<std::string_view, std::pair<std::string_view, std::string_view>>;
constexpr std::array<Setting, 4> kShortForms{{
    {"--inline", {"inline", "true"}},
    {"--midstream", {"stream.midstream", "true"}},
    {"--async", {"stream.async-oneside", "true"}},
    {"--ignore-checksums", {"checksums", "false"}},
}};

using EveFlag = std::pair<std::string_view, bool ids::EveOptions::*>;
constexpr std::array<EveFlag, 4> kEveFlags{{
    {"--eve-payload", &ids::EveOptions::payload},
    {"--eve-payload-printable", &ids::EveOptions::payload_printable},
    {"--eve-packet", &ids::EveOptions::packet},
    {"--eve-community-id", &ids::EveOptions::community_id},
}};

using Path = std::pair<std::string_view, std::string ReplayCommand::*>;
constexpr std::array<Path, 8> kPaths{{
    {"--config", &ReplayCommand::configuration},
    {"--profile", &ReplayCommand::profile},
    {"--eve", &ReplayCommand::eve_file},
    {"--threshold-file", &ReplayCommand::threshold_file},
    {"--classification", &ReplayCommand::classification_file},
    {"--references", &ReplayCommand::reference_file},
    {"--data-dir", &ReplayCommand::data_folder},
    {"--cache-dir", &ReplayCommand::cache_folder},
}};

template <class Table>
auto find_in(const Table& table, std::string_view name) -> decltype(table.data()) {
  for (const auto& entry : table) {
    if (entry.first == name) return &entry;
  }
  return nullptr;
}

Status apply_assignment(ReplaySettings& settings, std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) return failure("--set", "expects key=value");
  return apply_setting(settings, text.substr(0, equals), text.substr(equals + 1));
}

// An option without a value; false when `option` is none.
bool apply_flag(ReplayCommand& command, std::string_view option) {
  if (const auto* flag = find_in(kFlags, option)) {
    command.*(flag->second) = true;
    return true;
  }
  if (const auto* flag = find_in(kEveFlags, option)) {
    command.eve.*(flag->second) = true;
    return true;
  }
  if (const auto* form = find_in(kShortForms, option)) {
    return apply_setting(command.settings, form->second.first, form->second.second).has_value();
  }
  return false;
}

Status apply_value(ReplayCommand& command, std::string_view option, std::string_view value) {
  if (const auto* path = find_in(kPaths, option)) {
    command.*(path->second) = value;
    return {};
  }
  if (option == "--set") return apply_assignment(command.settings, value);
  if (option == "--settings") return load_settings(command.settings, std::string(value));
  return failure(std::string(option), "is no option of masugata-replay; see --help");
}

Status check(const ReplayCommand& command) {
  if (command.help) return {};
  if (command.test_rules && command.rule_files.empty()) {
    return failure("--test-rules", "expects one or more files");
  }
  if (!command.test_rules && command.captures.empty()) {
    return failure("--pcap", "is missing: there is nothing to replay; see --help");
  }
  return {};
}

}  // namespace

Result<ReplayCommand> read_command_line(std::span<const char* const> arguments) {
  ReplayCommand command;
  std::vector<std::string>* list = nullptr;  // takes the words that follow
  for (size_t at = 0; at < arguments.size(); ++at) {
    const std::string_view option = arguments[at];
    if (!option.starts_with("--")) {
      if (list == nullptr) return failure(std::string(option), "is not expected here; see --help");
      list->emplace_back(option);
      continue;
    }
    list = nullptr;
    if (option == "--rules" || option == "--test-rules") {
      command.test_rules = command.test_rules || option == "--test-rules";
      list = &command.rule_files;
      continue;
    }
    if (option == "--pcap") {
      list = &command.captures;
      continue;
    }
    if (apply_flag(command, option)) continue;
    const bool has_value = at + 1 < arguments.size();
    const Status applied = apply_value(command, option, has_value ? arguments[at + 1] : "");
    if (!applied) return tl::unexpected(applied.error());
    if (!has_value) return failure(std::string(option), "expects a value");
    ++at;
  }
  const Status checked = check(command);
  if (!checked) return tl::unexpected(checked.error());
  return command;
}

const char* usage_text() noexcept {
  return R"(usage: masugata-replay --rules FILE... --pcap FILE... [option...]
       masugata-replay --test-rules FILE...

Runs captures through the inspection engine on the captures' own time and says what alerts.

  --rules FILE...          rules in the Suricata rule language
  --pcap FILE...           captures (pcap, pcapng), one after the other
  --test-rules FILE...     only read the rules and list what does not load, by line
  --eve FILE               write events as EVE JSON; - is standard output
  --eve-payload --eve-payload-printable --eve-packet --eve-community-id
                           what events hold besides
  --inline                 drop what drop rules match, as a gateway does
  --midstream              take TCP connections whose handshake is not in the capture
  --async                  only one direction of connections is in the capture
  --ignore-checksums       do not look at checksums
  --threshold-file FILE    suppress, threshold and rate_filter lines
  --classification FILE    classification.config
  --references FILE        reference.config
  --data-dir DIR           where data sets and hash lists are looked for
  --cache-dir DIR          where compiled rules are kept
  --set key=value          one setting, see dataplane/replay/README.md
  --config FILE            a gateway's configuration: rule files, variables, thresholds and a
                           profile of its `ips` section, unless said otherwise here
  --profile NAME           the profile of --config; the first without it
  --settings FILE          settings, a line each: key = value
  --json                   the summary as one line of JSON
  --statistics             with how long things took

Exit status: 0 fine, 1 trouble with input (rules that do not load are told, but are no trouble
unless --test-rules finds one that is wrong), 2 wrong usage.
)";
}

}  // namespace masugata::dataplane
