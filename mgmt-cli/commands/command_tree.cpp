// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/commands/command_tree.h"

#include <algorithm>

#include "mgmt-cli/commands/antivirus_commands.h"
#include "mgmt-cli/commands/vpn_commands.h"
#include "mgmt-cli/commands/vpn_why_commands.h"

namespace masugata::cli {
namespace {

std::vector<Option> packet_options() {
  return {
      {"source", ValueKind::Addresses, "source", "address that the connection comes from"},
      {"destination", ValueKind::Addresses, "destination", "address that it goes to"},
      {"source-port", ValueKind::Port, "source_port", "port that it comes from"},
      {"destination-port", ValueKind::Port, "destination_port", "port that it goes to"},
      {"protocol", ValueKind::Protocol, "protocol", "protocol"},
      {"zone", ValueKind::Zone, "zone", "zone on either side"},
      {"interface", ValueKind::Interface, "interface", "interface on either side"},
  };
}

std::vector<Option> session_options() {
  auto options = packet_options();
  options.push_back({"rule", ValueKind::Rule, "rule", "policy rule that permitted it"});
  options.push_back({"state", ValueKind::State, "state", "state of the session"});
  options.push_back({"application", ValueKind::Application, "application",
                     "application that was recognised in it"});
  options.push_back({"limit", ValueKind::Count, "limit", "show at most so many (50)"});
  return options;
}

std::vector<Option> trace_options() {
  auto options = packet_options();
  options.push_back({"limit", ValueKind::Count, "limit", "end after so many packets (100)"});
  return options;
}

Command show(std::string_view what, std::string_view method, std::string_view help,
             std::vector<Option> options = {}) {
  return {{"show", what}, help, Action::Call, method, {}, std::move(options)};
}

// Intrusion prevention.
std::vector<Command> ips_questions() {
  const std::vector<Option> limit = {
      {"limit", ValueKind::Count, "limit", "show at most so many (50)"}};
  return {
      show("applications", "show.applications", "how recognising applications and host names goes"),
      show("ips", "show.ips", "intrusion prevention: profiles, their rules, what was inspected"),
      {{"show", "ips", "rules"},
       "rule files and the rules that did not load",
       Action::Call,
       "show.ips.rules",
       {},
       limit},
      {{"show", "ips", "rule"},
       "one rule: its text, its action in each profile, its hits and cost",
       Action::Call,
       "show.ips.rule",
       {{"SID", ValueKind::Sid, "sid", "signature id"}},
       {}},
      {{"show", "ips", "hits"},
       "rules that matched, with alerts and the last time",
       Action::Call,
       "show.ips.hits",
       {},
       limit},
      {{"show", "ips", "exceptions"},
       "exceptions of the profiles: how often each held, when it ends",
       Action::Call,
       "show.ips.exceptions",
       {},
       limit},
      {{"show", "ips", "profile"},
       "what rules cost, counted while profiling is on",
       Action::Call,
       "show.ips.profile",
       {},
       limit},
  };
}

std::vector<Command> ips_actions() {
  return {
      {{"ips", "reload"},
       "read the rule files again, in the background",
       Action::Call,
       "ips.reload",
       {},
       {}},
      {{"ips", "profiling"},
       "count what each rule costs; slows inspection down",
       Action::Call,
       "ips.profiling",
       {{"on|off", ValueKind::Switch, "switch", "on starts the counts at zero"}},
       {}},
      {{"ips", "test"},
       "check rule files without touching the gateway",
       Action::TestRules,
       "",
       {{"FILE...", ValueKind::File, "files", "rule files", true, true}},
       {}},
      {{"replay"},
       "run captures through the inspection engine (masugata-replay)",
       Action::Replay,
       "",
       {{"ARGUMENTS...", ValueKind::File, "arguments", "as masugata-replay --help says", false,
         true}},
       {}},
      {{"scan"},
       "scan files of this machine for malware (masugata-scand)",
       Action::Scan,
       "",
       {{"ARGUMENTS...", ValueKind::File, "arguments",
         "files, directories, options as masugata-scand --help says", false, true}},
       {}},
      {{"pki"},
       "certificates for tunnels: own CA, requests, revocation (masugata-pki)",
       Action::Pki,
       "",
       {{"ARGUMENTS...", ValueKind::File, "arguments", "as masugata pki help says", false, true}},
       {}},
  };
}

Command support_archive() {
  return {
      {"request", "support", "archive"},
      "put what helpers from afar ask for into one file, without secrets",
      Action::Support,
      "",
      {{"FILE", ValueKind::File, "file", "a new file; one named by the time unless given", false}},
      {}};
}

std::vector<Command> main_commands() {
  const std::vector<Option> limit = {
      {"limit", ValueKind::Count, "limit", "show at most so many (1000)"}};
  return {
      {{"check"},
       "check a configuration file without touching the gateway",
       Action::Check,
       "",
       {{"FILE", ValueKind::File, "file", "configuration file"}},
       {}},
      {{"reload"},
       "read the configuration again and put it into force",
       Action::Reload,
       "reload",
       {{"FILE", ValueKind::File, "file", "another configuration file", false}},
       {}},
      show("system", "show.system", "version, workers, memory and the last reload"),
      show("interfaces", "show.interfaces", "ports, VLANs, addresses and their counters"),
      show("zones", "show.zones", "zones, their interfaces and sessions"),
      show("sessions", "show.sessions", "live sessions, filtered", session_options()),
      show("policy", "show.policy", "policy rules with their hits"),
      show("nat", "show.nat", "translation rules with their hits, pools with their usage"),
      show("routes", "show.routes", "routes in use", limit),
      show("neighbours", "show.neighbours", "neighbours and their MAC addresses", limit),
      show("drops", "show.drops", "why packets were dropped, with explanations"),
      {{"monitor", "trace"},
       "follow packets through the stages until interrupted",
       Action::Monitor,
       "monitor.trace",
       {},
       trace_options()},
      {{"explain"},
       "what a new connection would meet: route, NAT, rule",
       Action::Call,
       "explain",
       {{"PROTOCOL", ValueKind::Transport, "protocol", "tcp, udp, icmp, icmpv6 or sctp"},
        {"FROM[:PORT]", ValueKind::Endpoint, "source", "client"},
        {"TO[:PORT]", ValueKind::Endpoint, "destination", "server"}},
       {{"from-zone", ValueKind::Zone, "from_zone", "zone that it comes from"},
        {"interface", ValueKind::Interface, "interface", "interface that it comes in by"},
        {"application", ValueKind::Application, "application", "what it turns out to carry"},
        {"domain", ValueKind::Domain, "domain", "host name that it turns out to be for"}}},
      {{"clear", "counters"},
       "start all counters again at zero",
       Action::Call,
       "clear.counters",
       {},
       {}},
      {{"clear", "ips", "hits"},
       "start the hits of IPS rules again at zero",
       Action::Call,
       "clear.ips.hits",
       {},
       {}},
      {{"version"}, "version of this program", Action::Version, "", {}, {}},
      {{"help"}, "this text", Action::Help, "", {}, {}},
  };
}

// `more` in front of the first command that begins with `word`.
void insert_before(std::vector<Command>& commands, std::string_view word,
                   const std::vector<Command>& more) {
  const auto place = std::find_if(commands.begin(), commands.end(), [word](const Command& command) {
    return command.words.front() == word;
  });
  commands.insert(place, more.begin(), more.end());
}

std::vector<Command> make_commands() {
  std::vector<Command> commands = main_commands();
  insert_before(commands, "monitor", ips_questions());
  insert_before(commands, "monitor", antivirus_questions());
  insert_before(commands, "monitor", vpn_questions());
  insert_before(commands, "monitor", vpn_why_questions());
  insert_before(commands, "explain", {vpn_monitor()});
  insert_before(commands, "version", antivirus_actions());
  insert_before(commands, "version", vpn_actions());
  insert_before(commands, "version", {support_archive()});
  insert_before(commands, "version", ips_actions());
  return commands;
}

}  // namespace

const std::vector<Command>& all_commands() {
  static const std::vector<Command> commands = make_commands();
  return commands;
}

const std::vector<TopWord>& top_words() {
  static const std::vector<TopWord> words = {
      {"check", "check a configuration file"},
      {"reload", "put the configuration into force"},
      {"show", "show the state of the gateway"},
      {"monitor", "watch until interrupted"},
      {"explain", "say what a new connection would meet"},
      {"clear", "start counters again; harmless"},
      {"request",
       "antivirus: signatures, quarantine, scan jobs; tunnels: up, down, new keys; support "
       "archive"},
      {"ips", "rules of intrusion prevention: reload, test, profiling"},
      {"replay", "run captures through the inspection engine"},
      {"scan", "scan files of this machine for malware"},
      {"pki", "certificates for tunnels"},
      {"version", "version of this program"},
      {"help", "list the commands"},
  };
  return words;
}

std::string_view placeholder(ValueKind kind) {
  switch (kind) {
    case ValueKind::File:
      return "FILE";
    case ValueKind::Addresses:
      return "ADDRESSES";
    case ValueKind::Port:
      return "PORT";
    case ValueKind::Protocol:
    case ValueKind::Transport:
      return "PROTOCOL";
    case ValueKind::Zone:
      return "ZONE";
    case ValueKind::Interface:
      return "INTERFACE";
    case ValueKind::Rule:
      return "RULE";
    case ValueKind::Application:
      return "APPLICATION";
    case ValueKind::Domain:
      return "DOMAIN";
    case ValueKind::State:
      return "STATE";
    case ValueKind::Count:
      return "COUNT";
    case ValueKind::Endpoint:
      return "ADDRESS:PORT";
    case ValueKind::Sid:
      return "SID";
    case ValueKind::Switch:
      return "on|off";
    case ValueKind::StartStop:
      return "start|stop";
    case ValueKind::Reference:
      return "REFERENCE";
    case ValueKind::Site:
      return "SITE";
    case ValueKind::TunnelAction:
      return "up|down|rekey";
    case ValueKind::Text:
      return "TEXT";
    case ValueKind::Keyword:
      return "WORD";
  }
  return "VALUE";
}

std::string_view description(ValueKind kind) {
  switch (kind) {
    case ValueKind::File:
      return "a file";
    case ValueKind::Addresses:
      return "an address (10.0.1.10), prefix (10.0.1.0/24) or range (10.0.1.1-10.0.1.9)";
    case ValueKind::Port:
      return "a port number from 0 to 65535";
    case ValueKind::Protocol:
      return "tcp, udp, icmp, icmpv6, sctp, gre, esp, ah or a number from 0 to 255";
    case ValueKind::Transport:
      return "tcp, udp, icmp, icmpv6 or sctp";
    case ValueKind::Zone:
      return "the name of a zone";
    case ValueKind::Interface:
      return "the name of an interface";
    case ValueKind::Rule:
      return "the name of a policy rule";
    case ValueKind::Application:
      return "an application that is recognised, for example bittorrent";
    case ValueKind::Domain:
      return "a host name, for example www.example.com";
    case ValueKind::State:
      return "a session state, as `show sessions` prints it";
    case ValueKind::Count:
      return "a number from 1 to 10000";
    case ValueKind::Endpoint:
      return "ADDRESS:PORT, an IPv6 address in brackets: [2001:db8::1]:443";
    case ValueKind::Sid:
      return "a signature id, a number from 1 to 4294967295";
    case ValueKind::Switch:
      return "on or off";
    case ValueKind::StartStop:
      return "start or stop";
    case ValueKind::Reference:
      return "a reference, the number that log and block page show";
    case ValueKind::Site:
      return "the name of a site under vpn in the configuration";
    case ValueKind::TunnelAction:
      return "up, down or rekey";
    case ValueKind::Text:
      return "a text";
    case ValueKind::Keyword:
      return "the word that belongs here";
  }
  return "a value";
}

}  // namespace masugata::cli
