// SPDX-License-Identifier: GPL-2.0-or-later
// The answers about antivirus.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>

#include "mgmt-cli/output/render.h"
#include "mgmt-cli/output/table.h"
#include "mgmt-cli/output/units.h"

namespace masugata::cli {
namespace {

struct Meaning {
  const char* name;
  const char* meaning;
};
constexpr std::array kCounters{
    Meaning{"objects", "objects seen"},
    Meaning{"scanned", "scanned whole"},
    Meaning{"scanned_early", "scanned in part because they stalled"},
    Meaning{"clean", "found clean"},
    Meaning{"known_clean", "known to be clean, not scanned again"},
    Meaning{"broken_off", "without a verdict: their connection was reset"},
    Meaning{"infected", "infected"},
    Meaning{"exempt", "not scanned: the profile exempts them"},
    Meaning{"opaque_sessions", "sessions without readable contents"},
    Meaning{"encryption_refused", "times that encryption was refused"},
    Meaning{"ranges_widened", "requests for a part made to requests for the whole"},
    Meaning{"urls_refused", "requests refused for their URL"},
    Meaning{"answered", "refused with a page or a reply"},
    Meaning{"reset", "refused by a reset"},
    Meaning{"segments_refused", "segments without room, to be sent again"},
    Meaning{"records_lost", "events lost: the ring was full"},
};

std::string time_text(const Json& object, const char* name) {
  const auto seconds = static_cast<time_t>(number_of(object, name));
  return seconds == 0 ? "" : fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(seconds));
}

std::string signature_lines(const Json& scanner) {
  std::string text =
      fmt::format("signatures       {}", format_count(number_of(scanner, "signatures")));
  if (!text_of(scanner, "version").empty()) {
    text += fmt::format(", version {}", printable(text_of(scanner, "version")));
  }
  if (member(scanner, "age_days").is_number()) {
    const uint64_t days = number_of(scanner, "age_days");
    text += fmt::format(", built {} ({}{})", time_text(scanner, "built"),
                        format_number_of(days, "day"), flag_of(scanner, "old") ? ": too old" : "");
  }
  text += "\n";
  if (!text_of(scanner, "refusal").empty()) {
    text += fmt::format("refused          {}\n", printable(text_of(scanner, "refusal")));
  }
  for (const Json& file : list_of(scanner, "files")) {
    text += fmt::format("  {}  {}", printable(text_of(file, "path")),
                        format_bytes(number_of(file, "bytes")));
    if (number_of(file, "version") != 0) {
      text += fmt::format(", version {}, {}", number_of(file, "version"), time_text(file, "built"));
    }
    text += flag_of(file, "own") ? ", own\n" : "\n";
  }
  return text;
}

std::string scanner_lines(const Json& scanner) {
  if (!flag_of(scanner, "connected")) return "scanner          not connected: nothing is scanned\n";
  const Json& restarts = member(scanner, "restarts");
  std::string text = fmt::format(
      "scanner          engine {}{}, {}; replaced: {} crashed, {} hung, {} out of memory\n",
      text_of(scanner, "engine"), flag_of(scanner, "loading") ? " (loading others)" : "",
      format_number_of(list_of(scanner, "scanners").size(), "scanner"),
      number_of(restarts, "crashes"), number_of(restarts, "hangs"),
      number_of(restarts, "memory_shortages"));
  return text + signature_lines(scanner);
}

std::string reason_lines(const Json& reasons, const char* title) {
  if (!reasons.is_object() || reasons.empty()) return {};
  std::string text = fmt::format("\n{}\n", title);
  for (const auto& [name, count] : reasons.items()) {
    text += fmt::format("  {:>15}  {}\n", format_count(number_of(reasons, name.c_str())),
                        printable(name));
  }
  return text;
}

std::string job_counts(const Json& counts) {
  return fmt::format(
      "{} scanned ({}), {} unchanged, {} infected, {} other findings, {} not scanned",
      format_number_of(number_of(counts, "files"), "file"),
      format_bytes(number_of(counts, "bytes")), format_count(number_of(counts, "unchanged")),
      number_of(counts, "infected"), number_of(counts, "other_findings"),
      number_of(counts, "not_scanned"));
}

std::string job_state(const Json& job) {
  std::string text = printable(text_of(job, "state"));
  if (number_of(job, "started") == 0) return text;
  return text +
         fmt::format(" since {}: {}", time_text(job, "started"), job_counts(member(job, "so_far")));
}

std::string shown_of(const Json& answer, size_t shown, const char* what) {
  const uint64_t total = number_of(answer, "total");
  return shown < total ? fmt::format("{} of {} {} shown\n", shown, total, what) : "";
}

}  // namespace

std::string render_av(const Json& answer) {
  if (!flag_of(answer, "active")) return "antivirus is not configured\n";
  const Json& now = member(answer, "now");
  const Json& quarantine = member(answer, "quarantine");
  std::string text = fmt::format("profiles         {}\n", joined_of(answer, "profiles"));
  text += scanner_lines(member(answer, "scanner"));
  text += fmt::format("memory           {} of {} in use\n",
                      format_bytes(number_of(answer, "memory_used_bytes")),
                      format_bytes(number_of(answer, "memory_bytes")));
  text += fmt::format("now              {} sessions, {} objects, {} segments held\n",
                      number_of(now, "sessions"), number_of(now, "objects"),
                      number_of(now, "segments_held"));
  text += fmt::format("blocked URLs     {}\n", number_of(answer, "blocked_urls"));
  text += fmt::format("quarantine       {}, {} of {}\n",
                      format_number_of(number_of(quarantine, "objects"), "object"),
                      format_bytes(number_of(quarantine, "bytes")),
                      format_bytes(number_of(quarantine, "maximum_bytes")));
  if (number_of(quarantine, "not_kept") != 0) {
    text += fmt::format("  {} could not be kept: {}\n", number_of(quarantine, "not_kept"),
                        printable(text_of(quarantine, "problem")));
  }
  const Json& notices = member(answer, "notices");
  if (notices.is_object() && !notices.empty()) {
    text += fmt::format("notices          {} sent, {} waiting, {} failed, {} beyond the limit\n",
                        number_of(notices, "sent"), number_of(notices, "waiting"),
                        number_of(notices, "failed"), number_of(notices, "suppressed"));
    if (!text_of(answer, "notice_problem").empty()) {
      text += fmt::format("  {}\n", printable(text_of(answer, "notice_problem")));
    }
  }
  const Json& counters = member(answer, "counters");
  text += fmt::format("\nsince the start, {} in\n", format_bytes(number_of(counters, "bytes")));
  for (const Meaning& each : kCounters) {
    text +=
        fmt::format("  {:>15}  {}\n", format_count(number_of(counters, each.name)), each.meaning);
  }
  text += reason_lines(member(answer, "passed"), "passed without a whole verdict");
  text += reason_lines(member(answer, "refused"), "refused");
  return text;
}

std::string render_av_urls(const Json& answer) {
  Table table({{"URL"}, {"SIGNATURE"}, {"REFERENCE", Align::Right}, {"ENDS IN", Align::Right}});
  for (const Json& url : list_of(answer, "urls")) {
    const uint64_t whole = number_of(url, "location_bytes");
    table.add_row({printable(text_of(url, "host") + text_of(url, "location")) +
                       (whole == 0 ? "" : fmt::format("... (cut: {} bytes)", format_count(whole))),
                   printable(text_of(url, "signature")),
                   std::to_string(number_of(url, "reference")),
                   format_duration(number_of(url, "seconds_left"))});
  }
  if (table.is_empty()) return "no URL is blocked\n";
  return table.to_string() + shown_of(answer, list_of(answer, "urls").size(), "URLs");
}

std::string render_av_quarantine(const Json& answer) {
  std::string text;
  for (const Json& kept : list_of(answer, "objects")) {
    text += fmt::format("{}  {}  {}  {} ({})\n", number_of(kept, "reference"),
                        time_text(kept, "time"), format_bytes(number_of(kept, "bytes")),
                        printable(text_of(kept, "signature")), printable(text_of(kept, "reason")));
    text += fmt::format("    {} between {} and {}, profile {}\n",
                        printable(text_of(kept, "protocol")), printable(text_of(kept, "client")),
                        printable(text_of(kept, "server")), printable(text_of(kept, "profile")));
    for (const char* name : {"name", "url", "sender", "recipients", "sha256"}) {
      if (const std::string value = text_of(kept, name); !value.empty()) {
        text += fmt::format("    {:<10} {}\n", name, printable(value));
      }
    }
    if (!flag_of(kept, "complete")) text += "    only its beginning\n";
  }
  if (text.empty()) return "the quarantine is empty\n";
  return text + shown_of(answer, list_of(answer, "objects").size(), "objects");
}

std::string render_av_scan_jobs(const Json& answer) {
  std::string text;
  for (const Json& job : list_of(answer, "jobs")) {
    text += fmt::format("{}  {}\n", printable(text_of(job, "name")), job_state(job));
    text += fmt::format("    next       {}\n", time_text(job, "next"));
    const Json& last = member(job, "last");
    if (last.is_object()) {
      const Json& counts = member(last, "counts");
      text += fmt::format("    last       {}, {}: {}\n", time_text(last, "started"),
                          format_duration(number_of(last, "ended") - number_of(last, "started")),
                          printable(text_of(last, "result")));
      if (!text_of(last, "problem").empty()) {
        text += fmt::format("               {}\n", printable(text_of(last, "problem")));
      }
      text += fmt::format("               {}\n", job_counts(counts));
    }
    if (number_of(job, "skipped") != 0) {
      text += fmt::format("    left out   {}, because the run before was not over\n",
                          format_number_of(number_of(job, "skipped"), "run"));
    }
  }
  return text.empty() ? "no scan job is configured\n" : text;
}

}  // namespace masugata::cli
