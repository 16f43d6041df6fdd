// SPDX-License-Identifier: GPL-2.0-or-later
// From the words of the command line to a command and its request parameters.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "mgmt-cli/commands/command_tree.h"
#include "result/result.h"

namespace masugata::cli {

// A command with checked values.
struct Invocation {
  const Command* command = nullptr;  // of all_commands()
  nlohmann::json parameters = nlohmann::json::object();
};

// `words` without the program's name and its options. Faults are sentences for the person at the
// keyboard: what is wrong, what would be accepted and, for a mistyped word, the nearest one.
[[nodiscard]] Result<Invocation> parse_command(const std::vector<std::string>& words);

// Adds one value to `parameters` in the form that the protocol wants it.
[[nodiscard]] Status add_value(nlohmann::json& parameters, ValueKind kind,
                               std::string_view parameter, const std::string& text);

// One of `candidates` that `word` was probably meant to be; empty when none is near. Near means at
// most one edit for short words, two for words from five letters on.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       const std::vector<std::string_view>& candidates);

// "masugata show sessions [source ADDRESSES] [...]"
[[nodiscard]] std::string usage_of(const Command& command);
// Everything, as `masugata help` prints it.
[[nodiscard]] std::string help_text();
// One command or all commands that begin with `words`, with their options; empty when none does.
[[nodiscard]] std::string help_about(const std::vector<std::string>& words);

}  // namespace masugata::cli
