// SPDX-License-Identifier: GPL-2.0-or-later
// How recognising applications and host names goes.
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
constexpr std::array<Meaning, 7> kSessions{{
    {"recognised", "sessions recognised"},
    {"unknown", "sessions given up: nothing known within the budget"},
    {"refused", "sessions not looked at: no room"},
    {"turned", "times that a session turned to something else"},
    {"refined", "times that policy was asked again about a session"},
    {"exhausted", "sessions ended because they turned too often"},
    {"denied", "sessions that a rule refused for what they carry"},
}};
constexpr std::array<Meaning, 7> kNames{{
    {"questions", "questions to trusted resolvers"},
    {"answers", "answers to them"},
    {"unasked", "answers without a question: nothing learnt"},
    {"unreadable", "messages that are no plain question or answer about a host"},
    {"learnt", "names of addresses learnt, by all workers"},
    {"replaced", "of these: in place of others that were still valid"},
    {"not_shared", "not told to another worker: its ring was full"},
}};

template <size_t kCount>
std::string lines(const Json& counters, const std::array<Meaning, kCount>& meanings) {
  std::string text;
  for (const Meaning& known : meanings) {
    text +=
        fmt::format("  {:>15}  {}\n", format_count(number_of(counters, known.name)), known.meaning);
  }
  return text;
}

}  // namespace

std::string render_applications(const Json& answer) {
  std::string text = fmt::format("looked at now    {} of {}\nhost names       {} of {}\n",
                                 format_count(number_of(answer, "flows")),
                                 format_number_of(number_of(answer, "flows_bound"), "session"),
                                 format_count(number_of(answer, "hosts")),
                                 format_count(number_of(answer, "hosts_bound")));
  text += lines(member(answer, "counters"), kSessions);
  const std::string resolvers = joined_of(answer, "resolvers");
  if (resolvers.empty())
    return text + "\nDNS teaches nothing: no rule about domains, or no resolver is trusted\n";
  text += fmt::format("\nnames by DNS     from {}\naddresses        {} of {} per worker\n",
                      printable(resolvers), format_count(number_of(answer, "addresses")),
                      format_count(number_of(answer, "addresses_bound")));
  return text + lines(member(answer, "names"), kNames);
}

}  // namespace masugata::cli
