// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/commands/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace masugata::cli {
namespace {

bool begins_with(const Command& command, const std::vector<std::string>& words, size_t count) {
  if (count > command.words.size()) return false;
  return std::equal(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count),
                    command.words.begin());
}

// The words that may stand after the first `count` words.
std::vector<std::string_view> next_words(const std::vector<std::string>& words, size_t count) {
  std::vector<std::string_view> result;
  for (const Command& command : all_commands()) {
    if (!begins_with(command, words, count) || command.words.size() <= count) continue;
    const std::string_view word = command.words[count];
    if (std::find(result.begin(), result.end(), word) == result.end()) result.push_back(word);
  }
  return result;
}

std::string joined(const std::vector<std::string_view>& words, const char* separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

tl::unexpected<Fault> unknown_word(const std::string& word,
                                   const std::vector<std::string_view>& candidates,
                                   const std::string& what) {
  const std::string_view guess = nearest(word, candidates);
  if (!guess.empty()) {
    return failure("", fmt::format("there is no {} '{}': did you mean '{}'?", what, word, guess));
  }
  return failure("", fmt::format("there is no {} '{}': {}", what, word, joined(candidates, ", ")));
}

Result<const Command*> find_command(const std::vector<std::string>& words) {
  for (size_t count = 0;; ++count) {
    const auto candidates = next_words(words, count);
    const bool goes_on = count < words.size() && std::find(candidates.begin(), candidates.end(),
                                                           words[count]) != candidates.end();
    // `show ips` is a command and the beginning of others.
    if (goes_on) continue;
    const Command* complete = nullptr;
    for (const Command& command : all_commands()) {
      if (command.words.size() == count && begins_with(command, words, count)) complete = &command;
    }
    const bool takes_more =
        complete != nullptr && (!complete->positionals.empty() || !complete->options.empty());
    if (complete != nullptr && (count == words.size() || takes_more || candidates.empty())) {
      return complete;
    }
    const std::string so_far = fmt::format(
        "{}", fmt::join(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count), " "));
    if (count == words.size()) {
      return failure("", fmt::format("'masugata {}' needs one more word: {}", so_far,
                                     joined(candidates, ", ")));
    }
    return unknown_word(words[count], candidates,
                        count == 0 ? "command" : "'" + so_far + "' command");
  }
}

Status add_options(Invocation& invocation, const std::vector<std::string>& words, size_t index) {
  const Command& command = *invocation.command;
  std::vector<std::string_view> keywords;
  for (const Option& option : command.options) keywords.push_back(option.keyword);
  std::set<std::string> given;
  for (; index < words.size(); index += 2) {
    const std::string& keyword = words[index];
    if (keywords.empty()) {
      return failure("", fmt::format("'{}' is one word too many: {}", keyword, usage_of(command)));
    }
    const auto found = std::find(keywords.begin(), keywords.end(), keyword);
    if (found == keywords.end()) return unknown_word(keyword, keywords, "option");
    const Option& option = command.options[static_cast<size_t>(found - keywords.begin())];
    if (!given.insert(keyword).second) {
      return failure("", fmt::format("'{}' is given twice", keyword));
    }
    if (index + 1 >= words.size()) {
      return failure("", fmt::format("'{}' needs {}", keyword, description(option.kind)));
    }
    const auto added =
        add_value(invocation.parameters, option.kind, option.parameter, words[index + 1]);
    if (!added) return failure("", keyword + ": " + added.error().what);
  }
  return {};
}

// Insertions, deletions, replacements and swapped neighbours, which are what fingers do wrong.
size_t edit_distance(std::string_view left, std::string_view right) {
  const size_t width = right.size() + 1;
  std::vector<size_t> cells((left.size() + 1) * width);
  const auto at = [&cells, width](size_t line, size_t column) -> size_t& {
    return cells[line * width + column];
  };
  for (size_t line = 0; line <= left.size(); ++line) at(line, 0) = line;
  for (size_t column = 0; column <= right.size(); ++column) at(0, column) = column;
  for (size_t line = 1; line <= left.size(); ++line) {
    for (size_t column = 1; column <= right.size(); ++column) {
      const size_t replaced =
          at(line - 1, column - 1) + (left[line - 1] == right[column - 1] ? 0 : 1);
      size_t best = std::min({at(line - 1, column) + 1, at(line, column - 1) + 1, replaced});
      if (line > 1 && column > 1 && left[line - 1] == right[column - 2] &&
          left[line - 2] == right[column - 1]) {
        best = std::min(best, at(line - 2, column - 2) + 1);
      }
      at(line, column) = best;
    }
  }
  return at(left.size(), right.size());
}

// `show vpn osaka why` is how it is said; `show vpn why osaka` is how commands are found. So is
// `request vpn osaka probe`, behind which a host may stand.
std::vector<std::string> with_question_first(std::vector<std::string> words) {
  if (words.size() < 4 || words[1] != "vpn") return words;
  const bool asks =
      words.size() == 4 && words[0] == "show" && words[3] == "why" && words[2] != "why";
  const bool measures = words[0] == "request" && words[3] == "probe" && words[2] != "probe";
  if (asks || measures) std::swap(words[2], words[3]);
  return words;
}

std::string option_lines(const Command& command) {
  std::string text;
  for (const Positional& positional : command.positionals) {
    text += fmt::format("    {:<26} {}\n", positional.name, positional.help);
  }
  for (const Option& option : command.options) {
    text +=
        fmt::format("    {:<26} {}\n",
                    fmt::format("{} {}", option.keyword, placeholder(option.kind)), option.help);
  }
  return text;
}

}  // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  const size_t allowed = word.size() >= 5 ? 2 : 1;
  std::string_view best;
  size_t best_distance = allowed + 1;
  for (const std::string_view candidate : candidates) {
    // A beginning is a likelier intention than a typing error.
    if (word.size() >= 2 && candidate.substr(0, word.size()) == word) return candidate;
    if (word.size() > candidate.size() + allowed) continue;
    const size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

Result<Invocation> parse_command(const std::vector<std::string>& typed) {
  const std::vector<std::string> words = with_question_first(typed);
  const auto command = find_command(words);
  if (!command) return tl::unexpected(command.error());
  Invocation invocation;
  invocation.command = *command;
  size_t index = (*command)->words.size();
  // `help` takes the words of another command; `replay`, `scan`, `pki` those of another program.
  const Action action = (*command)->action;
  if (action == Action::Help || action == Action::Replay || action == Action::Scan ||
      action == Action::Pki) {
    return invocation;
  }
  for (const Positional& positional : (*command)->positionals) {
    if (index >= words.size()) {
      if (!positional.required) break;
      return failure("", fmt::format("{} is missing: {}", positional.name, usage_of(**command)));
    }
    const auto added =
        add_value(invocation.parameters, positional.kind, positional.parameter, words[index]);
    if (!added) return failure("", fmt::format("{}: {}", positional.name, added.error().what));
    ++index;
    if (!positional.repeated) continue;
    nlohmann::json& list = invocation.parameters[std::string(positional.parameter)];
    list = nlohmann::json::array({list});
    for (; index < words.size(); ++index) list.push_back(words[index]);
  }
  if (const auto added = add_options(invocation, words, index); !added) {
    return tl::unexpected(added.error());
  }
  if (invocation.parameters.contains("from_zone") && invocation.parameters.contains("interface")) {
    return failure("", "give from-zone or interface, not both");
  }
  return invocation;
}

std::string usage_of(const Command& command) {
  std::string text = "masugata " + joined(command.words, " ");
  for (const Positional& positional : command.positionals) {
    text += positional.required ? fmt::format(" {}", positional.name)
                                : fmt::format(" [{}]", positional.name);
  }
  for (const Option& option : command.options) {
    text += fmt::format(" [{} {}]", option.keyword, placeholder(option.kind));
  }
  return text;
}

std::string help_text() {
  std::string text =
      "masugata [OPTIONS] COMMAND...\n\n"
      "Commands:\n";
  std::vector<std::pair<std::string, std::string_view>> lines;
  size_t width = 0;
  for (const Command& command : all_commands()) {
    std::string left = joined(command.words, " ");
    for (const Positional& positional : command.positionals) {
      left += positional.required ? fmt::format(" {}", positional.name)
                                  : fmt::format(" [{}]", positional.name);
    }
    if (!command.options.empty()) left += " [...]";
    width = std::max(width, left.size());
    lines.emplace_back(std::move(left), command.help);
  }
  for (const auto& [left, help] : lines) text += fmt::format("  {:<{}}  {}\n", left, width, help);
  text +=
      "\nOptions:\n"
      "  --control-socket PATH   talk to the gateway here (also MASUGATA_CONTROL_SOCKET;\n"
      "                          /run/masugata/control.sock)\n"
      "  --json                  print answers as JSON\n"
      "  --help, --version\n"
      "\n'masugata help COMMAND' lists what may follow a command.\n"
      "Exit status: 0 done, 1 a problem was reported, 2 wrong usage, 3 no gateway to talk to.\n";
  return text;
}

std::string help_about(const std::vector<std::string>& words) {
  std::string text;
  for (const Command& command : all_commands()) {
    if (!begins_with(command, words, words.size())) continue;
    if (!text.empty()) text += "\n";
    text += fmt::format("masugata {}: {}\n", joined(command.words, " "), command.help);
    text += option_lines(command);
  }
  return text;
}

}  // namespace masugata::cli
