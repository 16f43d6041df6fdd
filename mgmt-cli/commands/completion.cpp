// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/commands/completion.h"

#include <algorithm>

#include "config/applications.h"

namespace masugata::cli {
namespace {

void add(std::vector<Candidate>& candidates, std::string_view prefix, std::string_view text,
         std::string_view help) {
  const auto is_same = [text](const Candidate& candidate) { return candidate.text == text; };
  if (!text.starts_with(prefix)) return;
  if (std::any_of(candidates.begin(), candidates.end(), is_same)) return;
  candidates.push_back({std::string(text), std::string(help)});
}

void add_values(std::vector<Candidate>& candidates, std::string_view prefix, ValueKind kind,
                const NameSource& names) {
  if (kind == ValueKind::Protocol || kind == ValueKind::Transport) {
    for (const char* name : {"tcp", "udp", "icmp", "icmpv6", "sctp"}) {
      add(candidates, prefix, name, "");
    }
  }
  if (kind == ValueKind::Switch) {
    for (const char* name : {"on", "off"}) add(candidates, prefix, name, "");
  }
  if (kind == ValueKind::StartStop) {
    for (const char* name : {"start", "stop"}) add(candidates, prefix, name, "");
  }
  if (kind == ValueKind::Application) {
    for (config::ApplicationId id = 0; id < config::application_count(); ++id) {
      add(candidates, prefix, config::application_name(id),
          config::category_name(config::category_of(id)));
    }
  }
  if (kind == ValueKind::TunnelAction) {
    for (const char* name : {"up", "down", "rekey", "probe"}) add(candidates, prefix, name, "");
  }
  if (kind == ValueKind::Zone || kind == ValueKind::Interface || kind == ValueKind::Site) {
    for (const std::string& name : names(kind)) add(candidates, prefix, name, "");
  }
}

// `finished` are the words behind those of the command that are complete.
std::vector<Candidate> complete_values(const Command& command,
                                       const std::vector<std::string>& finished,
                                       std::string_view prefix, const NameSource& names) {
  std::vector<Candidate> candidates;
  if (finished.size() < command.positionals.size()) {
    const Positional& next = command.positionals[finished.size()];
    if (next.kind == ValueKind::Keyword) add(candidates, prefix, next.parameter, next.help);
    add_values(candidates, prefix, next.kind, names);
    return candidates;
  }
  const std::vector<std::string> rest(
      finished.begin() + static_cast<std::ptrdiff_t>(command.positionals.size()), finished.end());
  if (rest.size() % 2 == 1) {
    for (const Option& option : command.options) {
      if (option.keyword == rest.back()) add_values(candidates, prefix, option.kind, names);
    }
    return candidates;
  }
  for (const Option& option : command.options) {
    bool is_given = false;
    for (size_t index = 0; index < rest.size(); index += 2) {
      is_given = is_given || rest[index] == option.keyword;
    }
    if (!is_given) add(candidates, prefix, option.keyword, option.help);
  }
  return candidates;
}

std::string_view top_help(std::string_view word) {
  for (const TopWord& top : top_words()) {
    if (top.word == word) return top.help;
  }
  return {};
}

}  // namespace

std::vector<Candidate> complete(const std::vector<std::string>& words, const NameSource& names) {
  if (words.empty()) return {};
  const std::string& prefix = words.back();
  const std::vector<std::string> finished(words.begin(), words.end() - 1);
  if (!finished.empty() && finished[0] == "help") {
    return complete({words.begin() + 1, words.end()},
                    [](ValueKind) { return std::vector<std::string>{}; });
  }
  std::vector<Candidate> candidates;
  const Command* longest = nullptr;  // of those that are complete
  for (const Command& command : all_commands()) {
    const size_t shared = std::min(finished.size(), command.words.size());
    const auto begin = finished.begin();
    if (!std::equal(begin, begin + static_cast<std::ptrdiff_t>(shared), command.words.begin())) {
      continue;
    }
    if (finished.size() < command.words.size()) {
      const std::string_view word = command.words[finished.size()];
      add(candidates, prefix, word, finished.empty() ? top_help(word) : command.help);
      continue;
    }
    if (longest == nullptr || command.words.size() > longest->words.size()) longest = &command;
  }
  if (longest == nullptr) return candidates;
  const auto rest = finished.begin() + static_cast<std::ptrdiff_t>(longest->words.size());
  for (const Candidate& value : complete_values(*longest, {rest, finished.end()}, prefix, names)) {
    add(candidates, prefix, value.text, value.help);
  }
  return candidates;
}

}  // namespace masugata::cli
