// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/commands/command_line.h"

#include <gtest/gtest.h>

#include <set>

namespace masugata::cli {
namespace {

using Words = std::vector<std::string>;

nlohmann::json parameters_of(const Words& words) {
  const auto parsed = parse_command(words);
  EXPECT_TRUE(parsed) << parsed.error().what;
  return parsed ? parsed->parameters : nlohmann::json();
}

std::string complaint_about(const Words& words) {
  const auto parsed = parse_command(words);
  return parsed ? "none" : parsed.error().what;
}

TEST(ParseCommand, FindsEveryCommandOfTheTable) {
  for (const Command& command : all_commands()) {
    Words words(command.words.begin(), command.words.end());
    for (const Positional& positional : command.positionals) {
      if (!positional.required) continue;
      switch (positional.kind) {
        case ValueKind::Transport:
          words.emplace_back("tcp");
          break;
        case ValueKind::Sid:
          words.emplace_back("2000001");
          break;
        case ValueKind::StartStop:
          words.emplace_back("start");
          break;
        case ValueKind::TunnelAction:
          words.emplace_back("up");
          break;
        case ValueKind::Switch:
          words.emplace_back("on");
          break;
        case ValueKind::Reference:
          words.emplace_back("1000000007");
          break;
        case ValueKind::Keyword:
          words.emplace_back(positional.name);
          break;
        default:
          words.emplace_back("10.0.0.1:1");
      }
    }
    const auto parsed = parse_command(words);
    ASSERT_TRUE(parsed) << parsed.error().what;
    EXPECT_EQ(parsed->command, &command);
  }
}

TEST(ParseCommand, ReadsASessionFilter) {
  EXPECT_EQ(parameters_of({"show", "sessions", "source", "10.0.1.0/24", "destination-port", "443",
                           "protocol", "tcp", "zone", "lan", "rule", "web", "state", "established",
                           "limit", "50"}),
            nlohmann::json({{"source", "10.0.1.0/24"},
                            {"destination_port", 443},
                            {"protocol", "tcp"},
                            {"zone", "lan"},
                            {"rule", "web"},
                            {"state", "established"},
                            {"limit", 50}}));
}

TEST(ParseCommand, ACommandMayBeTheBeginningOfOthers) {
  EXPECT_EQ(parse_command({"show", "ips"})->command->method, "show.ips");
  EXPECT_EQ(parse_command({"show", "ips", "hits"})->command->method, "show.ips.hits");
  EXPECT_EQ(parameters_of({"show", "ips", "rules", "limit", "7"}), nlohmann::json({{"limit", 7}}));
  EXPECT_EQ(parameters_of({"show", "ips", "rule", "4294967295"}),
            nlohmann::json({{"sid", 4294967295U}}));
  EXPECT_EQ(complaint_about({"show", "ips", "hist"}),
            "there is no 'show ips' command 'hist': did you mean 'hits'?");
  EXPECT_EQ(complaint_about({"show", "ips", "rule", "0"}),
            "SID: '0' is not a signature id, a number from 1 to 4294967295");
  EXPECT_EQ(complaint_about({"ips"}),
            "'masugata ips' needs one more word: reload, profiling, test");
}

TEST(ParseCommand, ReadsSwitchesAndSeveralFiles) {
  EXPECT_EQ(parameters_of({"ips", "profiling", "off"}), nlohmann::json({{"switch", "off"}}));
  EXPECT_EQ(complaint_about({"ips", "profiling", "yes"}), "on|off: 'yes' is not on or off");
  EXPECT_EQ(parameters_of({"ips", "test", "a.rules", "b.rules"}),
            nlohmann::json({{"files", {"a.rules", "b.rules"}}}));
  EXPECT_EQ(parameters_of({"ips", "test", "a.rules"}), nlohmann::json({{"files", {"a.rules"}}}));
  EXPECT_EQ(complaint_about({"ips", "test"}), "FILE... is missing: masugata ips test FILE...");
}

TEST(ParseCommand, ReadsEndpointsOfBothFamilies) {
  EXPECT_EQ(parameters_of({"explain", "tcp", "10.0.1.10:40000", "198.51.100.2:80"}),
            nlohmann::json({{"protocol", "tcp"},
                            {"source", "10.0.1.10"},
                            {"source_port", 40000},
                            {"destination", "198.51.100.2"},
                            {"destination_port", 80}}));
  EXPECT_EQ(
      parameters_of({"explain", "udp", "2001:db8::1", "[2001:db8::2]:53", "from-zone", "lan"}),
      nlohmann::json({{"protocol", "udp"},
                      {"source", "2001:db8::1"},
                      {"destination", "2001:db8::2"},
                      {"destination_port", 53},
                      {"from_zone", "lan"}}));
  for (const char* wrong :
       {"10.0.1.10:", "10.0.1.10:65536", "10.0.1.10:x", "[2001:db8::1", "host:80",
        "[2001:db8::1]80", "[2001:db8::1]:", "", ":80", "10.0.1.0/24"}) {
    EXPECT_NE(complaint_about({"explain", "tcp", wrong, "10.0.0.1:1"}).find("is not ADDRESS:PORT"),
              std::string::npos)
        << wrong;
  }
}

TEST(ParseCommand, SuggestsTheNearestWord) {
  EXPECT_EQ(complaint_about({"shwo"}), "there is no command 'shwo': did you mean 'show'?");
  EXPECT_EQ(complaint_about({"reolad"}), "there is no command 'reolad': did you mean 'reload'?");
  EXPECT_EQ(complaint_about({"show", "session"}),
            "there is no 'show' command 'session': did you mean 'sessions'?");
  EXPECT_EQ(complaint_about({"show", "neigh"}),
            "there is no 'show' command 'neigh': did you mean 'neighbours'?");
  EXPECT_EQ(complaint_about({"show", "sessions", "sorce", "10.0.0.1"}),
            "there is no option 'sorce': did you mean 'source'?");
  EXPECT_EQ(complaint_about({"xyzzy"}),
            "there is no command 'xyzzy': check, reload, show, monitor, explain, clear, request, "
            "ips, replay, scan, pki, version, help");
}

TEST(ParseCommand, ReadsTheCommandsOfAntivirus) {
  EXPECT_EQ(parse_command({"show", "av"})->command->method, "show.av");
  EXPECT_EQ(parse_command({"show", "av", "quarantine"})->command->method, "show.av.quarantine");
  EXPECT_EQ(parse_command({"request", "av", "reload"})->command->method, "av.reload");
  EXPECT_EQ(parameters_of({"clear", "av", "blocked-urls", "example"}),
            nlohmann::json({{"text", "example"}}));
  EXPECT_EQ(parameters_of({"request", "av", "delete", "1000000007"}),
            nlohmann::json({{"reference", "1000000007"}}));
  EXPECT_EQ(parameters_of({"request", "av", "release", "1000000007", "to", "x.bin"}),
            nlohmann::json({{"reference", "1000000007"}, {"file", "x.bin"}}));
  EXPECT_EQ(complaint_about({"request", "av", "release", "1000000007", "x.bin"}),
            "to: 'x.bin' is not 'to'");
  EXPECT_EQ(complaint_about({"request", "av", "delete", "7x"}),
            "REFERENCE: '7x' is not a reference, the number that log and block page show");
}

TEST(ParseCommand, ReadsTheCommandsOfTunnels) {
  EXPECT_EQ(parse_command({"show", "vpn"})->command->method, "show.vpn");
  EXPECT_EQ(parameters_of({"show", "vpn", "osaka"}), nlohmann::json({{"site", "osaka"}}));
  EXPECT_EQ(parameters_of({"request", "vpn", "osaka", "rekey"}),
            nlohmann::json({{"site", "osaka"}, {"action", "rekey"}}));
  EXPECT_EQ(complaint_about({"request", "vpn", "osaka", "left"}),
            "up|down|rekey: 'left' is not up, down or rekey");
}

TEST(ParseCommand, AsksWhyATunnelIsDown) {
  EXPECT_EQ(parse_command({"show", "vpn", "osaka", "why"})->command->method, "show.vpn.why");
  EXPECT_EQ(parameters_of({"show", "vpn", "osaka", "why"}), nlohmann::json({{"site", "osaka"}}));
  EXPECT_EQ(parameters_of({"show", "vpn", "why"}), nlohmann::json::object());
  EXPECT_EQ(parse_command({"request", "vpn", "osaka", "probe"})->command->method, "vpn.probe");
  EXPECT_EQ(parameters_of({"request", "vpn", "osaka", "probe"}),
            nlohmann::json({{"site", "osaka"}}));
  EXPECT_EQ(parameters_of({"request", "vpn", "osaka", "probe", "10.20.0.5"}),
            nlohmann::json({{"site", "osaka"}, {"host", "10.20.0.5"}}));
  EXPECT_EQ(parameters_of({"monitor", "vpn", "osaka"}), nlohmann::json({{"site", "osaka"}}));
}

TEST(ParseCommand, SaysWhatIsMissingOrTooMuch) {
  EXPECT_EQ(complaint_about({"clear"}), "'masugata clear' needs one more word: counters, ips, av");
  EXPECT_EQ(complaint_about({"check"}), "FILE is missing: masugata check FILE");
  EXPECT_EQ(complaint_about({"show", "drops", "all"}),
            "'all' is one word too many: masugata show drops");
  EXPECT_EQ(complaint_about({"show", "sessions", "zone"}), "'zone' needs the name of a zone");
  EXPECT_EQ(complaint_about({"show", "sessions", "zone", "a", "zone", "b"}),
            "'zone' is given twice");
  EXPECT_EQ(complaint_about({"explain", "tcp", "10.0.0.1:1", "10.0.0.2:1", "from-zone", "lan",
                             "interface", "lan0"}),
            "give from-zone or interface, not both");
}

TEST(ParseCommand, ChecksValuesBeforeAskingTheGateway) {
  EXPECT_EQ(complaint_about({"show", "sessions", "limit", "0"}),
            "limit: '0' is not a number from 1 to 10000");
  EXPECT_EQ(complaint_about({"show", "sessions", "source-port", "70000"}),
            "source-port: '70000' is not a port number from 0 to 65535");
  EXPECT_EQ(complaint_about({"show", "sessions", "protocol", "256"}),
            "protocol: '256' is not tcp, udp, icmp, icmpv6, sctp, gre, esp, ah or a number from 0 "
            "to 255");
  EXPECT_EQ(complaint_about({"explain", "gre", "10.0.0.1", "10.0.0.2"}),
            "PROTOCOL: 'gre' is not tcp, udp, icmp, icmpv6 or sctp");
  EXPECT_NE(complaint_about({"monitor", "trace", "source", "10.0.0.300"}).find("is not an address"),
            std::string::npos);
}

TEST(CommandTable, HasNoWordTwice) {
  std::set<std::vector<std::string_view>> commands;
  for (const Command& command : all_commands()) {
    EXPECT_TRUE(commands.insert(command.words).second);
    std::set<std::string_view> options;
    for (const Option& option : command.options) {
      EXPECT_TRUE(options.insert(option.keyword).second) << option.keyword;
    }
  }
  std::set<std::string_view> first;
  for (const Command& command : all_commands()) first.insert(command.words[0]);
  EXPECT_EQ(first.size(), top_words().size());
  for (const TopWord& top : top_words()) EXPECT_EQ(first.count(top.word), 1U) << top.word;
}

TEST(Help, NamesEveryCommandAndOption) {
  const std::string all = help_text();
  for (const Command& command : all_commands()) {
    EXPECT_NE(all.find(command.help), std::string::npos) << command.help;
    const std::string one = help_about({command.words.begin(), command.words.end()});
    for (const Option& option : command.options) {
      EXPECT_NE(one.find(option.help), std::string::npos) << option.help;
    }
  }
  EXPECT_EQ(help_about({"show", "nothing"}), "");
  EXPECT_EQ(help_about({"clear", "counters"}),
            "masugata clear counters: start all counters again at zero\n");
}

}  // namespace
}  // namespace masugata::cli
