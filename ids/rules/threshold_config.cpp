// SPDX-License-Identifier: GPL-2.0-or-later
// threshold.config: limits and suppressions said outside the rules.
#include <algorithm>
#include <optional>
#include <unordered_map>

#include "ids/rules/header_groups.h"
#include "ids/rules/option_splitter.h"
#include "ids/rules/rule_set.h"
#include "ids/rules/text_reading.h"
#include "ids/rules/threshold_reading.h"

namespace masugata::ids {
namespace {

// "gen_id 1, sig_id 5, ..." with what is common to all lines taken out.
struct ConfigLine {
  uint32_t gid = 0;  // 0 = all
  uint32_t sid = 0;  // 0 = all
  std::vector<std::string_view> options;
};

// Commas inside [a,b] do not part options.
std::vector<std::string_view> split_config_options(std::string_view text) {
  std::vector<std::string_view> options;
  int nesting = 0;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[') ++nesting;
    if (text[i] == ']') --nesting;
    if (text[i] != ',' || nesting > 0) continue;
    options.push_back(trimmed(text.substr(begin, i - begin)));
    begin = i + 1;
  }
  options.push_back(trimmed(text.substr(begin)));
  return options;
}

Read<ConfigLine> read_config_line(std::string_view text) {
  ConfigLine line;
  bool has_gid = false;
  bool has_sid = false;
  for (const std::string_view option : split_config_options(text)) {
    std::string_view rest = option;
    const std::string_view word = take_word(rest);
    if (word != "gen_id" && word != "sig_id") {
      line.options.push_back(option);
      continue;
    }
    const auto number = read_number(rest, UINT32_MAX);
    if (!number) return tl::unexpected(number.error());
    (word == "gen_id" ? line.gid : line.sid) = static_cast<uint32_t>(*number);
    (word == "gen_id" ? has_gid : has_sid) = true;
  }
  if (!has_gid || !has_sid) return wrong("expects gen_id N, sig_id N");
  if (line.gid == 0 && line.sid != 0) return wrong("expects sig_id 0 with gen_id 0");
  return line;
}

template <class Change>
void for_each_rule_of(RuleSet& set, const ConfigLine& line, Change change) {
  for (Rule& rule : set.rules) {
    const bool same_group = line.gid == 0 || rule.gid == line.gid;
    if (same_group && (line.sid == 0 || rule.sid == line.sid)) change(rule);
  }
}

// A line for all rules does not replace what a rule or a line of its own says.
void set_threshold(Rule& rule, const Threshold& threshold, bool for_all) {
  const auto same_place = [&threshold](const Threshold& each) {
    return (each.kind == ThresholdKind::Rate) == (threshold.kind == ThresholdKind::Rate) &&
           each.kind != ThresholdKind::DetectionFilter;
  };
  const auto found = std::find_if(rule.thresholds.begin(), rule.thresholds.end(), same_place);
  if (found == rule.thresholds.end()) {
    rule.thresholds.push_back(threshold);
  } else if (!for_all) {
    *found = threshold;
  }
}

Outcome apply_threshold(RuleSet& set, const ConfigLine& line) {
  const auto threshold = read_threshold(line.options, ThresholdKind::None);
  if (!threshold) return tl::unexpected(threshold.error());
  for_each_rule_of(set, line, [&](Rule& rule) { set_threshold(rule, *threshold, line.sid == 0); });
  return {};
}

std::optional<RuleAction> find_action(std::string_view text) noexcept {
  if (text == "alert") return RuleAction::Alert;
  if (text == "drop") return RuleAction::Drop;
  if (text == "pass") return RuleAction::Pass;
  if (text == "reject") return RuleAction::RejectSource;
  return std::nullopt;
}

Outcome apply_rate_filter(RuleSet& set, const ConfigLine& line) {
  Threshold filter;
  std::vector<std::string_view> options;
  bool has_action = false;
  for (const std::string_view option : line.options) {
    std::string_view rest = option;
    const std::string_view word = take_word(rest);
    if (word == "new_action") {
      const auto action = find_action(rest);
      if (!action)
        return wrong("expects new_action alert, drop, pass or reject, not " + in_quotes(rest));
      filter.new_action = *action;
      has_action = true;
    } else if (word == "timeout") {
      const auto seconds = parse_seconds(rest);
      if (!seconds) return wrong("expects timeout SECONDS, not " + in_quotes(rest));
      filter.timeout_seconds = *seconds;
    } else {
      options.push_back(option);
    }
  }
  if (!has_action) return wrong("expects new_action");
  const auto limits = read_threshold(options, ThresholdKind::Rate);
  if (!limits) return tl::unexpected(limits.error());
  filter.kind = ThresholdKind::Rate;
  filter.track = limits->track;
  filter.count = limits->count;
  filter.seconds = limits->seconds;
  for_each_rule_of(set, line, [&](Rule& rule) { set_threshold(rule, filter, line.sid == 0); });
  return {};
}

Outcome apply_suppression(RuleSet& set, const ConfigLine& line, const Variables& variables) {
  Suppression suppression;
  suppression.gid = line.gid;
  suppression.sid = line.sid;
  bool has_address = false;
  for (const std::string_view option : line.options) {
    std::string_view rest = option;
    const std::string_view word = take_word(rest);
    using Track = Suppression::Track;
    if (word == "track" && (rest == "by_src" || rest == "by_dst" || rest == "by_either")) {
      suppression.track = rest == "by_src"   ? Track::Source
                          : rest == "by_dst" ? Track::Destination
                                             : Track::Either;
    } else if (word == "track") {
      return wrong("expects track by_src, by_dst or by_either, not " + in_quotes(rest));
    } else if (word == "ip") {
      auto addresses = read_address_group(rest, variables);
      if (!addresses) return tl::unexpected(addresses.error());
      suppression.addresses = std::move(*addresses);
      has_address = true;
    } else {
      return wrong("has the unknown option " + in_quotes(option));
    }
  }
  if (has_address != (suppression.track != Suppression::Track::Rule)) {
    return wrong("expects track and ip together");
  }
  set.suppressions.push_back(std::move(suppression));
  return {};
}

Outcome apply_line(RuleSet& set, std::string_view kind, std::string_view text,
                   const Variables& variables) {
  const auto line = read_config_line(text);
  if (!line) return tl::unexpected(line.error());
  if (kind == "suppress") return apply_suppression(set, *line, variables);
  if (kind == "rate_filter") return apply_rate_filter(set, *line);
  if (kind == "threshold" || kind == "event_filter") return apply_threshold(set, *line);
  return wrong("expects suppress, threshold, event_filter or rate_filter");
}

uint32_t sid_of(std::string_view text) {
  const auto line = read_config_line(text);
  return line ? line->sid : 0;
}

}  // namespace

void apply_threshold_text(RuleSet& rules, std::string_view file, std::string_view text,
                          const Variables& address_variables) {
  for_each_rule_line(text, [&](const RuleLine& line) {
    if (line.disabled) return;
    std::string_view rest = line.text.substr(0, line.text.find('#'));
    const std::string_view kind = take_word(rest);
    if (auto done = apply_line(rules, kind, rest, address_variables); !done) {
      rules.problems.push_back({std::string(file), line.number, sid_of(rest), std::string(kind),
                                done.error().reason, done.error().unsupported});
    }
  });
}

}  // namespace masugata::ids
