// SPDX-License-Identifier: GPL-2.0-or-later
// The command line of masugata-replay.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "dataplane/replay/replay_settings.h"
#include "ids/eve/eve_formatter.h"
#include "result/result.h"

namespace masugata::dataplane {

struct ReplayCommand {
  bool help = false;
  bool test_rules = false;  // read the rules and say what is wrong with them
  bool statistics = false;
  bool json_summary = false;
  std::vector<std::string> rule_files;
  std::vector<std::string> captures;
  std::string eve_file;  // empty: none
  std::string threshold_file;
  std::string classification_file;
  std::string reference_file;
  std::string data_folder;
  std::string cache_folder;   // of compiled plans
  std::string configuration;  // a gateway's: its `ips` section says which rules, and how
  std::string profile;        // of that section; empty: the first
  ReplaySettings settings;
  ids::EveOptions eve;
};

// `arguments` without the program's name. Fails with a sentence for the person at the terminal.
[[nodiscard]] Result<ReplayCommand> read_command_line(std::span<const char* const> arguments);

[[nodiscard]] const char* usage_text() noexcept;

}  // namespace masugata::dataplane
