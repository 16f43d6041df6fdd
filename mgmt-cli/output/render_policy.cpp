// SPDX-License-Identifier: GPL-2.0-or-later
// What the gateway does with connections: zones, sessions, policy, NAT, explain, reload.
#include <fmt/format.h>

#include "config/problem.h"
#include "mgmt-cli/output/render.h"
#include "mgmt-cli/output/table.h"
#include "mgmt-cli/output/units.h"

namespace masugata::cli {
namespace {

std::string last_hit(const Json& rule) {
  const Json& seconds = member(rule, "last_hit_seconds_ago");
  if (!seconds.is_number_unsigned()) return "never";
  return format_duration(seconds.get<uint64_t>()) + " ago";
}

// "tcp/443; bittorrent, category games; domain forbidden": what it asks of packets and contents.
std::string service_of(const Json& rule) {
  std::string text = text_of(rule, "service");
  const std::string application = text_of(rule, "application");
  const std::string domain = text_of(rule, "domain");
  if (!application.empty()) text += "; application " + application;
  if (!domain.empty()) text += "; domain " + domain;
  return text;
}

// What is special about a rule: "log, schedule night (not now), until ..., 20 sessions per source".
std::string remarks_of(const Json& rule) {
  std::vector<std::string> remarks;
  const std::string life = text_of(rule, "life");
  if (flag_of(rule, "log")) remarks.emplace_back("log");
  if (const std::string schedule = text_of(rule, "schedule"); !schedule.empty()) {
    remarks.push_back("schedule " + schedule + (life == "outside-schedule" ? " (not now)" : ""));
  }
  if (const std::string until = text_of(rule, "until"); !until.empty()) {
    remarks.push_back("until " + until + (life == "expired" ? " (expired)" : ""));
  }
  if (const uint64_t limit = number_of(rule, "session_limit_per_source"); limit > 0) {
    remarks.push_back(format_number_of(limit, "session") + " per source");
  }
  if (const std::string ips = text_of(rule, "ips"); !ips.empty()) remarks.push_back("ips " + ips);
  if (const std::string av = text_of(rule, "av"); !av.empty()) remarks.push_back("av " + av);
  return fmt::format("{}", fmt::join(remarks, ", "));
}

// "source > destination" after translation; empty when nothing is translated.
std::string translation_of(const Json& session) {
  const std::string source = endpoint_of(session, "translated_source");
  const std::string destination = endpoint_of(session, "translated_destination");
  if (source == endpoint_of(session, "source") &&
      destination == endpoint_of(session, "destination")) {
    return {};
  }
  return source + " > " + destination;
}

// "youtube over tls".
std::string application_of(const Json& session) {
  const std::string carrier = text_of(session, "carrier");
  return text_of(session, "application") + (carrier.empty() ? "" : " over " + carrier);
}

std::string request_endpoint(const Json& parameters, const char* name) {
  const Json endpoint = {{"address", text_of(parameters, name)},
                         {"port", number_of(parameters, (std::string(name) + "_port").c_str())}};
  return endpoint_of(Json{{"endpoint", endpoint}}, "endpoint");
}

}  // namespace

std::string render_zones(const Json& answer) {
  Table table({{"ZONE"},
               {"INTERFACES"},
               {"ANTI-SPOOFING"},
               {"SESSIONS FROM", Align::Right},
               {"SESSIONS TO", Align::Right},
               {"HALF-OPEN TCP", Align::Right},
               {"SYN COOKIES"},
               {"NEW PER SOURCE AND SECOND", Align::Right}});
  for (const Json& zone : list_of(answer, "zones")) {
    const uint64_t threshold = number_of(zone, "syn_cookie_threshold");
    const uint64_t rate = number_of(zone, "new_sessions_per_source_per_second");
    std::string cookies = "never";
    if (flag_of(zone, "syn_cookies_active")) {
      cookies = "active";
    } else if (threshold > 0) {
      cookies = "from " + format_count(threshold);
    }
    table.add_row({text_of(zone, "name"), joined_of(zone, "interfaces"),
                   text_of(zone, "anti_spoofing"), format_count(number_of(zone, "sessions_from")),
                   format_count(number_of(zone, "sessions_to")),
                   format_count(number_of(zone, "half_open_tcp")), cookies,
                   rate == 0 ? "no limit" : format_count(rate)});
  }
  return table.to_string();
}

std::string render_sessions(const Json& answer) {
  Table table({{"PROTOCOL"},
               {"STATE"},
               {"SOURCE"},
               {"DESTINATION"},
               {"TRANSLATED TO"},
               {"RULE"},
               {"AGE", Align::Right},
               {"EXPIRES", Align::Right},
               {"PACKETS", Align::Right},
               {"BYTES", Align::Right},
               {"APPLICATION"}});
  for (const Json& session : list_of(answer, "sessions")) {
    table.add_row({text_of(session, "protocol"), text_of(session, "state"),
                   endpoint_of(session, "source"), endpoint_of(session, "destination"),
                   translation_of(session), text_of(session, "rule"),
                   format_duration(number_of(session, "age_seconds")),
                   format_duration(number_of(session, "expires_seconds")),
                   fmt::format("{} / {}", format_count(number_of(session, "packets_original")),
                               format_count(number_of(session, "packets_reply"))),
                   fmt::format("{} / {}", format_bytes(number_of(session, "bytes_original")),
                               format_bytes(number_of(session, "bytes_reply"))),
                   application_of(session)});
  }
  const size_t shown = list_of(answer, "sessions").size();
  const uint64_t matched = number_of(answer, "matched");
  const std::string table_usage = fmt::format(
      "table: {}", format_usage(number_of(answer, "in_table"), number_of(answer, "bound")));
  if (shown >= matched) {
    return fmt::format("{}{}; {}\n", table.to_string(), format_number_of(matched, "session"),
                       table_usage);
  }
  return fmt::format("{}showing {} of {}; {}\n'limit COUNT' shows more, filters show fewer\n",
                     table.to_string(), format_count(shown), format_number_of(matched, "session"),
                     table_usage);
}

std::string render_policy(const Json& answer) {
  std::string text;
  for (const Json& section : list_of(answer, "sections")) {
    text += fmt::format("from {} to {}\n", printable(text_of(section, "from")),
                        printable(text_of(section, "to")));
    Table table({{"RULE"},
                 {"LINE", Align::Right},
                 {"SOURCE"},
                 {"DESTINATION"},
                 {"SERVICE"},
                 {"ACTION"},
                 {"STATE"},
                 {"HITS", Align::Right},
                 {"SESSIONS", Align::Right},
                 {"LAST HIT", Align::Right},
                 {"REMARKS"},
                 {"DESCRIPTION"}});
    for (const Json& rule : list_of(section, "rules")) {
      const std::string life = text_of(rule, "life");
      table.add_row({text_of(rule, "name"), std::to_string(number_of(rule, "line")),
                     text_of(rule, "source"), text_of(rule, "destination"), service_of(rule),
                     text_of(rule, "action"), life == "outside-schedule" ? "waiting" : life,
                     format_count(number_of(rule, "hits")),
                     format_count(number_of(rule, "sessions")), last_hit(rule), remarks_of(rule),
                     text_of(rule, "description")});
    }
    text += table.to_string("  ");
  }
  return text + fmt::format("no rule, so denied: {} times\n",
                            format_count(number_of(answer, "default_denied")));
}

std::string render_nat(const Json& answer) {
  Table rules({{"KIND"},
               {"RULE"},
               {"LINE", Align::Right},
               {"FROM"},
               {"TO"},
               {"MATCH"},
               {"TRANSLATE"},
               {"HITS", Align::Right}});
  for (const Json& rule : list_of(answer, "rules")) {
    rules.add_row({text_of(rule, "kind"), text_of(rule, "name"),
                   std::to_string(number_of(rule, "line")), text_of(rule, "from"),
                   text_of(rule, "to"), text_of(rule, "match"), text_of(rule, "translate"),
                   format_count(number_of(rule, "hits"))});
  }
  Table pools({{"POOL"},
               {"ADDRESSES"},
               {"SESSIONS", Align::Right},
               {"PORTS PER DESTINATION", Align::Right}});
  for (const Json& pool : list_of(answer, "pools")) {
    pools.add_row({text_of(pool, "name"), text_of(pool, "addresses"),
                   format_count(number_of(pool, "sessions")),
                   format_count(number_of(pool, "ports"))});
  }
  std::string text = rules.is_empty() ? "nothing is translated\n" : rules.to_string();
  if (!pools.is_empty()) {
    text += "\n" + pools.to_string() +
            fmt::format("no free port: {} times\n", format_count(number_of(answer, "exhausted")));
  }
  return text;
}

std::string render_explanation(const Json& parameters, const Json& answer) {
  const std::string verdict = text_of(answer, "verdict");
  std::string text = fmt::format("{} {} > {}: {}\n", text_of(parameters, "protocol"),
                                 request_endpoint(parameters, "source"),
                                 request_endpoint(parameters, "destination"), printable(verdict));
  Table steps({{"STEP"}, {"RESULT"}, {"DECISION"}});
  for (const Json& step : list_of(answer, "steps")) {
    steps.add_row({text_of(step, "stage"), flag_of(step, "passed") ? "ok" : "stop",
                   text_of(step, "decision")});
  }
  text += steps.to_string("  ");
  const auto line = [&text](const char* name, const std::string& value) {
    if (!value.empty()) text += fmt::format("{:<16} {}\n", name, printable(value));
  };
  const auto pair = [&answer](const char* from, const char* to) {
    const std::string right = text_of(answer, to);
    const std::string left = text_of(answer, from);
    if (left.empty()) return right.empty() ? "" : "> " + right;
    return right.empty() ? left : left + " > " + right;
  };
  line("zones", pair("from_zone", "to_zone"));
  line("interfaces", pair("ingress_interface", "egress_interface"));
  line("route", text_of(answer, "route"));
  line("rule", text_of(answer, "rule"));
  line("destination NAT", text_of(answer, "destination_nat"));
  line("source NAT", text_of(answer, "source_nat"));
  if (flag_of(answer, "permitted")) {
    line("leaves as", endpoint_of(answer, "translated_source") + " > " +
                          endpoint_of(answer, "translated_destination"));
  }
  line("ips profile", text_of(answer, "ips"));
  line("av profile", text_of(answer, "av"));
  const std::string reason = text_of(answer, "drop_reason");
  if (!reason.empty()) line("drop reason", reason + ": " + text_of(answer, "drop_explanation"));
  return text;
}

std::string render_reload(const Json& report) {
  std::string text;
  for (const Json& entry : list_of(report, "problems")) {
    config::Problem problem;
    problem.severity = text_of(entry, "severity") == "warning" ? config::Problem::Severity::Warning
                                                               : config::Problem::Severity::Error;
    problem.line = static_cast<uint32_t>(number_of(entry, "line"));
    problem.column = static_cast<uint32_t>(number_of(entry, "column"));
    problem.path = text_of(entry, "path");
    problem.what = text_of(entry, "what");
    problem.accepted = text_of(entry, "accepted");
    const std::string file = text_of(entry, "file");
    text += config::format_problem(problem, file.empty() ? text_of(report, "file") : file) + "\n";
  }
  const uint64_t generation = number_of(report, "generation");
  if (flag_of(report, "applied")) {
    return text + fmt::format("{}: in force as generation {} after {} ms\n",
                              printable(text_of(report, "file")), generation,
                              number_of(report, "duration_ms"));
  }
  return text + fmt::format("{}: refused; generation {} stays in force\n",
                            printable(text_of(report, "file")), generation);
}

std::string render_answer(std::string_view method, const Json& parameters, const Json& answer) {
  if (method == "show.system") return render_system(answer);
  if (method == "show.interfaces") return render_interfaces(answer);
  if (method == "show.zones") return render_zones(answer);
  if (method == "show.sessions") return render_sessions(answer);
  if (method == "show.policy") return render_policy(answer);
  if (method == "show.nat") return render_nat(answer);
  if (method == "show.routes") return render_routes(answer);
  if (method == "show.neighbours") return render_neighbours(answer);
  if (method == "show.drops") return render_drops(answer);
  if (method == "show.ips") return render_ips(answer);
  if (method == "show.ips.rules") return render_ips_rules(answer);
  if (method == "show.ips.rule") return render_ips_rule(answer);
  if (method == "show.ips.hits") return render_ips_hits(answer);
  if (method == "show.ips.exceptions") return render_ips_exceptions(answer);
  if (method == "show.applications") return render_applications(answer);
  if (method == "show.ips.profile") return render_ips_costs(answer);
  if (method == "show.av") return render_av(answer);
  if (method == "show.av.blocked-urls") return render_av_urls(answer);
  if (method == "show.av.scan-jobs") return render_av_scan_jobs(answer);
  if (method == "show.av.quarantine") return render_av_quarantine(answer);
  if (method == "show.vpn") return render_vpn(parameters, answer);
  if (method == "vpn.act") return render_vpn_action(answer);
  if (method == "vpn.probe") return render_vpn_probe(answer);
  if (method == "show.vpn.why") return render_vpn_why(answer);
  if (method == "clear.av.blocked-urls") {
    return fmt::format("{} URLs may be asked for again\n", number_of(answer, "cleared"));
  }
  if (method == "av.reload") {
    return "looking at the signatures; 'masugata show av' says when they are in force\n";
  }
  if (method == "av.scan-job") {
    return answer.contains("started") ? "it begins; 'masugata show av scan-jobs' says how it goes\n"
                                      : "it ends; what it has found is reported\n";
  }
  if (method == "av.delete") return "deleted\n";
  if (method == "ips.reload") {
    return "reading the rule files; 'masugata show ips' says when they are in force\n";
  }
  if (method == "ips.profiling") {
    return flag_of(answer, "profiling")
               ? "rules are profiled; 'masugata show ips profile' says what they cost\n"
               : "rules are not profiled any more\n";
  }
  if (method == "clear.ips.hits") return "hits of IPS rules start again at zero\n";
  if (method == "explain") return render_explanation(parameters, answer);
  if (method == "clear.counters") return "counters start again at zero\n";
  return answer.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace masugata::cli
