// SPDX-License-Identifier: GPL-2.0-or-later
// A scenario file, read: a gateway's configuration, what surrounds it, and what happens then.
// README.md in this folder is the language.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace masugata::test {

enum class StepKind : uint8_t {
  Send,             // frames in
  Burst,            // the frames of `body` (only Send) arrive in one burst
  Expect,           // the next frame out of a port
  ExpectNothing,    // no frame is left anywhere
  ExpectDrop,       // `number` packets were dropped for the reason `text`
  ExpectSession,    // a session like `text` exists
  ExpectNoSession,  // no session like `text` exists
  ExpectSessions,   // `number` sessions exist
  ExpectAlert,      // `number` alerts of the signature and fate `text`, "5 blocked"
  ExpectObject,     // `number` objects had the fate `text`, "infected answered Test.Virus"
  ExpectResolve,    // the gateway asked for the neighbour `text`
  Advance,          // `number` milliseconds pass
  Clock,            // it is the local time `text`, "2026-12-01 17:59"
  Network,          // a line of the network section: route, neighbour, link and their opposites
  Reload,           // `text` is the new configuration
  Scanner,          // the scanner does `text` from now on
  Rules,            // `text` are the IPS rules from the next reload on
  ReloadRefused,    // `text` is a configuration that must be refused
  Repeat,           // `body`, `number` times; `variable` counts from `start`
  IgnoreDrops,      // drops so far need no expectation
  IgnoreOutput,     // frames so far need no expectation
};

struct Step {
  StepKind kind = StepKind::Send;
  uint32_t line = 0;    // of the file, 1-based
  std::string port;     // Send, Expect
  bool kernel = false;  // Send, Expect: the kernel's side of the port
  std::string text;     // recipe, reason, session, configuration, network line
  uint64_t number = 1;
  std::string variable;
  uint64_t start = 0;
  std::vector<Step> body;
};

struct Scenario {
  std::string file;  // for messages
  std::string name;  // file name without ending, '-' as '_': a name that gtest takes
  std::string title;
  std::string configuration;  // topology and config sections, in the order written
  std::string rules;          // IPS rules, empty when there are none
  std::vector<Step> steps;    // the topology's network lines come first
};

}  // namespace masugata::test
