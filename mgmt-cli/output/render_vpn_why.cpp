// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "mgmt-cli/output/json_fields.h"
#include "mgmt-cli/output/render.h"

namespace masugata::cli {
namespace {

std::string time_text(uint64_t seconds) {
  std::tm broken{};
  const auto time = static_cast<std::time_t>(seconds);
  if (::gmtime_r(&time, &broken) == nullptr) return "?";
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", broken);
}

void add_line(std::string_view title, const std::string& text, std::string& output) {
  if (!text.empty()) output += fmt::format("  {:<12}{}\n", title, text);
}

void add_lines(std::string_view title, const Json& lines, std::string& output) {
  for (const Json& line : lines) {
    if (line.is_string()) add_line(title, line.get<std::string>(), output);
    title = "";
  }
}

std::string seen_text(const Json& reason) {
  const std::string first = time_text(number_of(reason, "first"));
  const std::string last = time_text(number_of(reason, "last"));
  if (flag_of(reason, "trying")) return "still trying, since " + first;
  const uint64_t count = number_of(reason, "count");
  if (count <= 1) return "once, " + last;
  return fmt::format("{} times, first {}, last {}", count, first, last);
}

std::string reason_text(const std::string& site, const Json& reason) {
  std::string output = fmt::format("{}: {}\n", site.empty() ? text_of(reason, "peer") : site,
                                   text_of(reason, "what"));
  add_line("side", text_of(reason, "side"), output);
  add_line("received", text_of(reason, "received"), output);
  add_line("configured", text_of(reason, "configured"), output);
  add_lines("remark", list_of(reason, "remarks"), output);
  add_lines("set here", list_of(reason, "set_here"), output);
  add_lines("set there", list_of(reason, "set_there"), output);
  add_line("seen", seen_text(reason), output);
  return output;
}

std::string past_text(const Json& reason) {
  return fmt::format("  {}  {} ({})\n", time_text(number_of(reason, "last")),
                     text_of(reason, "what"), seen_text(reason));
}

std::string site_text(const Json& site) {
  const std::string name = text_of(site, "site");
  std::string standing, past;
  for (const Json& reason : list_of(site, "reasons")) {
    if (flag_of(reason, "standing")) {
      standing += reason_text(name, reason);
    } else {
      past += past_text(reason);
    }
  }
  std::string output = standing;
  if (standing.empty() && !name.empty()) {
    output = flag_of(site, "up") ? fmt::format("{}: up, nothing is wrong\n", name)
                                 : fmt::format("{}: no failure was seen\n", name);
  }
  if (!past.empty()) output += fmt::format("{} before:\n{}", name, past);
  return output;
}

}  // namespace

std::string render_vpn_why(const Json& answer) {
  std::string output;
  for (const Json& site : list_of(answer, "sites")) output += site_text(site);
  return output.empty() ? "no site is configured\n" : output;
}

std::string render_vpn_line(const Json& line) {
  const std::string site = text_of(line, "site");
  return fmt::format("{}  {:<12} {}: {}\n", time_text(number_of(line, "time")),
                     site.empty() ? "-" : site, text_of(line, "kind"), text_of(line, "text"));
}

}  // namespace masugata::cli
