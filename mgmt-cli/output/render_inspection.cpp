// SPDX-License-Identifier: GPL-2.0-or-later
// Intrusion prevention: profiles, rules, hits, costs.
#include <fmt/format.h>

#include <array>

#include "mgmt-cli/output/render.h"
#include "mgmt-cli/output/table.h"
#include "mgmt-cli/output/units.h"

namespace masugata::cli {
namespace {

std::string ago(const Json& object, const char* name) {
  const Json& seconds = member(object, name);
  if (!seconds.is_number_unsigned()) return "never";
  return format_duration(seconds.get<uint64_t>()) + " ago";
}

std::string name_of(const Json& rule) {
  const std::string message = text_of(rule, "message");
  return message.empty() ? "(not loaded any more)" : message;
}

std::string shown(size_t count, uint64_t total, std::string_view singular) {
  if (count >= total) return format_number_of(total, singular) + "\n";
  return fmt::format("showing {} of {}: 'limit COUNT' shows more\n", format_count(count),
                     format_number_of(total, singular));
}

// The state of the rules: "ready", "loading"...
std::string load_text(const Json& load) {
  const std::string state = text_of(load, "state");
  const bool some_run = member(load, "ready_seconds_ago").is_number_unsigned();
  const std::string since =
      some_run ? fmt::format("loaded {} in {:.1f} s", ago(load, "ready_seconds_ago"),
                             real_of(load, "seconds"))
               : "";
  std::string text;
  if (state == "none") text += "rules            none are configured\n";
  if (state == "ready") text += "rules            ready, " + since + "\n";
  if (state == "loading") {
    text += "rules            loading" +
            (some_run ? "; those that run were " + since : std::string()) + "\n";
  }
  if (state == "failed") {
    text += fmt::format("rules            failed: {}\n", printable(text_of(load, "failure")));
    text += some_run ? "                 those that run were " + since + "\n"
                     : "                 none run\n";
  }
  if (some_run) {
    text += fmt::format("                 {} from {}; {} unsupported, {} wrong, {} commented out\n",
                        format_number_of(number_of(load, "rules"), "rule"),
                        format_number_of(number_of(load, "files"), "file"),
                        format_count(number_of(load, "unsupported")),
                        format_count(number_of(load, "wrong")),
                        format_count(number_of(load, "disabled")));
  }
  return text;
}

// "drop", or which edges let pass: "pass: overload, midstream".
std::string choices_text(const Json& choices) {
  std::string passes;
  for (const auto& [name, choice] : choices.items()) {
    if (choice != "pass") continue;
    if (!passes.empty()) passes += ", ";
    passes += name;
  }
  return passes.empty() ? "drop" : "pass: " + passes;
}

struct CounterMeaning {
  const char* name;
  const char* meaning;
};
constexpr std::array<CounterMeaning, 30> kMeanings{{
    {"packets", "packets inspected"},
    {"sessions", "sessions begun to inspect"},
    {"segments_rewritten", "overlaps whose content differed, set right"},
    {"segments_refused", "TCP segments refused: server and engine would read them differently"},
    {"urgent_cleared", "urgent flags cleared"},
    {"windows_lowered", "receivers' windows lowered to what there is room for"},
    {"passed_without_rules", "packets passed uninspected: no rules were loaded"},
    {"passed_memory", "segments and packets passed uninspected: no memory"},
    {"passed_overload", "sessions passed uninspected: too many at once"},
    {"passed_midstream", "sessions passed uninspected: their beginning was not seen"},
    {"passed_packets", "packets of such sessions"},
    {"bytes", "bytes of payload"},
    {"stream_bytes", "bytes of streams put together"},
    {"transactions", "requests and answers read"},
    {"alerts", "alerts"},
    {"drops", "packets dropped"},
    {"alerts_suppressed", "alerts held back by thresholds and suppressions"},
    {"alerts_discarded", "alerts beyond the bound of one packet"},
    {"scans", "searches for patterns"},
    {"scanned_bytes", "bytes searched"},
    {"candidates", "rules looked at closely"},
    {"verified", "of these: that matched"},
    {"flows_refused", "sessions that found no room in the engine"},
    {"parsers_ended_by_memory", "sessions whose protocol was given up at the memory bound"},
    {"parsers_failed", "protocol parsers ended by what they could not read"},
    {"thresholds_lost", "threshold states given up: table full"},
    {"host_bits_lost", "marks of hosts given up: table full"},
    {"matches_lost", "matches beyond the bound of one packet"},
    {"excepted", "matches that exceptions made void"},
    {"tagged_packets", "packets logged because a rule tagged their session or host"},
}};

// Known names in the order above, those without a name here behind them; what is zero is left out.
std::string counter_lines(const Json& counters) {
  std::string text;
  const auto line = [&text](uint64_t value, std::string_view meaning) {
    if (value != 0) text += fmt::format("  {:>15}  {}\n", format_count(value), meaning);
  };
  for (const CounterMeaning& known : kMeanings)
    line(number_of(counters, known.name), known.meaning);
  for (const auto& [name, value] : counters.items()) {
    bool is_known = false;
    for (const CounterMeaning& known : kMeanings) is_known = is_known || name == known.name;
    if (!is_known && value.is_number_unsigned()) line(value.get<uint64_t>(), printable(name));
  }
  return text;
}

std::string format_cost(double cycles) { return format_count(static_cast<uint64_t>(cycles + 0.5)); }

}  // namespace

std::string render_ips(const Json& answer) {
  std::string text = load_text(member(answer, "load"));
  if (list_of(answer, "profiles").empty()) return text + "no profile is configured\n";
  text += fmt::format("profiling        {}\n", flag_of(answer, "profiling") ? "on" : "off");
  text += fmt::format("event log        {}: {} written, {} lost, {} failed\n",
                      printable(text_of(answer, "log_file")),
                      format_number_of(number_of(answer, "lines_written"), "line"),
                      format_count(number_of(answer, "lines_lost")),
                      format_count(number_of(answer, "lines_failed")));
  text += fmt::format("inspected now    {}\n",
                      format_number_of(number_of(answer, "sessions_now"), "session"));

  Table profiles({{"PROFILE"},
                  {"MODE"},
                  {"STATE"},
                  {"RULES", Align::Right},
                  {"LEFT OUT", Align::Right},
                  {"OVERRIDDEN", Align::Right},
                  {"PATTERNS", Align::Right},
                  {"DATABASES", Align::Right},
                  {"SIZE", Align::Right},
                  {"COMPILED IN", Align::Right},
                  {"WHAT CANNOT BE INSPECTED"}});
  for (const Json& profile : list_of(answer, "profiles")) {
    profiles.add_row({text_of(profile, "name"), text_of(profile, "mode"),
                      flag_of(profile, "ready") ? "ready" : "no rules",
                      format_count(number_of(profile, "rules")),
                      format_count(number_of(profile, "left_out")),
                      format_count(number_of(profile, "overridden")),
                      format_count(number_of(profile, "patterns")),
                      format_count(number_of(profile, "databases")),
                      format_bytes(number_of(profile, "plan_bytes")),
                      fmt::format("{:.1f} s{}", real_of(profile, "compile_seconds"),
                                  flag_of(profile, "from_cache") ? " (cache)" : ""),
                      choices_text(member(profile, "choices"))});
  }
  text += "\n" + profiles.to_string();
  if (const std::string lines = counter_lines(member(answer, "counters")); !lines.empty()) {
    text += "\nsessions and packets\n" + lines;
  }
  for (const Json& profile : list_of(answer, "profiles")) {
    text += fmt::format("\nprofile {}: {}, memory {} of {}\n", printable(text_of(profile, "name")),
                        format_number_of(number_of(profile, "flows"), "session"),
                        format_bytes(number_of(profile, "memory_bytes")),
                        format_bytes(number_of(profile, "memory_bound")));
    text += counter_lines(member(profile, "counters"));
    Table protocols({{"PROTOCOL"}, {"SESSIONS", Align::Right}, {"TRANSACTIONS", Align::Right}});
    for (const Json& protocol : list_of(profile, "protocols")) {
      protocols.add_row({text_of(protocol, "name"), format_count(number_of(protocol, "sessions")),
                         format_count(number_of(protocol, "transactions"))});
    }
    if (!protocols.is_empty()) text += protocols.to_string("  ");
  }
  return text;
}

std::string render_ips_rules(const Json& answer) {
  std::string text = load_text(member(answer, "load"));
  for (const Json& file : list_of(answer, "files")) {
    if (file.is_string()) text += "file             " + printable(file.get<std::string>()) + "\n";
  }
  for (const auto& [profile, count] : member(answer, "left_out").items()) {
    const uint64_t overridden = number_of(member(answer, "overridden"), profile.c_str());
    text += fmt::format(
        "profile          {}: {} left out, {} with another action\n", printable(profile),
        format_number_of(count.is_number_unsigned() ? count.get<uint64_t>() : uint64_t{0}, "rule"),
        format_count(overridden));
  }
  Table problems({{"PLACE"}, {"SID", Align::Right}, {"KEYWORD"}, {"PROBLEM"}});
  for (const Json& problem : list_of(answer, "problems")) {
    const uint64_t sid = number_of(problem, "sid");
    problems.add_row({fmt::format("{}:{}", text_of(problem, "file"), number_of(problem, "line")),
                      sid == 0 ? "" : std::to_string(sid), text_of(problem, "keyword"),
                      fmt::format("{}{}", flag_of(problem, "unsupported") ? "" : "wrong: ",
                                  text_of(problem, "reason"))});
  }
  if (problems.is_empty()) return text;
  return text + "\n" + problems.to_string() +
         shown(list_of(answer, "problems").size(), number_of(answer, "total_problems"), "problem");
}

std::string render_ips_rule(const Json& answer) {
  std::string text =
      fmt::format("rule {} revision {}: {}\n", number_of(answer, "sid"),
                  number_of(answer, "revision"), printable(text_of(answer, "message")));
  const auto line = [&text](const char* name, const std::string& value) {
    if (!value.empty()) text += fmt::format("{:<16} {}\n", name, printable(value));
  };
  line("class",
       fmt::format("{}, priority {}", text_of(answer, "classtype"), number_of(answer, "priority")));
  line("read from", fmt::format("{}:{}", text_of(answer, "file"), number_of(answer, "line")));
  line("references", joined_of(answer, "references"));
  text += "\n" + printable(text_of(answer, "text")) + "\n";
  Table profiles({{"PROFILE"},
                  {"ACTION"},
                  {"HITS", Align::Right},
                  {"ALERTS", Align::Right},
                  {"LAST"},
                  {"CHECKS", Align::Right},
                  {"MATCHES", Align::Right},
                  {"CYCLES", Align::Right}});
  for (const Json& profile : list_of(answer, "profiles")) {
    const std::string action = text_of(profile, "action");
    const bool profiled = number_of(profile, "checks") != 0;
    const auto cost = [&](const char* name) {
      return profiled ? format_count(number_of(profile, name)) : std::string();
    };
    profiles.add_row({text_of(profile, "profile"), action.empty() ? "(not in it)" : action,
                      format_count(number_of(profile, "hits")),
                      format_count(number_of(profile, "alerts")), ago(profile, "last_seconds_ago"),
                      cost("checks"), cost("matches"), cost("cycles")});
  }
  if (!profiles.is_empty()) text += "\n" + profiles.to_string();
  return text;
}

std::string render_ips_hits(const Json& answer) {
  Table table({{"SID", Align::Right},
               {"ALERTS", Align::Right},
               {"HITS", Align::Right},
               {"LAST"},
               {"PRIORITY", Align::Right},
               {"CLASS"},
               {"MESSAGE"}});
  for (const Json& rule : list_of(answer, "rules")) {
    const uint64_t priority = number_of(rule, "priority");
    table.add_row({std::to_string(number_of(rule, "sid")), format_count(number_of(rule, "alerts")),
                   format_count(number_of(rule, "hits")),
                   member(rule, "last_seconds_ago").is_null() ? "" : ago(rule, "last_seconds_ago"),
                   priority == 0 ? "" : std::to_string(priority), text_of(rule, "classtype"),
                   name_of(rule)});
  }
  if (table.is_empty()) return "no rule has matched\n";
  return table.to_string() +
         shown(list_of(answer, "rules").size(), number_of(answer, "total"), "rule");
}

std::string render_ips_exceptions(const Json& answer) {
  Table table({{"PROFILE"}, {"EXCEPTION"}, {"STATE"}, {"HITS", Align::Right}, {"UNTIL"}});
  for (const Json& exception : list_of(answer, "exceptions")) {
    const Json& left = member(exception, "ends_in_seconds");
    const bool ends = left.is_number_unsigned();
    const bool over = ends && left.get<uint64_t>() == 0;
    const bool holds = flag_of(exception, "holds");
    std::string until = text_of(exception, "until");
    if (ends && !over) until += " (in " + format_duration(left.get<uint64_t>()) + ")";
    table.add_row({text_of(exception, "profile"), text_of(exception, "name"),
                   over && !holds ? "ended" : (holds ? "holds" : "not loaded"),
                   format_count(number_of(exception, "hits")), until});
  }
  if (table.is_empty()) return "no exception is configured\n";
  return table.to_string() +
         shown(list_of(answer, "exceptions").size(), number_of(answer, "total"), "exception");
}

std::string render_ips_costs(const Json& answer) {
  const bool profiling = flag_of(answer, "profiling");
  Table table({{"SID", Align::Right},
               {"SHARE", Align::Right},
               {"CHECKS", Align::Right},
               {"MATCHES", Align::Right},
               {"CYCLES", Align::Right},
               {"CYCLES/CHECK", Align::Right},
               {"MESSAGE"}});
  for (const Json& rule : list_of(answer, "rules")) {
    table.add_row(
        {std::to_string(number_of(rule, "sid")), format_percent(real_of(rule, "share_percent")),
         format_count(number_of(rule, "checks")), format_count(number_of(rule, "matches")),
         format_count(number_of(rule, "cycles")), format_cost(real_of(rule, "cycles_per_check")),
         name_of(rule)});
  }
  if (table.is_empty()) {
    return profiling ? "profiling is on; no rule was looked at yet\n"
                     : "nothing was counted: 'masugata ips profiling on' begins to\n";
  }
  return table.to_string() +
         shown(list_of(answer, "rules").size(), number_of(answer, "total"), "rule") +
         (profiling ? "profiling is on; 'masugata ips profiling off' ends it\n"
                    : "profiling is off: figures of the last time\n");
}

}  // namespace masugata::cli
