// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/rules/rule_set.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <unordered_map>

#include "ids/rules/header_reader.h"
#include "ids/rules/keyword.h"
#include "ids/rules/option_splitter.h"
#include "ids/rules/rule_completion.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

constexpr size_t kMaximumRules = 1'000'000;
constexpr size_t kMaximumRuleBytes = 64 * 1024;

// Reads rule after rule into the set; remembers which sid is where.
class SetReader {
 public:
  SetReader(RuleSet& set, const RuleEnvironment& environment)
      : set_(set), builder_(set, environment) {}

  void read_text(const RuleText& text) {
    const auto file = static_cast<uint32_t>(set_.files.size());
    set_.files.push_back(text.file);
    const auto lines = static_cast<size_t>(std::count(text.text.begin(), text.text.end(), '\n'));
    set_.rules.reserve(std::min(set_.rules.size() + lines + 1, kMaximumRules));
    places_.reserve(set_.rules.capacity());
    for_each_rule_line(text.text, [this, file](const RuleLine& line) {
      if (line.disabled) {
        ++set_.disabled;
      } else {
        read_line(file, line);
      }
    });
  }

  // Takes replaced rules out.
  void finish() {
    std::erase_if(set_.rules, [](const Rule& rule) { return rule.sid == 0; });
  }

 private:
  void read_line(uint32_t file, const RuleLine& line) {
    RuleDraft draft(builder_);
    draft.rule.file = file;
    draft.rule.line = line.number;
    if (line.text.size() > kMaximumRuleBytes) {
      report(draft.rule, "header", {"is part of a rule longer than 64 KiB", false});
      return;
    }
    if (set_.rules.size() >= kMaximumRules) {
      report(draft.rule, "header", {"is that of one rule too many (at most 1,000,000)", false});
      return;
    }
    draft.rule.text = std::string(line.text);
    const auto parts = split_rule(line.text);
    if (!parts) {
      report(draft.rule, "header", parts.error());
      return;
    }
    if (read_parts(draft, *parts)) keep(std::move(draft.rule));
  }

  bool read_parts(RuleDraft& draft, const RuleParts& parts) {
    if (auto done = read_header(draft, parts.header); !done) {
      note_sid(draft, parts);
      report(draft.rule, "header", done.error());
      return false;
    }
    for (const RuleOption& option : parts.options) {
      if (auto done = read_option(draft, option.name, option.value, option.has_value); !done) {
        note_sid(draft, parts);
        report(draft.rule, option.name, done.error());
        return false;
      }
    }
    std::string keyword;
    if (auto done = complete_rule(draft, keyword); !done) {
      report(draft.rule, keyword, done.error());
      return false;
    }
    return true;
  }

  // A problem before the sid was read still names it.
  static void note_sid(RuleDraft& draft, const RuleParts& parts) {
    for (const RuleOption& option : parts.options) {
      if (option.name != "sid") continue;
      if (const auto sid = parse_unsigned(unquoted(option.value), UINT32_MAX)) {
        draft.rule.sid = static_cast<uint32_t>(*sid);
      }
    }
  }

  void report(const Rule& rule, std::string_view keyword, const KeywordFault& fault) {
    set_.problems.push_back({set_.files[rule.file], rule.line, rule.sid, std::string(keyword),
                             fault.reason, fault.unsupported});
  }

  void keep(Rule rule) {
    const uint64_t key = uint64_t{rule.gid} << 32U | rule.sid;
    const auto [place, is_new] = places_.emplace(key, set_.rules.size());
    if (!is_new) {
      Rule& earlier = set_.rules[place->second];
      if (rule.revision <= earlier.revision) {
        report(rule, "sid",
               {"stands already at " + set_.files[earlier.file] + ":" +
                    std::to_string(earlier.line) + " with the same or a later revision",
                false});
        return;
      }
      earlier.sid = 0;  // taken out in the end: positions must not move now
      place->second = set_.rules.size();
    }
    set_.rules.push_back(std::move(rule));
  }

  RuleSet& set_;
  SetBuilder builder_;
  std::unordered_map<uint64_t, size_t> places_;  // gid and sid -> index into the rules
};

}  // namespace

RuleEnvironment RuleEnvironment::defaults() {
  RuleEnvironment environment;
  environment.address_variables = {
      {"HOME_NET", "any"},
      {"EXTERNAL_NET", "any"},
      {"HTTP_SERVERS", "$HOME_NET"},
      {"SMTP_SERVERS", "$HOME_NET"},
      {"SQL_SERVERS", "$HOME_NET"},
      {"DNS_SERVERS", "$HOME_NET"},
      {"TELNET_SERVERS", "$HOME_NET"},
      {"AIM_SERVERS", "$EXTERNAL_NET"},
      {"DC_SERVERS", "$HOME_NET"},
      {"DNP3_SERVER", "$HOME_NET"},
      {"DNP3_CLIENT", "$HOME_NET"},
      {"MODBUS_CLIENT", "$HOME_NET"},
      {"MODBUS_SERVER", "$HOME_NET"},
      {"ENIP_CLIENT", "$HOME_NET"},
      {"ENIP_SERVER", "$HOME_NET"},
      {"FTP_SERVERS", "$HOME_NET"},
      {"SSH_SERVERS", "$HOME_NET"},
      {"SIP_SERVERS", "$HOME_NET"},
  };
  environment.port_variables = {
      {"HTTP_PORTS", "80"},
      {"SHELLCODE_PORTS", "!80"},
      {"ORACLE_PORTS", "1521"},
      {"SSH_PORTS", "22"},
      {"DNP3_PORTS", "20000"},
      {"MODBUS_PORTS", "502"},
      {"FILE_DATA_PORTS", "[$HTTP_PORTS,110,143]"},
      {"FTP_PORTS", "21"},
      {"GENEVE_PORTS", "6081"},
      {"VXLAN_PORTS", "4789"},
      {"TEREDO_PORTS", "3544"},
      {"SIP_PORTS", "[5060,5061]"},
  };
  return environment;
}

RuleSet read_rules(const std::vector<RuleText>& texts, const RuleEnvironment& environment) {
  RuleSet set;
  SetReader reader(set, environment);
  for (const RuleText& text : texts) reader.read_text(text);
  reader.finish();
  if (!environment.threshold_text.empty()) {
    apply_threshold_text(set, "threshold.config", environment.threshold_text,
                         environment.address_variables);
  }
  return set;
}

Result<RuleSet> load_rule_files(const std::vector<std::string>& paths,
                                const RuleEnvironment& environment) {
  std::vector<RuleText> texts;
  for (const std::string& path : paths) {
    std::ifstream file(path, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file.is_open() || file.bad()) {
      return failure(path, std::string("cannot be read: ") + std::strerror(errno));
    }
    texts.push_back({path, std::move(content)});
  }
  return read_rules(texts, environment);
}

}  // namespace masugata::ids
