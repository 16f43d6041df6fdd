// SPDX-License-Identifier: GPL-2.0-or-later
// Every command as data. Parsing, help, completion and later the interactive shell read this one
// table; nothing else knows the words of the command line.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace masugata::cli {

// What a word of the command line may be.
enum class ValueKind : uint8_t {
  File,
  Addresses,  // address, prefix or range
  Port,
  Protocol,
  Transport,  // a protocol that explain knows: tcp, udp, icmp, icmpv6, sctp
  Zone,
  Interface,
  Rule,
  State,
  Count,     // 1 to 10,000
  Endpoint,  // 10.0.0.1:80, [2001:db8::1]:80, without a port where it is optional
  Sid,       // of an IPS rule
  Switch,    // on or off
  StartStop,
  Application,
  Domain,
  Reference,  // of an event of antivirus
  Site,       // a tunnel to another office
  TunnelAction,
  Text,
  Keyword,  // the parameter's own name, which only stands there
};

// A value by its position: `check FILE`.
struct Positional {
  std::string_view name;  // as help shows it: "FILE"
  ValueKind kind;
  std::string_view parameter;  // of the request; endpoints add "_port"
  std::string_view help;
  bool required = true;
  bool repeated = false;  // the last one may be: one or more, a list in the request
};

// A value behind a keyword, in any order, each at most once: `source 10.0.1.0/24`.
struct Option {
  std::string_view keyword;
  ValueKind kind;
  std::string_view parameter;
  std::string_view help;
};

// What the dispatcher does with a command.
enum class Action : uint8_t {
  Check,
  Call,  // one request, its answer is shown
  Reload,
  Release,    // an object of the quarantine, into a file
  Monitor,    // a stream until the end or an interrupt
  TestRules,  // by another program
  Replay,     // by another program, with all words that follow as they are
  Scan,       // the same, another program
  Pki,        // the same, another program
  Support,    // an archive of what the gateway and the machine say
  Version,
  Help,
};

struct Command {
  std::vector<std::string_view> words;  // "show", "sessions"
  std::string_view help;
  Action action;
  std::string_view method;  // of the control socket; empty when none is called
  std::vector<Positional> positionals;
  std::vector<Option> options;
};

// In the order of the help text.
[[nodiscard]] const std::vector<Command>& all_commands();

// The first words with their one-line help, each once, in the same order.
struct TopWord {
  std::string_view word;
  std::string_view help;
};
[[nodiscard]] const std::vector<TopWord>& top_words();

// How help names a value of this kind: "PREFIX", "PORT"...
[[nodiscard]] std::string_view placeholder(ValueKind kind);
// What would be accepted, for messages: "an address, prefix or range".
[[nodiscard]] std::string_view description(ValueKind kind);

}  // namespace masugata::cli
